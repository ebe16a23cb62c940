"""Dead letters over HTTP: listed, replayed, and still counted once."""

import pytest

from functions.operations.models import LettersAnswer, ReplayAnswer
from shared.dead_letters import DeadLetters
from shared.stream import Record
from shared.units import HOUR_MS
from tests.builders import delivered, event, packed
from tests.unit.audience.stage import OPERATOR, PUBLISH, Stage


def dead(stage: Stage, **fields: int) -> Record:
    """A record that could not be handled."""
    record = delivered(packed([event()]), **{"first_appended_at": stage.clock.now_ms(), **fields})
    DeadLetters(stage.ports, stage.settings).put(record, "unreadable: torn", "aggregate")
    return record


def letters(stage: Stage, query: str = "") -> LettersAnswer:
    return LettersAnswer.model_validate(stage.client.get(f"/v1/dead-letters{query}").json())


def replay(stage: Stage, body: object) -> ReplayAnswer:
    return ReplayAnswer.model_validate(stage.client.post("/v1/dead-letters/replay", json=body).json())


def test_letters_are_listed_page_by_page_with_the_reason() -> None:
    stage = Stage()
    ids = sorted(dead(stage).record_id.hex() for _ in range(3))
    page = letters(stage, "?limit=2")
    rest = letters(stage, f"?limit=2&cursor={page.next}")
    assert [one.record_id for one in (*page.letters, *rest.letters)] == ids
    assert rest.next is None
    assert (page.letters[0].reason, page.letters[0].function) == ("unreadable: torn", "aggregate")
    assert page.letters[0].dead_at == "2026-10-28T18:00:00Z"
    assert stage.client.get("/v1/completeness").json()["dead_letters"] == 3


def test_named_letters_are_replayed_and_leave_the_list() -> None:
    stage = Stage()
    first, second = dead(stage), dead(stage)
    told = replay(stage, {"record_ids": [first.record_id.hex().upper(), first.record_id.hex()]})
    assert (told.replayed, told.refused) == (1, [])
    assert [one.record_id for one in letters(stage).letters] == [second.record_id.hex()]
    read = [record for part in "0123" for record in stage.suite.stream("events").read(part, 0, 10, 10**6)]
    assert [(record.record_id, record.body) for record in read] == [(first.record_id, first.body)]


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_all_letters_are_replayed_when_none_is_named(body: bytes) -> None:
    stage = Stage()
    for _ in range(3):
        dead(stage)
    assert stage.client.post("/v1/dead-letters/replay", content=body).json() == {"replayed": 3, "refused": []}
    assert letters(stage).letters == []


def test_what_cannot_be_replayed_is_told_why() -> None:
    stage = Stage()
    old = dead(stage, first_appended_at=stage.clock.now_ms() - 25 * HOUR_MS)
    told = replay(stage, {"record_ids": [old.record_id.hex(), "0" * 32]})
    assert told.replayed == 0
    assert ["rebuild" in told.refused[0].reason, "no such" in told.refused[1].reason] == [True, True]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"record_ids": []}', b'{"record_ids": ["x"]}', b'{"ids": []}'])
def test_a_bad_request_is_refused(body: bytes) -> None:
    assert Stage().client.post("/v1/dead-letters/replay", content=body).status_code == 400


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "page=2"])
def test_a_bad_query_is_refused(query: str) -> None:
    assert Stage().client.get(f"/v1/dead-letters?{query}").status_code == 400


@pytest.mark.parametrize("path", ["/v1/completeness", "/v1/dead-letters"])
def test_only_an_operator_may_ask(path: str) -> None:
    stage = Stage(loopback=False)
    assert stage.client.get(path, headers=OPERATOR).status_code == 200
    assert stage.client.get(path, headers=PUBLISH).status_code == 403
    assert stage.client.get(path).status_code == 401
