"""Health over HTTP."""

import pytest

from functions.manifest import FUNCTIONS
from functions.operations.models import HealthAnswer
from shared.health.pulses import PULSES_TABLE, Pulses
from tests.builders import event
from tests.unit.audience.stage import OPERATOR, PUBLISH, Stage


class Case(Stage):
    """A stage whose process pulses."""

    def pulse(self) -> None:
        table = self.ports.table(PULSES_TABLE)
        Pulses(table, self.ports.meter, self.clock, resident=True).flush()

    def health(self) -> HealthAnswer:
        answer = self.client.get("/v1/health")
        assert answer.status_code == 200, answer.text
        return HealthAnswer.model_validate(answer.json())


def test_every_function_of_the_manifest_is_told_in_its_order() -> None:
    told = Case().health()
    assert [each.name for each in told.functions] == [each.name for each in FUNCTIONS]
    kinds = {each.name: each.kind for each in told.functions}
    assert (kinds["ingest"], kinds["aggregate"], kinds["commit"]) == ("http", "stream", "schedule")
    assert {*told.recent.functions} == {each.name for each in FUNCTIONS}


def test_what_aggregate_counted_is_told_once_it_has_pulsed() -> None:
    case = Case()
    case.tell([event(viewer_id=name) for name in ("ada", "bea", "cor")])
    case.pulse()
    told = case.health()
    aggregate = next(each for each in told.functions if each.name == "aggregate")
    assert aggregate.events_out_per_second is not None
    assert aggregate.events_out_per_second > 0
    assert aggregate.last_seen == "2026-10-28T18:00:00Z"
    assert told.lag.events == 3


def test_a_reason_is_data_and_is_told_as_it_is() -> None:
    case, reason = Case(), '<img src=x onerror=alert(1)> =1+1 "\x00'
    case.ports.meter("commit").add(1, reason)
    case.pulse()
    told = case.health()
    commit = next(each for each in told.functions if each.name == "commit")
    assert commit.last_error is not None
    assert commit.last_error.reason == reason
    assert told.bottleneck is not None
    assert (told.bottleneck.function, told.bottleneck.why) == ("commit", "failing")


def test_an_answer_is_kept_for_a_second() -> None:
    case = Case()
    first = case.health().as_of
    case.clock.advance(900)
    assert case.health().as_of == first
    case.clock.advance(100)
    assert case.health().as_of != first


@pytest.mark.parametrize(("headers", "status"), [({}, 401), (PUBLISH, 403), (OPERATOR, 200)])
def test_only_operators_see_it(headers: dict[str, str], status: int) -> None:
    answer = Case(loopback=False).client.get("/v1/health", headers=headers)
    assert answer.status_code == status
    assert "private" in answer.headers["cache-control"]
