"""What aggregate answers, and what it leaves behind."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from events.record import Integers
from functions.aggregate import batch, handler
from lab.faults import Mishap, Plan, faulty
from lab.memory import MemoryClock
from shared.audience.codec import decode
from shared.audience.dirty import DIRTY_TABLE, partitions, read_dirty
from shared.audience.keys import (
    AUDIENCE_TABLE,
    CONTENTS_TABLE,
    MARKS_TABLE,
    active_partition,
    marks_page_key,
    state_key,
)
from shared.audience.marks import PAGE_RECEPTIONS
from shared.errors import CorruptData, Throttled, VersionConflict
from shared.ports import Ports, Table, query_all
from shared.stream import DONE, NO_DEADLINE, Answer, Deadline, Record, Reject, Retry
from shared.units import HOUR_MS
from tests.builders import KICK_OFF, delivered, event, packed
from tests.unit.aggregate.world import SETTINGS, aggregate, completeness, handed, ports_at_kick_off, stored

WINDOW = KICK_OFF // 5_000
MINUTE = KICK_OFF // 60_000


class Passing:
    """A table that passes every call on."""

    def __init__(self, inner: Table) -> None:
        self.inner = inner
        self.get, self.batch_get = inner.get, inner.batch_get
        self.delete, self.query = inner.delete, inner.query

    def put(self, partition: str, sort: str, value: bytes, **options: Any) -> str:
        return self.inner.put(partition, sort, value, **options)


class Refusing(Passing):
    """A table that takes nothing."""

    def put(self, partition: str, sort: str, value: bytes, **options: Any) -> str:
        raise Throttled("slow down")


def with_audience_table(ports: Ports, kind: Callable[[Table], Table]) -> Ports:
    def table(name: str) -> Table:
        return kind(ports.table(name)) if name == AUDIENCE_TABLE else ports.table(name)

    return replace(ports, table=table)


def beat(number: int = 1, **fields: Any) -> Record:
    return delivered(packed([event(**fields)], record_id=number.to_bytes(16, "big")))


def dirty(ports: Ports) -> set[tuple[str, int]]:
    table = ports.table(DIRTY_TABLE)
    items = [item for partition in partitions() for item in query_all(table, partition)]
    return {(mark.content_id, mark.number) for mark in (read_dirty(item.value) for item in items)}


def test_a_record_is_done_when_its_state_is_written() -> None:
    ports = ports_at_kick_off()
    assert handed(ports, [beat()]) == [DONE]
    assert stored(ports, "match", [WINDOW])[WINDOW].viewers() == (1, 0)


def test_an_empty_batch_is_no_work() -> None:
    assert handed(ports_at_kick_off(), []) == []


def test_a_record_without_events_brings_its_tallies() -> None:
    ports = ports_at_kick_off()
    late = packed([], received=3, rejected={"late": 2, "type": 1}, tally_window=WINDOW)
    assert handed(ports, [delivered(late)]) == [DONE]
    (state,) = stored(ports, "", [WINDOW]).values()
    assert state.rejected == {"late": 2, "type": 1}
    assert completeness([state]) == {"received": 3, "sampled_out": 0, "duplicate": 0, "counted": 0, "rejected": 3}
    assert list(query_all(ports.table(CONTENTS_TABLE), active_partition(KICK_OFF // HOUR_MS))) == []


def test_bytes_that_are_no_record_are_rejected_and_their_neighbours_counted() -> None:
    ports = ports_at_kick_off()
    sound = beat()
    cut = replace(sound, body=sound.body[:-5])
    alien = replace(sound, body=b"{}")
    answers = handed(ports, [cut, sound, alien])
    assert [type(answer) for answer in answers] == [Reject, type(DONE), Reject]
    assert all(answer.reason.startswith("unreadable: ") for answer in answers if isinstance(answer, Reject))


def test_columns_that_do_not_fit_are_rejected_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = ports_at_kick_off()
    strange = beat(2, viewer_id="bob")

    def choosy(records: Sequence[batch.Unpacked]) -> batch.Batch:
        if any(unpacked.header.record_id == strange.record_id for unpacked in records):
            raise CorruptData("a stream record names a profile that is not there")
        return batch.join(records)

    monkeypatch.setattr(handler, "join", choosy)
    answers = handed(ports, [beat(1), strange, beat(3)])
    assert answers == [DONE, Reject("unreadable: a stream record names a profile that is not there"), DONE]
    assert stored(ports, "match", [WINDOW])[WINDOW].tally("counted") == 2


def test_a_record_older_than_the_horizon_is_rejected() -> None:
    ports = ports_at_kick_off()
    horizon_ms = SETTINGS.horizon_seconds * 1_000
    now = ports.clock.now_ms()
    old, young = (replace(beat(n), first_appended_at=now - horizon_ms - 1 + n) for n in (0, 1))
    assert handed(ports, [old, young]) == [Reject("beyond_horizon"), DONE]


def test_what_fails_is_retried_and_the_rest_is_done() -> None:
    ports = ports_at_kick_off()

    class Sore(Passing):
        def put(self, partition: str, sort: str, value: bytes, **options: Any) -> str:
            if partition.startswith("sore#"):
                raise Throttled("slow down")
            return self.inner.put(partition, sort, value, **options)

    sore = with_audience_table(ports, Sore)
    assert handed(sore, [beat(1, content_id="sore"), beat(2)]) == [Retry("slow down"), DONE]
    assert handed(ports, [beat(1, content_id="sore")]) == [DONE]


def test_a_store_that_cannot_be_read_leaves_all_for_later() -> None:
    ports = ports_at_kick_off()
    answers = handed(faulty(ports, Plan([Mishap.FAIL])), [beat(1), beat(2)])
    assert all(isinstance(answer, Retry) for answer in answers)
    assert stored(ports, "match", [WINDOW]) == {}


def test_near_the_deadline_the_rest_is_handed_back() -> None:
    ports = ports_at_kick_off()
    answers = aggregate(ports)([beat()], Deadline(lambda: 500))
    assert answers == [None]
    left = iter((5_000, 500, 500))
    records = [beat(1), beat(2, content_id="other")]
    answers = aggregate(ports)(records, Deadline(lambda: next(left)))
    assert answers == [Retry("the deadline is near")] * 2


def test_a_corrupt_state_sends_its_records_to_the_dead_letters() -> None:
    ports = ports_at_kick_off()
    key = state_key("match", 0, WINDOW)
    ports.table(AUDIENCE_TABLE).put(*key, b"GA\x01 what a disk made of it")
    sound = beat(2, content_id="other")
    rejected, done = handed(ports, [beat(1), sound])
    assert isinstance(rejected, Reject)
    assert rejected.reason.startswith("state unreadable: ")
    assert done == DONE


def test_a_record_that_waits_for_one_state_is_not_given_up_for_another_that_is_corrupt() -> None:
    ports = ports_at_kick_off()
    ports.table(AUDIENCE_TABLE).put(*state_key("match", 0, WINDOW + 1), b"GA\x01 what a disk made of it")
    record = delivered(packed([event(), event(event_timestamp=KICK_OFF + 5_000)]))
    assert handed(with_audience_table(ports, Refusing), [record]) == [Retry("slow down")]
    (answer,) = handed(ports, [record])
    assert isinstance(answer, Reject)
    assert stored(ports, "match", [WINDOW])[WINDOW].tally("received") == 2


def test_a_conflict_without_end_is_handed_back() -> None:
    ports = ports_at_kick_off()

    class Contended(Passing):
        def put(self, partition: str, sort: str, value: bytes, **options: Any) -> str:
            raise VersionConflict("somebody was quicker")

    contended = with_audience_table(ports, Contended)
    (answer,) = handed(contended, [beat()])
    assert isinstance(answer, Retry)


def test_minutes_are_dirty_whose_concurrency_looks_back_into_the_window() -> None:
    ports = ports_at_kick_off()
    handed(ports, [beat(1, event_timestamp=KICK_OFF)])
    assert dirty(ports) == {("match", MINUTE)}
    handed(ports, [beat(2, event_timestamp=KICK_OFF + 50_000)])
    assert dirty(ports) == {("match", MINUTE), ("match", MINUTE + 1)}
    handed(ports, [beat(3, content_id="slow", event_timestamp=KICK_OFF + 35_000, report_every_seconds=60)])
    assert {number for content, number in dirty(ports) if content == "slow"} == {MINUTE, MINUTE + 1, MINUTE + 2}


def test_a_content_is_named_among_those_of_the_hour() -> None:
    ports = ports_at_kick_off()
    handed(ports, [beat(1, content_id="a"), beat(2, content_id="b#|/\n", content_type="live")])
    active = ports.table(CONTENTS_TABLE)
    sorts = [item.sort for item in query_all(active, active_partition(KICK_OFF // HOUR_MS))]
    assert sorts == ["a", "b#|/\n"]
    one = aggregate(ports)
    one([beat(3, content_id="a")], NO_DEADLINE)
    one([beat(4, content_id="a", content_type="vod")], NO_DEADLINE)
    item = active.get(active_partition(KICK_OFF // HOUR_MS), "a")
    assert item is not None
    assert b"vod" in item.value


def test_states_expire_after_the_last_possible_redelivery() -> None:
    ports = ports_at_kick_off()
    handed(ports, [beat()])
    item = ports.table(AUDIENCE_TABLE).get(*state_key("match", 0, WINDOW))
    assert item is not None
    assert item.expires_at == KICK_OFF + 5_000 + SETTINGS.state_days * 24 * 3_600_000


def test_partitions_of_a_content_have_states_of_their_own() -> None:
    ports = ports_at_kick_off()
    records = [
        delivered(packed([event(viewer_id=name)], k=k, record_id=bytes([k]) * 16)) for k, name in enumerate("ab")
    ]
    handed(ports, records)
    assert stored(ports, "match", [WINDOW], partitions=1)[WINDOW].viewers().value == 1
    assert stored(ports, "match", [WINDOW], partitions=2)[WINDOW].viewers().value == 2


def test_many_marks_move_to_pages_and_still_count() -> None:
    ports = ports_at_kick_off()
    records = [beat(number) for number in range(2 * PAGE_RECEPTIONS + 10)]
    warm = aggregate(ports)
    for start in range(0, len(records), 400):
        warm(records[start : start + 400], NO_DEADLINE)
    assert ports.table(MARKS_TABLE).get(*marks_page_key("match", 0, WINDOW, 0)) is not None
    for again in (warm, aggregate(ports)):
        answers: Sequence[Answer | None] = again(records, NO_DEADLINE)
        assert set(answers) == {DONE}
    assert stored(ports, "match", [WINDOW])[WINDOW].tally("counted") == len(records)


def test_a_lost_page_of_marks_is_no_reason_to_count_twice() -> None:
    ports = ports_at_kick_off()
    records = [beat(number) for number in range(PAGE_RECEPTIONS + 10)]
    one = aggregate(ports)
    one(records, NO_DEADLINE)
    one([beat(5_000)], NO_DEADLINE)
    ports.table(MARKS_TABLE).delete(*marks_page_key("match", 0, WINDOW, 0))
    (answer,) = handed(ports, [records[0]])
    assert isinstance(answer, Reject)


def test_marks_are_pruned_when_they_can_no_longer_matter() -> None:
    ports = ports_at_kick_off()
    assert isinstance(ports.clock, MemoryClock)
    handed(ports, [beat(1)])
    ports.clock.advance(SETTINGS.horizon_seconds * 1_000 + 120_000)
    handed(ports, [replace(beat(2), first_appended_at=ports.clock.now_ms())])
    item = ports.table(AUDIENCE_TABLE).get(*state_key("match", 0, WINDOW))
    assert item is not None
    assert list(decode(item.value).marks.entries) == [(2).to_bytes(16, "big")]


def test_many_values_in_many_states_are_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "MAX_CELLS", 500)
    ports = ports_at_kick_off()
    records = [beat(number, content_id=f"c{number}", device_type=f"d{number}") for number in range(20)]
    assert set(handed(ports, records)) == {DONE}
    assert all(stored(ports, f"c{number}", [WINDOW])[WINDOW].viewers().value == 1 for number in range(20))


def test_a_warm_state_that_another_instance_overtook_is_read_again() -> None:
    ports = ports_at_kick_off()
    one, other = aggregate(ports), aggregate(ports)
    for number, instance in enumerate((one, other, one, other)):
        assert instance([beat(number, viewer_id=str(number))], NO_DEADLINE) == [DONE]
    assert stored(ports, "match", [WINDOW])[WINDOW].viewers().value == 4


def test_a_profile_an_event_or_a_type_that_is_not_there_is_rejected() -> None:
    ports = ports_at_kick_off()
    sound = packed([event(), event(viewer_id="bob"), event("stall", stall_ms=200)])
    header, columns = batch.unpack(sound.body)
    assert columns is not None
    for broken in (
        structs.replace(columns, m=1, viewer=columns.viewer[:16]),
        structs.replace(columns, type=memoryview(bytes([0, 1, 200]))),
        structs.replace(columns, sparse={"stall_ms": (Integers(9, 0, memoryview(b"")), [200])}),
        structs.replace(columns, sparse={"stall_ms": (Integers(2, 0, memoryview(b"")), ["long"])}),
        structs.replace(columns, sparse={"stall_ms": (Integers(2, 0, memoryview(b"")), [2**63])}),
    ):
        with pytest.raises((CorruptData, ValueError, OverflowError)):
            batch.join([batch.Unpacked(header, broken)])
    assert handed(ports, [delivered(sound)]) == [DONE]


def test_a_page_that_cannot_be_written_leaves_its_records_for_later() -> None:
    ports = ports_at_kick_off()
    one = aggregate(ports)
    one([beat(number) for number in range(PAGE_RECEPTIONS)], NO_DEADLINE)

    def table(name: str) -> Table:
        return Refusing(ports.table(name)) if name == MARKS_TABLE else ports.table(name)

    (answer,) = handed(replace(ports, table=table), [beat(9_000)])
    assert isinstance(answer, Retry)
    assert handed(ports, [beat(9_000)]) == [DONE]
    assert stored(ports, "match", [WINDOW])[WINDOW].tally("counted") == PAGE_RECEPTIONS + 1
