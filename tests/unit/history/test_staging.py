"""archive: a batch of records becomes one staged file that holds every event as it was told."""

import datetime as dt
from dataclasses import replace

import pyarrow as pa
import pytest

from events.event import Event
from functions.archive.handler import archive, make
from lab.faults import FaultyObjects, Mishap, Plan
from lab.memory import MemoryObjects, memory_ports
from shared.errors import CorruptData
from shared.health.meter import Meters
from shared.history.staged import read_staged, rows_of_name
from shared.history.staging import part_of, stage, staged_name
from shared.history.tables import STAGING
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE, Deadline, Record, Reject, Retry
from tests.builders import KICK_OFF, delivered, event, packed, pseudonym

METER = Meters()("archive")


def staged_rows(*records: Record) -> list[dict[str, object]]:
    parts = [part for record in records if (part := part_of(record))]
    return read_staged("batches/x", stage(parts)).to_pylist()


def record_of(*events: Event, **header: object) -> Record:
    return delivered(packed(events, **header))


def test_an_event_is_staged_with_all_that_was_told() -> None:
    told = event(
        "stall",
        event_id="e-1",
        position_seconds=12.5,
        watched_ms=4_000,
        quality_level="1080p",
        bitrate_kbps=4_500,
        device_type="tv",
        network_quality="good",
        country="NO",
        tier="plus",
        age_group="25-34",
        content_type="live",
        consent="analytics",
        stall_ms=300,
        extra={"team": "home"},
    )
    record = record_of(told, received_at=KICK_OFF + 70, source="web")
    (row,) = staged_rows(record)
    kick_off = dt.datetime.fromtimestamp(KICK_OFF / 1_000, dt.UTC)
    present = {name: value for name, value in row.items() if value is not None}
    assert present == {
        "event_id": "e-1",
        "viewer_id": pseudonym("ada").hex(),
        "content_id": "match",
        "session_id": pseudonym("ada-tv").hex(),
        "event_type": "stall",
        "event_timestamp": kick_off,
        "position_seconds": 12.5,
        "watched_ms": 4_000,
        "quality_level": "1080p",
        "bitrate_kbps": 4_500,
        "device_type": "tv",
        "network_quality": "good",
        "country": "NO",
        "tier": "plus",
        "age_group": "25-34",
        "consent": "analytics",
        "content_type": "live",
        "received_at": kick_off + dt.timedelta(milliseconds=70),
        "report_every_seconds": 10,
        "sample_weight": 1,
        "no_profile": False,
        "exact": True,
        "source": "web",
        "record_id": record.record_id.hex(),
        "stall_ms": 300,
        "extra": '{"team": "home"}',
        "first_appended_at": KICK_OFF,
    }


def test_what_was_not_told_is_null() -> None:
    (row,) = staged_rows(record_of(event("join")))
    assert row["watched_ms"] is None
    assert row["position_seconds"] is None
    assert row["country"] is None
    assert row["rating"] is None
    assert row["extra"] is None


def test_records_with_other_words_share_a_file() -> None:
    one = record_of(event(country="NO", viewer_id="ada"), event(country=None, viewer_id="bob"))
    two = record_of(event(country="SE", viewer_id="cyd", text="goal!"), content_id="film", content_type="vod")
    rows = staged_rows(one, two)
    assert [row["country"] for row in rows] == ["NO", None, "SE"]
    assert [row["viewer_id"] for row in rows] == [pseudonym(name).hex() for name in ("ada", "bob", "cyd")]
    assert [row["content_id"] for row in rows] == ["match", "match", "film"]
    assert [row["text"] for row in rows] == [None, None, "goal!"]
    assert [row["record_id"] for row in rows] == [one.record_id.hex()] * 2 + [two.record_id.hex()]


def test_only_what_may_be_sampled_is_weighted() -> None:
    rows = staged_rows(record_of(event("heartbeat"), event("join"), level=3))
    assert [row["sample_weight"] for row in rows] == [8, 1]


