"""Many records side by side: their columns joined, and which window of which content each event falls into."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.batches import Ints, integers, octets, words
from events.event import ENGAGEMENT_TYPES, EVENT_TYPES, TYPE_CODE
from events.record import Packed, RecordHeader, read_header, read_packed
from shared.audience.distinct import known_by
from shared.audience.splits import DIMENSIONS, Value, named, rank
from shared.errors import CorruptData
from shared.hashing_np import Hashes
from shared.units import WINDOW_MS

PROFILE_DIMENSIONS: Final = DIMENSIONS[:5]
QUALITY: Final = DIMENSIONS.index("quality_level")
PLAYER_STATE: Final = DIMENSIONS.index("player_state")
ENGAGEMENT: Final = DIMENSIONS.index("engagement")
MEASURES: Final = ("stall_ms", "startup_ms", "buffer_ms", "throughput_kbps")
NO_VALUE: Final = -1


@dataclass(frozen=True, slots=True)
class Place:
    """One state: a window of a content's partition k."""

    content_id: str
    k: int
    window: int


@dataclass(slots=True)
class Batch:
    """Records' columns, joined. A touch is a (record, place) pair: the events of one record in one window."""

    headers: Sequence[RecordHeader]
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
    interval: Ints
    """In s, as sent; 0 where the sender did not say."""
    traits: NDArray[np.intp]
    """[profiles, 5]: PROFILE_DIMENSIONS, into `values`, or NO_VALUE."""

    values: list[Value]
    """In order of `splits.rank`."""


class Unpacked(NamedTuple):
    """A record as it came; `columns` is None when it tells tallies only."""

    header: RecordHeader
    columns: Packed | None


def unpack(body: bytes) -> Unpacked:
    """The record's header and columns. Raises CorruptData."""
    return Unpacked(read_header(body), read_packed(body))


def join(records: Sequence[Unpacked]) -> Batch:
    """One batch of records. Raises CorruptData when the columns of one do not fit each other."""
    headers = [record.header for record in records]
    told = [record.columns for record in records if record.columns is not None]
    n = np.array([columns.n for columns in told], dtype=np.int64)
    m = np.array([columns.m for columns in told], dtype=np.int64)
    which = np.array([index for index, record in enumerate(records) if record.columns is not None], dtype=np.int64)
    profile = integers([columns.profile for columns in told], n)
    type_ = octets([columns.type for columns in told], n, np.uint8, 1)
    if np.any(profile >= np.repeat(m, n)) or np.any(profile < 0) or np.any(type_ >= len(EVENT_TYPES)):
        raise CorruptData("a stream record names a profile or an event type that is not there")
    profile += np.repeat(np.cumsum(m) - m, n)
    vocabulary = _Vocabulary()
    traits = [
        words([getattr(columns, name) for columns in told], m, vocabulary.codes(place))
        for place, name in enumerate(PROFILE_DIMENSIONS)
    ]
    quality = words([columns.quality_level for columns in told], n, vocabulary.codes(QUALITY))
    timestamp = integers([columns.timestamp for columns in told], n)
    window = timestamp // WINDOW_MS
    record = np.repeat(which, n)
    grid = _grid(headers, record, window)
    sparse = _Sparse(told, np.cumsum(n) - n)
    remark_event, remark = _remarks(type_, sparse, vocabulary)
    values, ranked = vocabulary.ranked()
    return Batch(
        headers=headers,
        places=grid.places,
        touch_record=grid.touch_record,
        touch_place=grid.touch_place,
        tally_place=grid.tally_place,
        record=record,
        touch=grid.touch,
        type=type_,
        offset_ms=(timestamp - window * WINDOW_MS).astype(np.uint32),
        profile=profile,
        watched_ms=integers([columns.watched_ms for columns in told], n),
        bitrate_kbps=integers([columns.bitrate_kbps for columns in told], n),
        quality=ranked[quality],
        remark_event=remark_event,
        remark=ranked[remark],
        sparse={name: sparse.measure(name) for name in MEASURES},
        profile_record=np.repeat(which, m),
        viewer=known_by(octets([columns.viewer for columns in told], m, np.uint64, 16)[::2]),
        interval=integers([columns.report_every_seconds for columns in told], m),
        traits=ranked[np.stack(traits, axis=1)],
        values=values,
    )


