"""What the app tells our triggers of a batch or a message: how often it came, how long there is, how old it may be.

And what it tells of them to health.
"""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from azure.functions.queue import QueueMessage
from azure.functions.timer import TimerRequest

from adapters.azure.app import NotSettled, make_app
from adapters.azure.parking import STORE
from adapters.azure.triggers import SUSPECT_RETRIES
from adapters.common.envelope import seal
from functions.manifest import FUNCTIONS
from lab.memory import MemorySuite
from shared.dead_letters import DeadLetters
from shared.health.meter import SLOT_MS
from shared.health.pulses import PULSES_TABLE, read_pulses_of
from shared.settings import Settings
from shared.stream import Answer, Deadline, Record, Retry
from tests.emulators.azure_functions_host import HubEvent, as_triggered
from tests.unit.azure.streams import goal

AWAY = Retry("a store is away")
HOUR = 3_600_000
ATTEMPTS = 20


@pytest.fixture
def suite() -> MemorySuite:
    return MemorySuite()


def called(suite: MemorySuite, function: str, name: str) -> Callable[..., Any]:
    """What the host calls."""
    app = make_app(
        {"GRANDSTAND_FUNCTION": function},
        ports=suite.ports,
        sleep=lambda seconds: suite.clock.advance(int(1_000 * seconds) + 1),
    )
    (found,) = [each for each in app.get_functions() if each.get_function_name() == name]
    user_function: Callable[..., Any] = found.get_user_function()
    return user_function


def context(retries: int) -> SimpleNamespace:
    return SimpleNamespace(retry_context=SimpleNamespace(retry_count=retries))


def batch(suite: MemorySuite) -> Any:
    return as_triggered([HubEvent(0, seal(goal(1), suite.clock.now_ms()))], "0", "aggregate")


@pytest.fixture
def left_ms(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How long an `aggregate` that asks for everything again was told it had, call by call."""
    told: list[int] = []

    def handler(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer]:
        told.append(deadline.remaining_ms())
        return [AWAY for _ in records]

    monkeypatch.setattr("functions.aggregate.handler.make", lambda *_: handler)
    return told


def parked(suite: MemorySuite) -> int:
    return len(list(suite.ports.objects(STORE).list()))


def test_a_batch_has_the_time_that_its_function_has(suite: MemorySuite, left_ms: list[int]) -> None:
    (timeout,) = [each.timeout_seconds for each in FUNCTIONS if each.name == "aggregate"]

    called(suite, "aggregate", "aggregate")(batch(suite), context(0))

    assert left_ms
    assert 0 < max(left_ms) <= 1_000 * timeout
    assert parked(suite) == 1


def test_health_learns_of_a_batch_before_the_process_may_sleep(suite: MemorySuite, left_ms: list[int]) -> None:
    called(suite, "aggregate", "aggregate")(batch(suite), context(0))

    (pulse,) = read_pulses_of(suite.ports.table(PULSES_TABLE), "aggregate", suite.clock.now_ms() // SLOT_MS)
    assert pulse.counts.calls == len(left_ms) > 0


def test_a_batch_that_came_often_is_parked_untried(suite: MemorySuite, left_ms: list[int]) -> None:
    called(suite, "aggregate", "aggregate")(batch(suite), context(SUSPECT_RETRIES))

    assert left_ms == []
    assert parked(suite) == 1


def test_a_record_is_replayed_until_the_horizon(suite: MemorySuite, left_ms: list[int]) -> None:
    letters = DeadLetters(suite.ports, Settings())
    called(suite, "aggregate", "aggregate")(batch(suite), context(0))
    replay = called(suite, "aggregate", "aggregate_parked")

    suite.clock.advance(23 * HOUR)
    replay(TimerRequest())
    assert letters.count() == 0
    assert parked(suite) == 1

    suite.clock.advance(HOUR)
    replay(TimerRequest())
    assert [letter.reason for letter in letters.all()] == ["gave up after 86400 s: a store is away"]
    assert parked(suite) == 0
    assert len(left_ms) > 2


def test_a_message_that_had_its_attempts_goes_to_the_dead_letters(
    suite: MemorySuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.rebuild.handler.make", lambda *_: lambda _message, _deadline: AWAY)
    work = called(suite, "rebuild", "rebuild")

    def brought(times: int) -> QueueMessage:
        return QueueMessage(body=b"order", dequeue_count=times)  # type: ignore[no-untyped-call]

    with pytest.raises(NotSettled):
        work(brought(ATTEMPTS - 1))
    work(brought(ATTEMPTS))

    (letter,) = DeadLetters(suite.ports, Settings()).all()
    assert letter.reason == f"gave up after {ATTEMPTS} attempts: a store is away"
