"""A record says exactly what was packed into it."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.columns import read, words_of
from events.event import EVENT_TYPES, Event
from events.record import MAX_EVENTS, pack, read_header
from shared.errors import CorruptData
from shared.hashing import viewer_hash
from tests.builders import KICK_OFF, delivered, event, packed, profile_of, rows_of

words = st.none() | st.text(max_size=6)
events = st.lists(
    st.builds(
        Event,
        event_type=st.sampled_from(EVENT_TYPES),
        event_timestamp=st.integers(KICK_OFF - 10**10, KICK_OFF + 10**10),
        content_id=st.just("match"),
        viewer_id=st.sampled_from(["ada", "bob", "eve"]),
        session_id=words,
        event_id=words,
        position_seconds=st.none() | st.floats(0, 1e6),
        watched_ms=st.none() | st.integers(0, 2**40),
        quality_level=words,
        bitrate_kbps=st.none() | st.integers(0, 2**31),
        device_type=words,
        country=words,
        tier=words,
        age_group=words,
        network_quality=words,
        consent=st.sampled_from([None, "none", "analytics", "personalisation"]),
        child=st.none() | st.booleans(),
        report_every_seconds=st.none() | st.integers(1, 60),
        stall_ms=st.none() | st.integers(0, 2**40),
        rating=st.none() | st.floats(0, 5),
        extra=st.none() | st.dictionaries(st.text(max_size=3), st.integers(0, 9)),
    ),
    min_size=1,
    max_size=30,
)


def absent_as(value: Any, stand_in: Any) -> Any:
    return stand_in if value is None else value


@given(events)
@settings(max_examples=60, deadline=None)
def test_every_column_reads_as_it_was_packed(told: list[Event]) -> None:
    columns = read(packed(told).body)
    profiles = columns.profiles
    stored = [profile_of(each) for each in told]
    rows = columns.profile
    assert columns.n == len(told)
    assert columns.type.tolist() == [EVENT_TYPES.index(each.event_type) for each in told]
    assert columns.timestamp.tolist() == [each.event_timestamp for each in told]
    assert columns.watched_ms.tolist() == [absent_as(each.watched_ms, -1) for each in told]
    assert columns.bitrate_kbps.tolist() == [absent_as(each.bitrate_kbps, -1) for each in told]
    assert words_of(columns.quality) == [each.quality_level for each in told]
    positions = [absent_as(each.position_seconds, math.nan) for each in told]
    np.testing.assert_array_equal(columns.position_seconds, positions)
    assert [row.tobytes() for row in profiles.viewer[rows]] == [profile.viewer for profile in stored]
    assert [row.tobytes() for row in profiles.session[rows]] == [profile.session for profile in stored]
    assert profiles.viewer_hash[rows].tolist() == [viewer_hash(profile.viewer) for profile in stored]
    assert profiles.no_profile[rows].tolist() == [profile.no_profile for profile in stored]
    assert profiles.report_every_seconds[rows].tolist() == [profile.report_every_seconds for profile in stored]
    assert profiles.key[rows].tolist() == [0] * len(told)
    for name in ("device_type", "country", "tier", "age_group", "network_quality", "consent"):
        told_words = words_of(getattr(profiles, name))
        assert [told_words[row] for row in rows.tolist()] == [getattr(each, name) for each in told]
    for name in ("stall_ms", "rating", "extra"):
        where, values = columns.sparse.get(name, (np.empty(0), []))
        carried = [(row, getattr(each, name)) for row, each in enumerate(told) if getattr(each, name) is not None]
        assert list(zip(where.tolist(), values, strict=True)) == carried


@given(events)
@settings(max_examples=20, deadline=None)
def test_an_event_keeps_its_id_and_gets_a_lasting_one_when_it_has_none(told: list[Event]) -> None:
    record = packed(told)
    made = [f"{record.record_id.hex()}-{row}" for row in range(len(told))]
    expected = [absent_as(each.event_id, made[row]) for row, each in enumerate(told)]
    assert read(record.body).event_id == expected
    assert read(packed(told, record_id=record.record_id).body).event_id == expected


def test_many_profiles_and_words_take_wider_codes() -> None:
    told = [event(viewer_id=f"viewer-{i}", quality_level=f"q{i}", device_type=f"d{i}") for i in range(700)]
    columns = read(packed(told).body)
    assert columns.profiles.m == 700
    assert columns.profile.tolist() == list(range(700))
    assert words_of(columns.quality) == [f"q{i}" for i in range(700)]


def test_the_header_travels_whole_and_is_read_without_the_columns() -> None:
    record = packed([event()], k=3, level=6, rejected={"late": 2}, received=3, sampled_out=1, content_type="live")
    header = read_header(record.body[:-5])
    assert (header.content_id, header.content_type, header.k, header.level) == ("match", "live", 3, 6)
    assert (header.received, header.sampled_out, header.rejected) == (3, 1, {"late": 2})
    assert header.record_id == record.record_id == delivered(record).record_id


def test_a_record_of_tallies_alone_has_no_events() -> None:
    columns = read(packed([], rejected={"unknown_type": 4}, received=4).body)
    assert (columns.n, columns.profiles.m, columns.sparse, columns.event_id) == (0, 0, {}, [])
    assert columns.header.rejected == {"unknown_type": 4}
    for name in ("profile", "type", "timestamp", "watched_ms", "bitrate_kbps", "position_seconds"):
        assert getattr(columns, name).size == 0
    for name in ("viewer", "session", "viewer_hash", "report_every_seconds", "no_profile", "key"):
        assert getattr(columns.profiles, name).size == 0
    for name in ("device_type", "country", "tier", "age_group", "network_quality", "consent"):
        assert words_of(getattr(columns.profiles, name)) == []
    assert words_of(columns.quality) == []


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "empty", "header"])
def test_damaged_bytes_are_called_corrupt(damage: str) -> None:
    body = packed([event(event_id=f"e{i}") for i in range(9)]).body
    damaged = {
        "cut": body[:-4],
        "flipped": body[:-9] + bytes([body[-9] ^ 0xFF]) + body[-8:],
        "foreign": b'{"not": "a record"}',
        "empty": b"",
        "header": body[:7] + b"\xc1" + body[8:],
    }[damage]
    with pytest.raises(CorruptData, match="stream record"):
        read(damaged)


def test_a_record_refuses_more_events_than_it_can_number() -> None:
    rows = rows_of([event()])
    rows.timestamp = [KICK_OFF] * (MAX_EVENTS + 1)
    with pytest.raises(ValueError, match="at most"):
        pack(read_header(packed([event()]).body), rows)
