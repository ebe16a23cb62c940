"""States, and which function holds up the rest."""

import pytest

from shared.health.merging import Told, gather
from shared.health.meter import SLOT_MS
from shared.health.pulses import KEPT_MS, PULSES_TABLE, read_pulses
from shared.health.rules import State, Watched, bottleneck, state_of
from tests.unit.health.stage import Process, Stage

INGEST = Watched("ingest", "http")
AGGREGATE = Watched("aggregate", "stream", feeders=frozenset({"ingest"}))
ARCHIVE = Watched("archive", "stream", window_ms=5_000, feeders=frozenset({"ingest"}))
COMMIT = Watched("commit", "schedule", every_ms=10_000)
COMPACT = Watched("compact", "schedule", every_ms=60_000)


class Case(Stage):
    """A suite whose functions' states are asked for."""

    def known(self) -> dict[str, Told]:
        now = self.clock.now_ms()
        table = self.ports.table(PULSES_TABLE)
        return gather(read_pulses(table, (now - KEPT_MS) // SLOT_MS, now // SLOT_MS), now)

    def state(self, function: Watched) -> State:
        return state_of(function, self.known(), self.clock.now_ms())

    def keep_pulsing(self, process: Process, seconds: int) -> None:
        for _ in range(seconds // 5):
            self.clock.advance(5_000)
            process.pulses.flush()


@pytest.fixture
def case() -> Case:
    case = Case()
    case.clock.time_ms -= case.clock.time_ms % SLOT_MS
    return case


def test_what_is_called_is_ok_and_then_idle(case: Case) -> None:
    process = case.process()
    process.meter("ingest").add(1)
    process.pulses.flush()
    assert case.state(INGEST) == "ok"
    case.keep_pulsing(process, 30)
    assert case.state(INGEST) == "idle"


def test_a_schedule_is_not_idle_between_two_runs(case: Case) -> None:
    process = case.process()
    process.meter("compact").add(1)
    process.pulses.flush()
    case.keep_pulsing(process, 100)
    assert case.state(COMPACT) == "ok"
    case.keep_pulsing(process, 40)
    assert case.state(COMPACT) == "idle"


def test_a_consumer_that_stops_pulsing_is_silent_and_heals(case: Case) -> None:
    process = case.process()
    process.waits(0)
    case.clock.advance(15_000)
    assert case.state(AGGREGATE) == "idle"
    case.clock.advance(1)
    assert case.state(AGGREGATE) == "silent"
    case.process().waits(0)
    assert case.state(AGGREGATE) == "idle"


def test_another_instance_of_it_going_on_is_no_silence(case: Case) -> None:
    case.process().waits(0)
    other = case.process()
    other.waits(0)
    case.keep_pulsing(other, 60)
    assert case.state(AGGREGATE) == "idle"


def test_a_function_that_never_told_is_silent_where_processes_stay(case: Case) -> None:
    web = case.process()
    web.meter("ingest").add(1)
    web.pulses.flush()
    case.keep_pulsing(web, 20)
    assert case.state(AGGREGATE) == "idle"
    case.keep_pulsing(web, 10)
    assert case.state(AGGREGATE) == "silent"


def test_one_that_runs_only_when_called_may_be_quiet(case: Case) -> None:
    case.process(resident=False).waits(0)
    case.clock.advance(60_000)
    assert case.state(AGGREGATE) == "idle"
    assert case.state(COMMIT) == "idle"


def test_but_not_while_its_stream_is_fed(case: Case) -> None:
    case.process(resident=False).waits(0)
    web = case.process(resident=False)
    case.clock.advance(30_000)
    web.meter("ingest").count(events_in=5, events_out=5)
    web.pulses.flush()
    assert case.state(AGGREGATE) == "silent"
    assert case.state(ARCHIVE) == "silent"
    assert case.state(COMMIT) == "idle"


@pytest.mark.parametrize(("failures", "expected"), [(0, "ok"), (4, "ok"), (5, "failing"), (100, "failing")])
def test_one_request_in_twenty_is_failing(case: Case, failures: int, expected: State) -> None:
    process = case.process()
    for number in range(100):
        process.meter("ingest").add(1, "the stream is away" if number < failures else None)
    process.pulses.flush()
    assert case.state(INGEST) == expected


def test_a_schedule_whose_last_run_failed_is_failing_until_one_succeeds(case: Case) -> None:
    process = case.process()
    process.meter("compact").add(1, "the disk is full")
    process.pulses.flush()
    case.keep_pulsing(process, 50)
    assert case.state(COMPACT) == "failing"
    process.meter("compact").add(1)
    process.pulses.flush()
    assert case.state(COMPACT) == "ok"


def test_a_request_that_failed_is_soon_forgotten(case: Case) -> None:
    process = case.process()
    process.meter("ingest").add(1, "the stream is away")
    process.pulses.flush()
    assert case.state(INGEST) == "failing"
    case.keep_pulsing(process, 30)
    assert case.state(INGEST) == "idle"


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (0, 2_000, "idle"),
        (0, 2_001, "behind"),
        (4_000, 3_000, "idle"),
        (20_000, 10_001, "behind"),
    ],
)
def test_who_waits_long_and_longer_is_behind(case: Case, before: int, now: int, expected: State) -> None:
    process = case.process()
    process.waits(before)
    case.clock.advance(SLOT_MS)
    process.waits(now)
    assert case.state(AGGREGATE) == expected


def test_the_time_in_which_a_batch_is_gathered_is_no_delay(case: Case) -> None:
    process = case.process()
    process.waits(0, function="archive")
    case.clock.advance(SLOT_MS)
    process.waits(7_000, function="archive")
    assert case.state(ARCHIVE) == "idle"
    process.waits(7_001, function="archive")
    assert case.state(ARCHIVE) == "behind"


def test_who_works_nearly_all_the_time_is_busy(case: Case) -> None:
    process = case.process()
    for share, expected in ((0.7, "ok"), (0.99, "busy")):
        for _ in range(6):
            process.meter("aggregate").begin()
            process.timer.pass_ms(5_000 * share)
            case.clock.advance(5_000)
            process.meter("aggregate").end()
            process.pulses.flush()
        assert case.state(AGGREGATE) == expected


def test_nothing_holds_up_a_suite_that_is_well() -> None:
    assert bottleneck([("ingest", "ok"), ("aggregate", "idle")]) is None
    assert bottleneck([]) is None


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["ok", "behind", "behind"], (1, "behind")),
        (["busy", "behind", "ok"], (1, "behind")),
        (["busy", "ok", "busy"], (0, "busy")),
        (["behind", "ok", "silent"], (2, "silent")),
        (["failing", "silent", "ok"], (0, "failing")),
        (["ok", "silent", "failing"], (1, "silent")),
    ],
)
def test_the_first_cause_wins(states: list[State], expected: tuple[int, str]) -> None:
    names = ["ingest", "aggregate", "archive"]
    number, why = expected
    assert bottleneck(list(zip(names, states, strict=True))) == (names[number], why)
