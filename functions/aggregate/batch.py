"""Many records side by side: their columns joined, and which window of which content each event falls into."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from events.columns import Columns, Vocabulary
from events.event import ENGAGEMENT_TYPES, EVENT_TYPES, TYPE_CODE
from shared.audience.distinct import known_by
from shared.audience.keys import WINDOW_MS
from shared.audience.splits import DIMENSIONS, Value, named, rank
from shared.errors import CorruptData
from shared.hashing_np import Hashes

PROFILE_DIMENSIONS: Final = DIMENSIONS[:5]
QUALITY: Final = DIMENSIONS.index("quality_level")
PLAYER_STATE: Final = DIMENSIONS.index("player_state")
ENGAGEMENT: Final = DIMENSIONS.index("engagement")
MEASURES: Final = ("stall_ms", "startup_ms", "buffer_ms", "throughput_kbps")
NO_VALUE: Final = -1

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Place:
    """One state: a window of a content's partition k."""

    content_id: str
    k: int
    window: int


@dataclass(slots=True)
class Batch:
    """Records' columns, joined. A touch is a (record, place) pair: the events of one record in one window."""

    records: Sequence[Columns]
    places: list[Place]
    """In order of content, k and window."""
    touch_record: Ints
    touch_place: Ints
    tally_place: Ints
    """For each record the place where its tallies are counted."""

    # one entry an event
    record: Ints
    touch: Ints
    type: NDArray[np.uint8]
    offset_ms: NDArray[np.uint32]
    """In the event's window."""
    profile: Ints
    """Into the columns below; a profile is of one record."""
    watched_ms: Ints
    bitrate_kbps: Ints
    quality: NDArray[np.intp]
    """Into `values`, or NO_VALUE."""
    remark_event: Ints
    """Events with a value of PLAYER_STATE or ENGAGEMENT, and that value's code."""
    remark: NDArray[np.intp]
    sparse: dict[str, tuple[Ints, Ints]]
    """The measures that few events carry, of MEASURES: (events, values)."""

    # one entry a profile
    profile_record: Ints
    viewer: Hashes
    """Their sampling hashes, by which the audience knows viewers."""
    interval: NDArray[np.uint32]
    """In s, as sent; 0 where the sender did not say."""
    traits: NDArray[np.intp]
    """[profiles, 5]: PROFILE_DIMENSIONS, into `values`, or NO_VALUE."""

    values: list[Value]
    """In order of `splits.rank`."""


def check(columns: Columns) -> None:
    """Raises CorruptData when columns do not fit each other: bytes that were not packed by us."""
    n, m = columns.n, columns.profiles.m
    per_event = (
        columns.profile,
        columns.type,
        columns.timestamp,
        columns.watched_ms,
        columns.bitrate_kbps,
        columns.quality.codes,
    )
    profiles = columns.profiles
    per_profile = (
        profiles.viewer_hash,
        profiles.report_every_seconds,
        *(getattr(profiles, name).codes for name in PROFILE_DIMENSIONS),
    )
    if any(len(column) != n for column in per_event) or any(len(column) != m for column in per_profile):
        raise CorruptData("a stream record's columns differ in length")


def join(records: Sequence[Columns]) -> Batch:
    """One batch of records that passed `check`. Raises CorruptData when a code points nowhere."""
    events = np.array([columns.n for columns in records], dtype=np.int64)
    profiles = np.array([columns.profiles.m for columns in records], dtype=np.int64)
    record = np.repeat(np.arange(len(records)), events)
    first_profile = np.cumsum(profiles) - profiles
    profile = _joined([columns.profile for columns in records]) + first_profile[record]
    type_ = _joined([columns.type for columns in records], np.uint8)
    if np.any(profile >= (first_profile + profiles)[record]) or np.any(type_ >= len(EVENT_TYPES)):
        raise CorruptData("a stream record names a profile or an event type that is not there")
    vocabulary = _Vocabulary()
    traits = [
        [vocabulary.codes(place, getattr(columns.profiles, name)) for columns in records]
        for place, name in enumerate(PROFILE_DIMENSIONS)
    ]
    timestamp = _joined([columns.timestamp for columns in records])
    window = timestamp // WINDOW_MS
    quality = _joined([vocabulary.codes(QUALITY, columns.quality) for columns in records], np.intp)
    grid = _grid(records, record, window)
    first_event = np.cumsum(events) - events
    engagement_codes = np.full(len(EVENT_TYPES), NO_VALUE, dtype=np.intp)
    present = np.bincount(type_, minlength=len(EVENT_TYPES))
    for name in ENGAGEMENT_TYPES:
        if present[TYPE_CODE[name]]:
            engagement_codes[TYPE_CODE[name]] = vocabulary.code(ENGAGEMENT, name)
    engaged = np.flatnonzero(engagement_codes[type_] != NO_VALUE)
    stated, words = _told(records, first_event, "player_state")
    states = np.array([vocabulary.code(PLAYER_STATE, str(word)) for word in words], dtype=np.intp)
    values, ranked = vocabulary.ranked()
    return Batch(
        records=records,
        places=grid.places,
        touch_record=grid.touch_record,
        touch_place=grid.touch_place,
        tally_place=grid.tally_place,
        record=record,
        touch=grid.touch,
        type=type_,
        offset_ms=(timestamp - window * WINDOW_MS).astype(np.uint32),
        profile=profile,
        watched_ms=_joined([columns.watched_ms for columns in records]),
        bitrate_kbps=_joined([columns.bitrate_kbps for columns in records]),
        quality=ranked[quality],
        remark_event=np.concatenate((engaged, stated)),
        remark=ranked[np.concatenate((engagement_codes[type_[engaged]], states))],
        sparse={name: _sparse(records, first_event, name) for name in MEASURES},
        profile_record=np.repeat(np.arange(len(records)), profiles),
        viewer=known_by(_joined([columns.profiles.viewer_hash for columns in records], np.uint64)),
        interval=_joined([columns.profiles.report_every_seconds for columns in records], np.uint32),
        traits=ranked[np.stack([_joined(codes, np.intp) for codes in traits], axis=1)],
        values=values,
    )


