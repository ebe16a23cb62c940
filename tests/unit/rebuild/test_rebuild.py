"""A record that comes after the horizon is counted exactly when the history says that it was not."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.common.warehouse import DeltaWarehouse
from events.event import Event
from functions.aggregate.handler import make as make_aggregate
from functions.archive.handler import make as make_archive
from functions.commit.handler import make as make_commit
from functions.rebuild.rebuild import Rebuilt, rebuild
from lab.faults import Crash, Mishap, Plan, faulty
from lab.memory import MemoryClock, memory_ports
from shared.audience.stored import StateReader
from shared.audience.window import rolled_up
from shared.dead_letters import DeadLetters
from shared.errors import Unavailable
from shared.fan_out import set_fan_out
from shared.hashing import partition, viewer_hash
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE, Record, Reject
from tests.builders import KICK_OFF, delivered, event, packed, pseudonym

SETTINGS = Settings()
WINDOW = KICK_OFF // 5_000
LATE_MS = SETTINGS.horizon_seconds * 1_000 + 60_000


class Stage:
    """A day and a minute after kick-off; aggregate and archive around stores in memory, history in a folder."""

    def __init__(self, folder: Path) -> None:
        self.clock = MemoryClock(KICK_OFF)
        stores = memory_ports(self.clock)
        self.ports = replace(stores, history_uri=lambda: (str(folder), {}))
        self.ports = replace(self.ports, warehouse=lambda: DeltaWarehouse(self.ports.history_uri))
        self.letters = DeadLetters(self.ports, SETTINGS)

    def counted(self, *records: Record) -> None:
        assert list(make_aggregate(self.ports, SETTINGS)(records, NO_DEADLINE)) == [DONE] * len(records)

    def archived(self, *records: Record) -> None:
        assert list(make_archive(self.ports, SETTINGS)(records, NO_DEADLINE)) == [DONE] * len(records)
        make_commit(self.ports, SETTINGS)(NO_DEADLINE)

    def too_late(self, record: Record) -> str:
        """The record is delivered to aggregate a day later; its id."""
        self.clock.time_ms = KICK_OFF + LATE_MS
        (answer,) = make_aggregate(self.ports, SETTINGS)([record], NO_DEADLINE)
        assert isinstance(answer, Reject)
        self.letters.put(record, answer.reason, "aggregate")
        return record.record_id.hex()

    def rebuild(self, plan: Plan | None = None) -> Rebuilt:
        return rebuild(faulty(self.ports, plan) if plan else self.ports, SETTINGS)

    def events(self) -> int:
        states = StateReader(self.ports).between("match", WINDOW, WINDOW + 100)
        return sum(rolled_up(window, held).tally("counted") for window, held in states.items())


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def record(*offsets: int, **header: object) -> Record:
    events: list[Event] = [event(event_timestamp=KICK_OFF + offset, viewer_id=f"v{offset}") for offset in offsets]
    return delivered(packed(events, **header))


def test_a_record_that_was_never_counted_is_counted(stage: Stage) -> None:
    seen, missed = record(0, 1), record(2, 3, 7_000)
    stage.counted(seen)
    stage.archived(seen, missed)
    record_id = stage.too_late(missed)
    assert stage.rebuild() == Rebuilt(counted=[record_id])
    assert stage.events() == 5
    assert stage.letters.count() == 0
    assert stage.rebuild() == Rebuilt()


def test_a_record_that_was_counted_before_is_not_counted_again(stage: Stage) -> None:
    seen = record(0, 1, 7_000)
    stage.counted(seen)
    stage.archived(seen)
    record_id = stage.too_late(seen)
    assert stage.rebuild() == Rebuilt(known=[record_id])
    assert stage.events() == 3
    assert stage.letters.count() == 0


def test_it_makes_no_difference_that_its_marks_are_gone(stage: Stage) -> None:
    seen = record(0, 1)
    stage.counted(seen)
    record_id = stage.too_late(seen)
    newer = replace(record(2), first_appended_at=stage.clock.now_ms())
    stage.counted(newer)
    stage.archived(seen, newer)
    assert stage.rebuild() == Rebuilt(known=[record_id])
    assert stage.events() == 3


def test_several_records_of_a_window_are_counted_together(stage: Stage) -> None:
    one, two = record(0, 1), record(2, 7_000)
    stage.archived(one, two)
    ids = [stage.too_late(one), stage.too_late(two)]
    assert stage.rebuild() == Rebuilt(counted=sorted(ids))
    assert stage.events() == 4


def test_when_one_of_two_had_been_counted_nobody_can_tell(stage: Stage) -> None:
    one, two = record(0, 1), record(2)
    stage.counted(one)
    stage.archived(one, two)
    ids = {stage.too_late(one), stage.too_late(two)}
    assert stage.rebuild().unsure.keys() == ids
    assert stage.events() == 2
    assert stage.letters.count() == 2


def test_events_are_compared_in_the_partition_that_is_theirs(stage: Stage) -> None:
    set_fan_out(stage.ports.table("schedules"), "match", 2, KICK_OFF - 3_600_000)
    offsets = range(20)
    halves = [[each for each in offsets if _partition(f"v{each}") == k] for k in (0, 1)]
    seen, missed = (record(*half, k=k) for k, half in enumerate(halves))
    stage.counted(seen)
    stage.archived(seen, missed)
    assert stage.rebuild() == Rebuilt()
    record_id = stage.too_late(missed)
    assert stage.rebuild() == Rebuilt(counted=[record_id])
    assert stage.events() == 20


def test_while_commits_are_behind_nothing_is_decided(stage: Stage) -> None:
    missed = record(0)
    make_archive(stage.ports, SETTINGS)([missed], NO_DEADLINE)
    record_id = stage.too_late(missed)
    assert "try again" in stage.rebuild().unsure[record_id]
    assert stage.events() == 0


def test_before_the_record_is_archived_nothing_is_decided(stage: Stage) -> None:
    missed = record(0, 7_000)
    record_id = stage.too_late(missed)
    assert "try again" in stage.rebuild().unsure[record_id]
    stage.archived(missed)
    assert stage.rebuild() == Rebuilt(counted=[record_id])
    assert stage.events() == 2


def test_before_what_its_windows_have_just_taken_in_is_archived_nothing_is_decided(stage: Stage) -> None:
    missed = record(0)
    record_id = stage.too_late(missed)
    stage.archived(missed)
    newer = replace(record(1), first_appended_at=stage.clock.now_ms())
    stage.counted(newer)
    assert "try again" in stage.rebuild().unsure[record_id]
    stage.archived(newer)
    assert stage.rebuild() == Rebuilt(counted=[record_id])
    assert stage.events() == 2


def test_a_record_without_events_stays_where_it_is(stage: Stage) -> None:
    record_id = stage.too_late(delivered(packed([])))
    assert stage.rebuild().unsure.keys() == {record_id}


def test_a_letter_whose_bytes_are_gone_is_named(stage: Stage) -> None:
    record_id = stage.too_late(record(0))
    objects = stage.ports.objects("dead-letters")
    for name in list(objects.list()):
        objects.delete(name)
    assert "backup" in stage.rebuild().unsure[record_id]


def test_other_dead_letters_are_left_alone(stage: Stage) -> None:
    stage.letters.put(record(0), "unreadable: torn", "aggregate")
    assert stage.rebuild() == Rebuilt()
    assert stage.letters.count() == 1


@pytest.mark.parametrize("mishap", [Mishap.CRASH_BEFORE, Mishap.CRASH_AFTER, Mishap.LOSE_ANSWER])
def test_a_rebuild_that_is_cut_off_is_taken_up_again(tmp_path: Path, mishap: Mishap) -> None:
    for step in range(0, 40, 3):
        stage = Stage(tmp_path / str(step))
        seen, missed = record(0), record(1, 7_000)
        stage.counted(seen)
        stage.archived(seen, missed)
        stage.too_late(missed)
        with suppress(Crash, Unavailable):
            stage.rebuild(Plan([*[Mishap.NONE] * step, mishap]))
        stage.rebuild()
        assert stage.events() == 3, f"cut off at step {step}"
        assert stage.letters.count() == 0


def _partition(viewer: str) -> int:
    return partition(viewer_hash(pseudonym(viewer)), 2)
