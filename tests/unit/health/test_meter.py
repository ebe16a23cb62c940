"""Meters and the pulses they are written as."""

import logging
import threading
from typing import Any

import pytest

from lab.memory import MemoryTable
from shared.errors import Unavailable
from shared.health.meter import MAX_SLOTS, SLOT_MS, Backlog, Pulse
from shared.health.pulses import KEPT_MS, PULSES_TABLE, Pulses, partition_of, read_pulses, read_pulses_of
from shared.ports import query_all
from tests.unit.health.stage import Process, Stage


def stored(stage: Stage) -> list[Pulse]:
    slot = stage.clock.now_ms() // SLOT_MS
    return sorted(
        read_pulses(stage.ports.table(PULSES_TABLE), 0, slot), key=lambda pulse: (pulse.slot, pulse.function)
    )


def only(stage: Stage) -> Pulse:
    (pulse,) = stored(stage)
    return pulse


def at_a_slots_start() -> Stage:
    stage = Stage()
    stage.clock.time_ms -= stage.clock.time_ms % SLOT_MS
    return stage


def test_calls_failures_and_events_are_counted() -> None:
    stage = Stage()
    process = stage.process()
    meter = process.meter("ingest")
    meter.count(events_in=10)
    meter.count(events_out=8)
    meter.add(3_000_000)
    meter.add(1_000, "the stream is away")
    meter.fail("nothing could be read")
    meter.spend(700)
    process.pulses.flush()

    pulse = only(stage)
    assert (pulse.function, pulse.instance) == ("ingest", process.meter.instance)
    assert (pulse.counts.calls, pulse.counts.failures) == (3, 2)
    assert (pulse.counts.events_in, pulse.counts.events_out) == (10, 8)
    assert pulse.counts.busy_us == 700
    assert sum(pulse.counts.durations.values()) == 2
    assert pulse.last_error is not None
    assert pulse.last_error.reason == "nothing could be read"
    assert pulse.last_failed


def test_a_function_that_counts_no_events_says_so() -> None:
    stage = Stage()
    process = stage.process()
    process.meter("roll").add(1)
    process.pulses.flush()
    assert only(stage).counts.events_in is None


def test_one_that_has_counted_events_has_none_of_them_in_a_quiet_slot() -> None:
    stage = Stage()
    process = stage.process()
    process.meter("ingest").count(events_in=1)
    process.pulses.flush()
    stage.clock.advance(SLOT_MS)
    process.pulses.flush()
    assert [pulse.counts.events_in for pulse in stored(stage)] == [1, 0]


def test_a_success_ends_a_failure_but_its_reason_stays() -> None:
    stage = Stage()
    process = stage.process()
    process.meter("commit").add(1, "x" * 1_000)
    process.meter("commit").add(1)
    process.pulses.flush()
    pulse = only(stage)
    assert not pulse.last_failed
    assert pulse.last_error is not None
    assert len(pulse.last_error.reason) == 200


def test_a_call_in_hand_counts_as_busy_until_it_ends() -> None:
    stage = at_a_slots_start()
    process = stage.process()
    meter = process.meter("compact")
    meter.begin()
    process.timer.pass_ms(4_000)
    stage.clock.advance(4_000)
    process.pulses.flush()
    assert only(stage).counts.busy_us == 4_000_000
    assert only(stage).counts.calls == 0

    process.timer.pass_ms(1_500)
    stage.clock.advance(1_500)
    meter.end()
    process.pulses.flush()
    assert only(stage).counts.busy_us == 5_500_000
    assert only(stage).counts.calls == 1


def test_writing_a_slot_again_takes_the_place_of_what_was_there() -> None:
    stage = at_a_slots_start()
    process = stage.process()
    for _ in range(3):
        process.meter("ingest").count(events_in=5)
        process.pulses.flush()
    assert only(stage).counts.events_in == 15


def test_what_was_counted_since_the_last_pulse_stays_in_its_own_slot() -> None:
    stage = at_a_slots_start()
    process = stage.process()
    process.pulses.flush()
    stage.clock.advance(9_000)
    process.meter("ingest").count(events_in=5)
    process.waits(1_000)
    process.meter("ingest").count(events_in=2)
    stage.clock.advance(2_000)
    process.meter("ingest").count(events_in=4)
    process.pulses.flush()

    ingest = [pulse for pulse in stored(stage) if pulse.function == "ingest"]
    assert [pulse.counts.events_in for pulse in ingest] == [7, 4]
    aggregate = [pulse for pulse in stored(stage) if pulse.function == "aggregate"]
    assert [pulse.counts.backlog for pulse in aggregate] == [Backlog(1, 1_000, 0), None]


