"""Columns of many records side by side are those of each, one after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.batches import integers, octets, words
from events.columns import read, words_of
from events.event import Event
from events.record import Integers, Words, read_packed
from shared.errors import CorruptData
from tests.builders import KICK_OFF, event, packed

EVENTS = st.builds(
    event,
    event_timestamp=st.integers(KICK_OFF, KICK_OFF + 200_000),
    viewer_id=st.sampled_from("abcdefgh"),
    watched_ms=st.sampled_from((None, 0, 200, 70_000, 2**33)),
    bitrate_kbps=st.sampled_from((None, 5, 3_000)),
    device_type=st.sampled_from((None, "tv", "phone")),
)


def memory(*values: int) -> memoryview:
    return memoryview(bytes(values))


@given(st.lists(st.lists(EVENTS, min_size=1, max_size=6), max_size=5))
@settings(max_examples=50, deadline=None)
def test_joined_columns_are_those_of_each_record(bodies: list[list[Event]]) -> None:
    bytes_of = [packed(body).body for body in bodies]
    alone = [read(body) for body in bytes_of]
    told = [columns for body in bytes_of if (columns := read_packed(body)) is not None]
    n = np.array([columns.n for columns in told], dtype=np.int64)
    m = np.array([columns.m for columns in told], dtype=np.int64)
    for name in ("timestamp", "watched_ms", "bitrate_kbps"):
        joined = integers([getattr(columns, name) for columns in told], n)
        assert joined.tolist() == [value for columns in alone for value in getattr(columns, name).tolist()]
    names = [None, "tv", "phone"]
    devices = words([columns.device_type for columns in told], m, {name: code for code, name in enumerate(names)})
    expected = [word for columns in alone for word in words_of(columns.profiles.device_type)]
    assert [names[code] for code in devices.tolist()] == expected
    types = octets([columns.type for columns in told], n, np.uint8, 1)
    assert types.tolist() == [code for columns in alone for code in columns.type.tolist()]


def test_a_column_of_another_length_is_told() -> None:
    with pytest.raises(CorruptData, match="differ in length"):
        integers([Integers(0, 1, memory(1, 2))], np.array([3]))
    with pytest.raises(CorruptData, match="differ in length"):
        octets([memory(1, 2)], np.array([1]), np.uint8, 1)


def test_integers_of_a_strange_width_are_told() -> None:
    with pytest.raises(CorruptData, match=r"\[3\]"):
        integers([Integers(0, 3, memory(1, 2, 3))], np.array([1]))


def test_a_word_without_a_name_is_told() -> None:
    with pytest.raises(CorruptData, match="does not name"):
        words([Words(["tv"], 1, memory(0, 1))], np.array([2]), {"tv": 0})
