"""A packed record as numpy columns. Each column is decoded when it is first asked for."""

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from events.record import (
    ABSENT_ID,
    Apart,
    Integers,
    Packed,
    RecordHeader,
    Words,
    read_apart,
    read_header,
    read_packed,
)

_DTYPES: Final = {1: np.uint8, 2: np.uint16, 4: np.uint32}


class Vocabulary(NamedTuple):
    """A column of words: `codes` index `names`; None among the names stands for no value."""

    codes: NDArray[np.unsignedinteger[Any]]
    names: list[str | None]


class Profiles:
    """A record's m profiles, that is, viewers in a session on a device; arrays have m rows.

    `viewer` and `session` are uint8[m, 16]; `report_every_seconds` is 0 where the sender did not say;
    `key` indexes the header's `keys`.
    """

    def __init__(self, packed: Packed | None, apart: Apart | None) -> None:
        self._packed = packed
        self._apart = apart
        self.m = packed.m if packed else 0

    @cached_property
    def viewer(self) -> NDArray[np.uint8]:
        return _pseudonyms(self._packed.viewer if self._packed else b"")

    @cached_property
    def viewer_hash(self) -> NDArray[np.uint64]:
        """The first 8 bytes of each viewer's pseudonym, little endian."""
        return np.frombuffer(self._packed.viewer if self._packed else b"", dtype="<u8")[::2]

    @cached_property
    def session(self) -> NDArray[np.uint8]:
        return _pseudonyms(self._apart.session if self._apart else b"")

    @cached_property
    def device_type(self) -> Vocabulary:
        return _words(self._packed.device_type if self._packed else None, self.m)

    @cached_property
    def country(self) -> Vocabulary:
        return _words(self._packed.country if self._packed else None, self.m)

    @cached_property
    def tier(self) -> Vocabulary:
        return _words(self._packed.tier if self._packed else None, self.m)

    @cached_property
    def age_group(self) -> Vocabulary:
        return _words(self._packed.age_group if self._packed else None, self.m)

    @cached_property
    def network_quality(self) -> Vocabulary:
        return _words(self._packed.network_quality if self._packed else None, self.m)

    @cached_property
    def consent(self) -> Vocabulary:
        return _words(self._apart.consent if self._apart else None, self.m)

    @cached_property
    def report_every_seconds(self) -> NDArray[np.uint16]:
        return _integers(self._packed.report_every_seconds if self._packed else None, self.m).astype(np.uint16)

    @cached_property
    def no_profile(self) -> NDArray[np.bool_]:
        return np.frombuffer(self._apart.no_profile if self._apart else b"", dtype=np.bool_)

    @cached_property
    def key(self) -> NDArray[np.int64]:
        return _integers(self._apart.key if self._apart else None, self.m)


class Columns:
    """A record's n events; arrays have n rows.

    Absent values: -1 in `watched_ms` and `bitrate_kbps`, NaN in `position_seconds`, the name None in `quality`.
    An event without an id of its sender's has one made of the record's id and its row.
    """

    def __init__(self, header: RecordHeader, packed: Packed | None, apart: Apart | None) -> None:
        self.header = header
        self._packed = packed
        self._apart = apart
        self.n = packed.n if packed else 0
        self.profiles = Profiles(packed, apart)

    @cached_property
    def profile(self) -> NDArray[np.uint16]:
        """Each event's row in `profiles`."""
        return _integers(self._packed.profile if self._packed else None, self.n).astype(np.uint16)

    @cached_property
    def type(self) -> NDArray[np.uint8]:
        """Indices into events.event.EVENT_TYPES."""
        return np.frombuffer(self._packed.type if self._packed else b"", dtype=np.uint8)

    @cached_property
    def timestamp(self) -> NDArray[np.int64]:
        """Ms since epoch, the sender's clock corrected."""
        return _integers(self._packed.timestamp if self._packed else None, self.n)

    @cached_property
    def watched_ms(self) -> NDArray[np.int64]:
        return _integers(self._packed.watched_ms if self._packed else None, self.n)

    @cached_property
    def bitrate_kbps(self) -> NDArray[np.int64]:
        return _integers(self._packed.bitrate_kbps if self._packed else None, self.n)

    @cached_property
    def position_seconds(self) -> NDArray[np.float64]:
        if self._apart is None or self._apart.position_seconds is None:
            return np.full(self.n, np.nan)
        return np.frombuffer(self._apart.position_seconds, dtype="<f8")

    @cached_property
    def quality(self) -> Vocabulary:
        return _words(self._packed.quality_level if self._packed else None, self.n)

    @cached_property
    def event_id(self) -> list[str]:
        made = self.header.record_id.hex()
        if self._apart is None or self._apart.event_id is None:
            return [f"{made}-{row}" for row in range(self.n)]
        text = self._apart.event_id.text
        lengths: list[int] = _integers(self._apart.event_id.lengths, self.n).tolist()
        ends = accumulate(0 if length == ABSENT_ID else length for length in lengths)
        return [
            f"{made}-{row}" if length == ABSENT_ID else text[end - length : end]
            for row, (length, end) in enumerate(zip(lengths, ends, strict=True))
        ]

    @cached_property
    def sparse(self) -> dict[str, tuple[NDArray[np.int64], list[Any]]]:
        """Fields of Event that few events carry: (rows, ascending; values)."""
        if self._packed is None:
            return {}
        return {
            name: (_integers(where, len(values)), values) for name, (where, values) in self._packed.sparse.items()
        }


def read(body: bytes) -> Columns:
    """The record as columns. Raises CorruptData when the bytes are no record."""
    return Columns(read_header(body), read_packed(body), read_apart(body))


def words_of(vocabulary: Vocabulary) -> Sequence[str | None]:
    """The words themselves, one an entry."""
    return [vocabulary.names[code] for code in vocabulary.codes.tolist()]


def _pseudonyms(data: memoryview | bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, 16)


def _integers(column: Integers | None, n: int) -> NDArray[np.int64]:
    if column is None:
        return np.empty(0, dtype=np.int64)
    if not column.width:
        return np.full(n, column.base, dtype=np.int64)
    if column.width == 8:
        values: NDArray[np.int64] = np.frombuffer(column.data, dtype=np.int64)
    else:
        values = np.frombuffer(column.data, dtype=_DTYPES[column.width]).astype(np.int64)
    return values + column.base if column.base else values


def _words(column: Words | None, n: int) -> Vocabulary:
    if column is None:
        return Vocabulary(np.empty(0, dtype=np.uint8), [])
    if not column.width:
        return Vocabulary(np.zeros(n, dtype=np.uint8), column.names)
    return Vocabulary(np.frombuffer(column.data, dtype=_DTYPES[column.width]), column.names)
