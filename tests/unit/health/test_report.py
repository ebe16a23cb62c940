"""Health as a whole, as a reader sees it while functions work."""

from typing import Any

import pytest

from lab.memory import MemoryTable
from shared.health.meter import SLOT_MS
from shared.health.pulses import PULSE_MS
from shared.health.report import SERIES_SLOTS, Health, HealthReader
from shared.health.rules import Watched
from shared.log_bins import bin_of
from tests.unit.health.stage import Process, Stage

FUNCTIONS = [
    Watched("ingest", "http"),
    Watched("aggregate", "stream", feeders=frozenset({"ingest"})),
    Watched("compact", "schedule", every_ms=60_000),
]


class Case(Stage):
    """A suite whose two kinds of processes pulse every five seconds while time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.clock.time_ms -= self.clock.time_ms % SLOT_MS
        self.reader = HealthReader(self.ports, FUNCTIONS)
        self.web, self.consumers = self.process(), self.process()
        self.consumers.meter("compact")

    def work(self, seconds: int, *, events_per_second: int = 0, lag_ms: int = 300, oldest_ms: int = 0) -> None:
        for _ in range(seconds // 5):
            self.clock.advance(5_000)
            self.once(events_per_second * 5, lag_ms, oldest_ms)

    def once(self, events: int, lag_ms: int, oldest_ms: int) -> None:
        if events:
            self.web.meter("ingest").add(2_000_000)
            self.consumers.meter("aggregate").add(8_000_000)
            bins = {bin_of(lag_ms): events}
            self.consumers.meter("aggregate").lag(bins, {bin_of(lag_ms - 200): events})
        self.web.meter("ingest").count(events_in=events, events_out=events)
        self.consumers.meter("aggregate").count(events_in=events, events_out=events)
        self.web.pulses.flush()
        self.consumers.waits(oldest_ms)

    def read(self) -> Health:
        told = self.reader.read()
        assert told == HealthReader(self.ports, FUNCTIONS).read()  # who read before is told the same
        return told


def function(health: Health, name: str) -> Any:
    return next(each for each in health.functions if each.name == name)


def test_a_suite_that_has_told_nothing_has_nothing_to_tell() -> None:
    told = HealthReader(Stage().ports, FUNCTIONS).read()
    assert [(each.name, each.state, each.last_seen) for each in told.functions] == [
        ("ingest", "idle", None),
        ("aggregate", "idle", None),
        ("compact", "idle", None),
    ]
    assert told.bottleneck is None
    assert told.lag.events == 0
    assert told.lag.event_to_visible_ms_p50 is None
    assert told.recent.functions["ingest"].events_in_per_second == [None] * SERIES_SLOTS


def test_rates_lag_and_durations_are_those_of_the_last_half_minute() -> None:
    case = Case()
    case.work(60, events_per_second=900, lag_ms=9_000)
    case.work(40, events_per_second=100)
    told = case.read()
    ingest, aggregate = function(told, "ingest"), function(told, "aggregate")
    for each in (ingest, aggregate):
        assert each.state == "ok"
        assert each.events_in_per_second == each.events_out_per_second == pytest.approx(100, rel=0.3)
        assert each.calls_per_second == pytest.approx(0.2, rel=0.3)
        assert each.last_seen == case.clock.now_ms()
    assert ingest.duration_ms_p99 == pytest.approx(2, rel=0.045)
    assert aggregate.duration_ms_p50 == pytest.approx(8, rel=0.045)
    assert (ingest.waiting, aggregate.waiting) == (None, 0)
    assert told.lag.event_to_visible_ms_p99 == pytest.approx(300, rel=0.045)
    assert told.lag.received_to_visible_ms_p50 == pytest.approx(100, rel=0.045)


def test_a_process_that_has_just_begun_is_told_by_its_own_time() -> None:
    case = Case()
    case.clock.advance(8_000)
    case.web = case.process()
    case.work(5, events_per_second=100)
    assert function(case.read(), "ingest").events_in_per_second == 100


def test_rates_of_several_instances_add_up() -> None:
    case = Case()
    other: Process = case.process()
    for _ in range(6):
        other.meter("ingest").count(events_in=500)
        case.work(5, events_per_second=100)
        other.pulses.flush()
    told = function(case.read(), "ingest")
    assert told.instances == 2
    assert told.events_in_per_second == pytest.approx(200, rel=0.3)


def test_a_function_that_counts_no_events_has_no_rate_of_them() -> None:
    case = Case()
    case.consumers.meter("compact").add(1)
    case.work(5)
    assert function(case.read(), "compact").events_in_per_second is None
    assert function(case.read(), "ingest").events_in_per_second == 0


def test_the_bottleneck_comes_with_the_figures_that_made_it_one() -> None:
    case = Case()
    case.work(20, oldest_ms=0)
    case.work(10, oldest_ms=12_000)
    found = case.read().bottleneck
    assert found is not None
    assert (found.function, found.why, found.oldest_ms, found.waiting) == ("aggregate", "behind", 12_000, 1)


def test_a_silent_consumer_tells_no_stale_figures() -> None:
    case = Case()
    case.work(20, events_per_second=10, oldest_ms=1_000)
    for _ in range(6):
        case.clock.advance(5_000)
        case.web.pulses.flush()
    told = case.read()
    aggregate = function(told, "aggregate")
    assert (aggregate.state, aggregate.instances) == ("silent", 0)
    assert (aggregate.waiting, aggregate.oldest_ms, aggregate.busy) == (None, None, None)
    assert aggregate.last_seen == case.clock.now_ms() - 30_000
    assert told.bottleneck is not None
    assert (told.bottleneck.function, told.bottleneck.why) == ("aggregate", "silent")


def test_a_schedules_durations_reach_further_back() -> None:
    case = Case()
    case.consumers.meter("compact").add(70_000_000)
    case.work(300)
    assert function(case.read(), "compact").duration_ms_p99 == pytest.approx(70, rel=0.045)


def test_the_last_ten_minutes_are_told_slot_by_slot() -> None:
    case = Case()
    case.work(100, events_per_second=50, oldest_ms=40)
    case.work(20)
    case.read()
    case.work(12 * 60, events_per_second=10)
    recent = case.read().recent
    assert recent.since % SLOT_MS == 0
    assert case.clock.now_ms() - recent.since in range(600_000, 620_001)
    for name in ("ingest", "aggregate"):
        assert recent.functions[name].events_in_per_second == [10.0] * SERIES_SLOTS
    assert recent.functions["aggregate"].waiting == [0] * SERIES_SLOTS
    assert recent.event_to_visible_ms_p99 == [pytest.approx(300, rel=0.045)] * SERIES_SLOTS


def test_slots_in_which_nothing_was_told_are_gaps() -> None:
    case = Case()
    first = case.clock.now_ms() // SLOT_MS
    case.work(100, events_per_second=50)
    case.clock.advance(200_000)
    case.work(100, events_per_second=50)
    recent = case.read().recent
    told = dict(enumerate(recent.functions["ingest"].events_in_per_second, recent.since // SLOT_MS - first))
    assert [told[number] for number in range(1, 10)] == [50.0] * 9
    assert [told[number] for number in range(11, 30)] == [None] * 19
    assert [told[number] for number in range(31, 38)] == [50.0] * 7


def test_asking_again_reads_half_a_minute_only(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case()
    case.work(600, events_per_second=1)
    starts: list[int] = []
    query = MemoryTable.query

    def noting(self: MemoryTable, partition: str, **how: Any) -> Any:
        starts.append(int(how["start"]))
        return query(self, partition, **how)

    case.reader.read()
    monkeypatch.setattr(MemoryTable, "query", noting)
    case.work(5, events_per_second=1)
    case.reader.read()
    assert min(starts) == case.clock.now_ms() // SLOT_MS - 2


def test_a_rate_does_not_sink_between_two_pulses() -> None:
    case = Case()
    case.work(60, events_per_second=10)
    before = function(case.read(), "ingest").events_in_per_second
    case.clock.advance(4_000)
    assert function(case.read(), "ingest").events_in_per_second == before > 0


def test_a_slot_is_told_when_its_last_pulse_is_due() -> None:
    case = Case()
    case.work(60, events_per_second=10)
    ends = []
    for _ in range(2):
        case.clock.advance(PULSE_MS - 1)
        ends.append(case.clock.now_ms() - case.read().recent.since - SERIES_SLOTS * SLOT_MS)
        case.clock.advance(1)
    assert ends == [SLOT_MS + PULSE_MS - 1, SLOT_MS - 1]


def test_what_was_more_than_a_quarter_of_an_hour_ago_is_forgotten() -> None:
    case = Case()
    case.consumers.meter("compact").add(3_000_000)
    case.work(60)
    assert function(case.read(), "compact").duration_ms_p50 == pytest.approx(3, rel=0.05)
    case.work(16 * 60)
    assert function(case.read(), "compact").duration_ms_p50 is None