def test_what_is_counted_while_a_pulse_is_written_is_written_later() -> None:
    stage = at_a_slots_start()
    process = stage.process()
    meter = process.meter("ingest")
    meter.count(events_in=5)
    (pulse,) = meter.pulses(None)
    meter.count(events_in=2)
    stage.clock.advance(SLOT_MS)
    meter.written(pulse)
    process.pulses.flush()
    assert [each.counts.events_in for each in stored(stage)] == [7, 0]


def test_a_pulse_expires_a_quarter_of_an_hour_after_its_slot() -> None:
    stage = at_a_slots_start()
    stage.process().waits(0)
    stage.clock.advance(SLOT_MS + KEPT_MS - 1)
    assert stored(stage)
    stage.clock.advance(1)
    assert not stored(stage)


def test_one_functions_pulses_are_a_range_of_their_own() -> None:
    stage = Stage()
    process = stage.process()
    for function in ("watch", "merge_watch", "watcher"):
        process.waits(1, function=function)
    found = read_pulses_of(stage.ports.table(PULSES_TABLE), "watch", stage.clock.now_ms() // SLOT_MS)
    assert [pulse.function for pulse in found] == ["watch"]


def test_a_thousand_instances_spread_over_the_partitions() -> None:
    found = [partition_of(Stage().process().meter.instance) for _ in range(1_000)]
    assert len(set(found)) == 4
    assert max(found.count(partition) for partition in found) < 350


def test_only_who_is_due_pulses_at_the_end_of_a_call() -> None:
    stage = at_a_slots_start()
    process = stage.process(resident=False)
    for expected in (1, 1, 1, 1, 1, 6):
        process.meter("ingest").count(events_in=1)
        process.pulses.flush_if_due()
        assert only(stage).counts.events_in == expected
        stage.clock.advance(1_000)
    assert only(stage).next_within_ms is None


class Away(MemoryTable):
    """A table that cannot be written while `away`."""

    away = True

    def put(self, *arguments: Any, **conditions: Any) -> str:
        if self.away:
            raise Unavailable("the table is away")
        return super().put(*arguments, **conditions)


def test_a_pulse_that_cannot_be_written_fails_nothing_and_is_written_later(caplog: pytest.LogCaptureFixture) -> None:
    stage = at_a_slots_start()
    table = Away(stage.clock)
    process = stage.process()
    pulses = Pulses(table, process.meter, stage.clock, resident=True)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            process.meter("ingest").count(events_in=1)
            pulses.flush()
            stage.clock.advance(SLOT_MS)
    assert [record.getMessage() for record in caplog.records] == [
        "health cannot be written; it is tried again every 5 s: the table is away"
    ]

    table.away = False
    pulses.flush()
    items = query_all(table, partition_of(process.meter.instance))
    assert len(list(items)) == 4


def test_what_cannot_be_written_for_long_is_forgotten_oldest_first() -> None:
    stage = at_a_slots_start()
    process = stage.process()
    for _ in range(MAX_SLOTS + 10):
        process.meter("ingest").count(events_in=1)
        stage.clock.advance(SLOT_MS)
    pulses = process.meter("ingest").pulses(None)
    assert len(pulses) == MAX_SLOTS
    assert pulses[-1].slot == stage.clock.now_ms() // SLOT_MS


def test_threads_count_together() -> None:
    stage = Stage()
    process: Process = stage.process()

    def count() -> None:
        for _ in range(2_000):
            process.meter("ingest").count(events_in=1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    process.pulses.flush()
    assert only(stage).counts.events_in == 8_000


def test_a_call_that_reaches_into_the_next_slot_is_busy_in_both() -> None:
    stage = at_a_slots_start()
    process = stage.process()
    meter = process.meter("compact")
    stage.clock.advance(8_000)
    meter.begin()
    process.timer.pass_ms(5_000)
    stage.clock.advance(5_000)
    process.pulses.flush()
    assert [pulse.counts.busy_us for pulse in stored(stage)] == [2_000_000, 3_000_000]