@dataclass(slots=True)
class _Grid:
    places: list[Place]
    touch_record: Ints
    touch_place: Ints
    tally_place: Ints
    touch: Ints


def _grid(records: Sequence[Columns], record: Ints, window: Ints) -> _Grid:
    """Places and touches, from runs of events of one record in one window: few, where a body is in order."""
    partitions = {key: place for place, key in enumerate(sorted({_partition(columns) for columns in records}))}
    partition = np.array([partitions[_partition(columns)] for columns in records], dtype=np.int64)
    tally_window = np.array([columns.header.tally_window for columns in records], dtype=np.int64)
    starts = np.ones(len(window), dtype=np.bool_)
    if len(window):
        starts[1:] = (window[1:] != window[:-1]) | (record[1:] != record[:-1])
    heads = np.flatnonzero(starts)
    run_record = np.concatenate((record[heads], np.arange(len(records))))
    run_window = np.concatenate((window[heads], tally_window))
    earliest = int(run_window.min())
    span = int(run_window.max()) - earliest + 1
    keys, run_place = np.unique(partition[run_record] * span + (run_window - earliest), return_inverse=True)
    touches, run_touch = np.unique(run_record * len(keys) + run_place, return_inverse=True)
    names = list(partitions)
    lengths = np.diff(np.append(heads, len(window)))
    return _Grid(
        places=[_place(names[key // span], key % span + earliest) for key in keys.tolist()],
        touch_record=touches // len(keys),
        touch_place=touches % len(keys),
        tally_place=run_place[len(heads) :],
        touch=np.repeat(run_touch[: len(heads)], lengths),
    )


def _place(partition: tuple[str, int], window: int) -> Place:
    return Place(*partition, window)


def _told(records: Sequence[Columns], first_event: Ints, name: str) -> tuple[Ints, list[Any]]:
    """The events that carry a sparse field, and its values."""
    events: list[Ints] = [np.empty(0, dtype=np.int64)]
    values: list[Any] = []
    for columns, first in zip(records, first_event.tolist(), strict=True):
        if name in columns.sparse:
            where, told = columns.sparse[name]
            events.append(where + first)
            values += told
    return np.concatenate(events), values


def _sparse(records: Sequence[Columns], first_event: Ints, name: str) -> tuple[Ints, Ints]:
    events, values = _told(records, first_event, name)
    return events, np.array(values, dtype=np.int64)


def _partition(columns: Columns) -> tuple[str, int]:
    return columns.header.content_id, columns.header.k


def _joined(columns: Sequence[NDArray[Any]], dtype: type[np.generic] = np.int64) -> NDArray[Any]:
    return np.concatenate(columns, dtype=dtype, casting="unsafe") if columns else np.empty(0, dtype=dtype)


class _Vocabulary:
    """Words of every record under one numbering."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self._places: dict[Value, int] = {}
        self._codes: dict[tuple[int, str | None], int] = {}

    def codes(self, dimension: int, words: Vocabulary) -> NDArray[np.intp]:
        """Each entry's code in `values`."""
        try:
            codes = [self._codes[dimension, name] for name in words.names]
        except KeyError:
            codes = [self.code(dimension, name) for name in words.names]
        if len(codes) == 1:
            return np.full(len(words.codes), codes[0], dtype=np.intp)
        numbered: NDArray[np.intp] = np.array(codes, dtype=np.intp)[words.codes]
        return numbered

    def code(self, dimension: int, name: str | None) -> int:
        """One word's code: NO_VALUE for an absent or empty one."""
        code = self._codes.get((dimension, name))
        if code is None:
            code = self._place(named(dimension, name)) if name else NO_VALUE
            self._codes[dimension, name] = code
        return code

    def ranked(self) -> tuple[list[Value], NDArray[np.intp]]:
        """The values in order of `rank`, and by code each one's place there; NO_VALUE's is NO_VALUE."""
        order = sorted(range(len(self.values)), key=lambda code: rank(self.values[code]))
        places = np.full(len(order) + 1, NO_VALUE, dtype=np.intp)
        places[order] = np.arange(len(order))
        return [self.values[code] for code in order], places

    def _place(self, value: Value) -> int:
        place = self._places.setdefault(value, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place