def _remarks(type_: NDArray[np.uint8], sparse: "_Sparse", vocabulary: "_Vocabulary") -> tuple[Ints, NDArray[np.intp]]:
    """The events with a value of ENGAGEMENT or PLAYER_STATE, and that value's code."""
    codes = np.full(len(EVENT_TYPES), NO_VALUE, dtype=np.intp)
    present = np.bincount(type_, minlength=len(EVENT_TYPES))
    for name in ENGAGEMENT_TYPES:
        if present[TYPE_CODE[name]]:
            codes[TYPE_CODE[name]] = vocabulary.codes(ENGAGEMENT)[name]
    engaged = np.flatnonzero(codes[type_] != NO_VALUE)
    stated, told = sparse.told("player_state")
    states = np.array([vocabulary.codes(PLAYER_STATE)[str(word)] for word in told], dtype=np.intp)
    kept = states != NO_VALUE
    return np.concatenate((engaged, stated[kept])), np.concatenate((codes[type_[engaged]], states[kept]))


class _Sparse:
    """The fields that few events carry."""

    def __init__(self, told: Sequence[Packed], first_event: Ints) -> None:
        pairs = zip(told, first_event.tolist(), strict=True)
        self._fields = [(columns, first) for columns, first in pairs if columns.sparse]

    def told(self, name: str) -> tuple[Ints, list[Any]]:
        """The events that carry a field, and its values. Raises CorruptData."""
        some = [(columns, first, *columns.sparse[name]) for columns, first in self._fields if name in columns.sparse]
        lengths = np.array([len(values) for *_, values in some], dtype=np.int64)
        where = integers([rows for _, _, rows, _ in some], lengths)
        if np.any(where >= np.repeat(np.array([columns.n for columns, *_ in some], dtype=np.int64), lengths)):
            raise CorruptData(f"a stream record tells {name} of an event that is not there")
        where += np.repeat(np.array([first for _, first, *_ in some], dtype=np.int64), lengths)
        return where, [value for *_, values in some for value in values]

    def measure(self, name: str) -> tuple[Ints, Ints]:
        """The same of a field that holds integers."""
        where, values = self.told(name)
        return where, np.array(values, dtype=np.int64)


@dataclass(slots=True)
class _Grid:
    places: list[Place]
    touch_record: Ints
    touch_place: Ints
    tally_place: Ints
    touch: Ints


def _grid(headers: Sequence[RecordHeader], record: Ints, window: Ints) -> _Grid:
    """Places and touches, from runs of events of one record in one window: few, where a body is in order."""
    partitions = {key: place for place, key in enumerate(sorted({_partition(header) for header in headers}))}
    partition = np.array([partitions[_partition(header)] for header in headers], dtype=np.int64)
    tally_window = np.array([header.tally_window for header in headers], dtype=np.int64)
    starts = np.ones(len(window), dtype=np.bool_)
    if len(window):
        starts[1:] = (window[1:] != window[:-1]) | (record[1:] != record[:-1])
    heads = np.flatnonzero(starts)
    run_record = np.concatenate((record[heads], np.arange(len(headers))))
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


def _partition(header: RecordHeader) -> tuple[str, int]:
    return header.content_id, header.k


class _Vocabulary:
    """Words of every record under one numbering."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self._places: dict[Value, int] = {}
        self._codes = [_Codes(self, dimension) for dimension in range(len(DIMENSIONS))]

    def codes(self, dimension: int) -> "_Codes":
        """By word its code in `values`, made when it is first asked for: NO_VALUE for an absent or empty word."""
        return self._codes[dimension]

    def ranked(self) -> tuple[list[Value], NDArray[np.intp]]:
        """The values in order of `rank`, and by code each one's place there; NO_VALUE's is NO_VALUE."""
        order = sorted(range(len(self.values)), key=lambda code: rank(self.values[code]))
        places = np.full(len(order) + 1, NO_VALUE, dtype=np.intp)
        places[order] = np.arange(len(order))
        return [self.values[code] for code in order], places

    def place(self, value: Value) -> int:
        place = self._places.setdefault(value, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place


class _Codes(dict[str | None, int]):
    """One dimension's words."""

    def __init__(self, vocabulary: _Vocabulary, dimension: int) -> None:
        super().__init__({None: NO_VALUE, "": NO_VALUE})
        self._vocabulary = vocabulary
        self._dimension = dimension

    def __missing__(self, word: str) -> int:
        code = self[word] = self._vocabulary.place(named(self._dimension, word))
        return code