def test_the_interval_that_a_viewer_echoes_comes_before_the_usual_one() -> None:
    rows = staged_rows(record_of(event(report_every_seconds=30), event(viewer_id="bob"), report_every_seconds=20))
    assert [row["report_every_seconds"] for row in rows] == [30, 20]


def test_a_retry_overwrites_its_file_and_other_records_make_another() -> None:
    records = [record_of(event()), record_of(event())]
    parts = [part for record in records if (part := part_of(record))]
    assert staged_name(parts) == staged_name(parts[::-1])
    assert staged_name(parts) != staged_name(parts[:1])
    assert rows_of_name(staged_name(parts)) == 2


def test_a_file_that_an_older_release_staged_lacks_only_its_newer_columns() -> None:
    part = part_of(record_of(event("ad_start", ad_id="a-1", error_code="e-1")))
    assert part
    with pa.ipc.open_file(stage([part])) as reader:
        older = reader.read_all().drop_columns(["ad_id"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, older.schema) as writer:
        writer.write_table(older)
    (row,) = read_staged("batches/x", sink.getvalue().to_pybytes()).to_pylist()
    assert (row["ad_id"], row["error_code"]) == (None, "e-1")


def test_a_staged_file_that_was_cut_short_is_named() -> None:
    part = part_of(record_of(event()))
    assert part
    with pytest.raises(CorruptData, match="batches/x"):
        read_staged("batches/x", stage([part])[:-20])


def test_a_batch_is_done_once_its_file_is_there() -> None:
    objects = MemoryObjects()
    assert archive(objects, METER, [record_of(event()), record_of(event())], NO_DEADLINE) == [DONE, DONE]
    (name,) = objects.list()
    assert read_staged(name, objects.get(name) or b"").num_rows == 2


def test_a_record_that_is_delivered_twice_in_a_batch_is_staged_once() -> None:
    objects = MemoryObjects()
    record = record_of(event())
    assert archive(objects, METER, [record, record], NO_DEADLINE) == [DONE, DONE]
    (name,) = objects.list()
    assert read_staged(name, objects.get(name) or b"").num_rows == 1


def test_a_record_of_tallies_only_needs_no_file() -> None:
    objects = MemoryObjects()
    assert archive(objects, METER, [delivered(packed([]))], NO_DEADLINE) == [DONE]
    assert not list(objects.list())


@pytest.mark.parametrize("length", [0, 20, 100, -9])
def test_a_corrupt_record_is_rejected_and_its_neighbours_are_kept(length: int) -> None:
    objects = MemoryObjects()
    good, bad = record_of(event()), record_of(event())
    answers = archive(objects, METER, [good, replace(bad, body=bad.body[:length]), good], NO_DEADLINE)
    assert answers[0] == answers[2] == DONE
    assert isinstance(answers[1], Reject)
    assert answers[1].reason


def test_a_field_of_a_wrong_type_rejects_its_record_alone() -> None:
    objects = MemoryObjects()
    answers = archive(objects, METER, [record_of(event(stall_ms="long")), record_of(event())], NO_DEADLINE)
    assert isinstance(answers[0], Reject)
    assert answers[1] == DONE


def test_nothing_is_done_when_the_file_could_not_be_written() -> None:
    objects = FaultyObjects(MemoryObjects(), Plan([Mishap.FAIL]))
    answers = archive(objects, METER, [record_of(event()), delivered(packed([]))], NO_DEADLINE)
    assert isinstance(answers[0], Retry)
    assert "try again" in answers[0].reason
    assert answers[1] == DONE


def test_what_the_deadline_leaves_no_time_for_is_handed_back() -> None:
    objects = MemoryObjects()
    times = iter([5_000, 500])
    answers = archive(objects, METER, [record_of(event()), record_of(event())], Deadline(lambda: next(times)))
    assert answers == [DONE, None]
    (name,) = objects.list()
    assert rows_of_name(name) == 1


def test_the_function_stages_through_its_ports() -> None:
    ports = memory_ports()
    assert make(ports, Settings())([record_of(event())], NO_DEADLINE) == [DONE]
    assert len(list(ports.objects(STAGING).list())) == 1
