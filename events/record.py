"""The stream record: many events of one partition key, packed as columns.

Layout: `GS` and a version byte; the lengths of the three parts that follow (4 bytes each, little endian): the
header, MessagePack, left uncompressed so that marks and tallies are read without the rest; the columns that counting
needs, and the others, each MessagePack in a zstd frame of its own.
Ids are told once per profile (one viewer on one device), words once per record, integers as offsets from the
smallest in the narrowest width that holds them. `events/columns.py` reads it.
"""

import math
import struct
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from threading import local
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec
import zstandard

from shared.errors import CorruptData

T = TypeVar("T")

MAGIC: Final = b"GS\x01"
PREFIX: Final = struct.Struct("<3sIII")
MAX_EVENTS: Final = 65_535
"""A record's rows and profiles are numbered in 16 bits."""

ABSENT: Final = -1
"""How a packed integer column says that an event had no value."""
ABSENT_ID: Final = 0xFFFF
"""How the column of id lengths says that an event had no id."""


class RecordHeader(msgspec.Struct, kw_only=True, frozen=True, array_like=True):
    """What is said of all events of a record. Times are ms since epoch.

    `exact` tells that the sender set `batch_id`, `level` the sampling rate 1/2**level, `keys` the ids of the
    pseudonym keys that the profiles refer to. The tallies `received`, `sampled_out` and `rejected` are counted
    in the state of the 5 s window `tally_window` (its start // 5,000), under this record's mark.
    """

    record_id: bytes
    content_id: str
    k: int
    reception: bytes
    received_at: int
    source: str
    tally_window: int
    exact: bool = False
    level: int = 0
    report_every_seconds: int = 10
    received: int = 0
    sampled_out: int = 0
    rejected: dict[str, int] = {}
    keys: list[str] = []
    content_type: str | None = None


class Profile(NamedTuple):
    """A viewer in a session on a device, as stored: `viewer` and `session` are 16-byte pseudonyms.

    `report_every_seconds` is 0 when the sender did not say; `key` is an index into the header's `keys`.
    """

    viewer: bytes
    session: bytes
    device_type: str | None = None
    country: str | None = None
    tier: str | None = None
    age_group: str | None = None
    network_quality: str | None = None
    consent: str | None = None
    report_every_seconds: int = 0
    no_profile: bool = False
    key: int = 0


@dataclass(slots=True)
class Profiles:
    """Profiles column by column: each sequence has one entry a profile, as Profile describes it."""

    viewer: Sequence[bytes]
    session: Sequence[bytes]
    device_type: Sequence[str | None]
    country: Sequence[str | None]
    tier: Sequence[str | None]
    age_group: Sequence[str | None]
    network_quality: Sequence[str | None]
    consent: Sequence[str | None]
    report_every_seconds: Sequence[int]
    no_profile: Sequence[bool]
    key: Sequence[int]

    @classmethod
    def of(cls, profiles: Iterable[Profile]) -> "Profiles":
        """The columns of profiles, of which there is one at least."""
        return cls(*zip(*profiles, strict=True))

    def picked(self, places: Sequence[int]) -> "Profiles":
        """Those at `places`, in that order."""
        return Profiles(*([getattr(self, name)[place] for place in places] for name in Profile._fields))


@dataclass(slots=True)
class Rows:
    """The events of one record, column by column; every sequence but `profiles` has one entry an event.

    `profile` indexes `profiles`; `type` holds indices into EVENT_TYPES. `sparse` has the fields that few events
    carry: (the events' indices, ascending; their values).
    """

    profiles: Profiles
    profile: Sequence[int]
    type: bytes
    timestamp: Sequence[int]
    watched_ms: Sequence[int | None]
    bitrate_kbps: Sequence[int | None]
    position_seconds: Sequence[float | None]
    quality_level: Sequence[str | None]
    event_id: Sequence[str | None]
    sparse: dict[str, tuple[Sequence[int], Sequence[Any]]] = field(default_factory=dict)


NOTHING: Final = memoryview(b"")


class Integers(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A column of integers: `base` plus unsigned offsets of `width` bytes each (0: all are `base`)."""

    base: int
    width: int
    data: memoryview


class Words(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A column of words: codes of `width` bytes into `names`."""

    names: list[str | None]
    width: int
    data: memoryview


class Texts(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A column of strings, joined, with their lengths in characters (ABSENT_ID: no string)."""

    lengths: Integers
    text: str


_WIDTHS: Final = ((0xFF, 1, "B"), (0xFFFF, 2, "H"), (0xFFFF_FFFF, 4, "I"), (0xFFFF_FFFF_FFFF_FFFF, 8, "Q"))


class Packed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The columns that counting needs, as MessagePack knows them."""

    n: int
    m: int
    viewer: memoryview
    device_type: Words
    country: Words
    tier: Words
    age_group: Words
    network_quality: Words
    report_every_seconds: Integers
    profile: Integers
    type: memoryview
    timestamp: Integers
    watched_ms: Integers
    bitrate_kbps: Integers
    quality_level: Words
    sparse: dict[str, tuple[Integers, list[Any]]]


class Apart(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The other columns: more than half of the bytes, since ids hardly compress."""

    session: memoryview
    consent: Words
    no_profile: memoryview
    key: Integers
    position_seconds: memoryview | None
    event_id: Texts | None


class _Codecs(local):
    """zstd's contexts, which no two threads may use at a time."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=1, write_checksum=True).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_zstd = _Codecs()
_encode = msgspec.msgpack.Encoder().encode
_header_decoder = msgspec.msgpack.Decoder(RecordHeader)
_packed_decoder = msgspec.msgpack.Decoder(Packed)
_apart_decoder = msgspec.msgpack.Decoder(Apart)


def pack(header: RecordHeader, rows: Rows | None = None) -> bytes:
    """The record's bytes; without rows it tells tallies alone."""
    head = _encode(header)
    columns = _zstd.compress(_encode(_packed(rows))) if rows else b""
    apart = _zstd.compress(_encode(_apart(rows))) if rows else b""
    return b"".join((PREFIX.pack(MAGIC, len(head), len(columns), len(apart)), head, columns, apart))


def read_header(body: bytes) -> RecordHeader:
    """The header alone. Raises CorruptData when the bytes are no record."""
    try:
        return _header_decoder.decode(memoryview(body)[PREFIX.size : _columns_start(body)])
    except msgspec.MsgspecError as error:
        raise CorruptData(f"a stream record's header cannot be read: {error}") from None


def read_packed(body: bytes) -> Packed | None:
    """The columns that counting needs; None when the record holds tallies only. Raises CorruptData."""
    start, middle = _columns_start(body), _apart_start(body)
    return _decoded(_packed_decoder, memoryview(body)[start:middle]) if middle > start else None


def read_apart(body: bytes) -> Apart | None:
    """The other columns; None when the record holds tallies only. Raises CorruptData."""
    middle = _apart_start(body)
    return _decoded(_apart_decoder, memoryview(body)[middle:]) if len(body) > middle else None


def _decoded(decoder: msgspec.msgpack.Decoder[T], frame: memoryview) -> T:
    try:
        return decoder.decode(_zstd.decompress(frame))
    except (msgspec.MsgspecError, zstandard.ZstdError) as error:
        raise CorruptData(f"a stream record's columns cannot be read: {error}") from None


def _columns_start(body: bytes) -> int:
    if len(body) < PREFIX.size or body[: len(MAGIC)] != MAGIC:
        raise CorruptData("not a stream record: it does not start with GS and version 1")
    return PREFIX.size + int(PREFIX.unpack_from(body)[1])


def _apart_start(body: bytes) -> int:
    _, *lengths = PREFIX.unpack_from(body)
    if len(body) != PREFIX.size + sum(lengths):
        raise CorruptData(f"a stream record of {PREFIX.size + sum(lengths)} bytes has {len(body)}: it was cut short")
    return PREFIX.size + int(lengths[0]) + int(lengths[1])


def _packed(rows: Rows) -> Packed:
    if len(rows.timestamp) > MAX_EVENTS:
        raise ValueError(f"a record holds at most {MAX_EVENTS} events")
    profiles = rows.profiles
    return Packed(
        n=len(rows.timestamp),
        m=len(profiles.viewer),
        viewer=memoryview(b"".join(profiles.viewer)),
        device_type=_words(profiles.device_type),
        country=_words(profiles.country),
        tier=_words(profiles.tier),
        age_group=_words(profiles.age_group),
        network_quality=_words(profiles.network_quality),
        report_every_seconds=_integers(profiles.report_every_seconds),
        profile=_places(rows.profile, len(profiles.viewer)),
        type=memoryview(rows.type),
        timestamp=_times(rows.timestamp),
        watched_ms=_measures(rows.watched_ms),
        bitrate_kbps=_measures(rows.bitrate_kbps),
        quality_level=_words(rows.quality_level),
        sparse={name: (_integers(where), list(values)) for name, (where, values) in rows.sparse.items()},
    )


def _apart(rows: Rows) -> Apart:
    profiles = rows.profiles
    return Apart(
        session=memoryview(b"".join(profiles.session)),
        consent=_words(profiles.consent),
        no_profile=memoryview(bytes(profiles.no_profile)),
        key=_integers(profiles.key),
        position_seconds=_floats(rows.position_seconds),
        event_id=_texts(rows.event_id),
    )


def _integers(values: Sequence[int]) -> Integers:
    """Integers of any range, in the narrowest width; for short columns, since it looks at each twice."""
    base = min(values)
    span = max(values) - base
    if not span:
        return Integers(base, 0, NOTHING)
    width, typecode = next((width, typecode) for limit, width, typecode in _WIDTHS if span <= limit)
    return Integers(base, width, memoryview(array(typecode, [value - base for value in values]).tobytes()))


def _places(values: Sequence[int], size: int) -> Integers:
    """Places in a list of `size` entries."""
    if size == 1:
        return Integers(0, 0, NOTHING)
    if size <= 256:
        return Integers(0, 1, memoryview(bytes(values)))
    return Integers(0, 2, memoryview(array("H", values).tobytes()))


def _times(values: Sequence[int]) -> Integers:
    """Times as they are: zstd makes less of them, and sooner, than of offsets taken here."""
    try:
        return Integers(0, 8, _numbers("q", values))
    except struct.error:
        return _integers(values)


def _measures(values: Sequence[int | None]) -> Integers:
    """Amounts, mostly all there and below 2**32."""
    try:
        return Integers(0, 4, _numbers("I", values))
    except struct.error:
        return _integers([ABSENT if value is None else value for value in values])


def _floats(values: Sequence[float | None]) -> memoryview | None:
    try:
        return _numbers("d", values)
    except struct.error:
        if values.count(None) == len(values):
            return None
        return _numbers("d", [math.nan if value is None else value for value in values])


def _numbers(code: str, values: Sequence[float | None]) -> memoryview:
    """Numbers as `struct` packs them; twice as quick as `array` where each is checked."""
    return memoryview(struct.pack(f"<{len(values)}{code}", *values))


def _words(values: Sequence[str | None]) -> Words:
    if values.count(values[0]) == len(values):
        return Words([values[0]], 0, NOTHING)
    places: defaultdict[str | None, int] = defaultdict(count().__next__)
    codes = list(map(places.__getitem__, values))
    names = list(places)
    if len(names) <= 256:
        return Words(names, 1, memoryview(bytes(codes)))
    return Words(names, 2, memoryview(array("H", codes).tobytes()))


def _texts(values: Sequence[str | None]) -> Texts | None:
    try:
        present = cast(Sequence[str], values)
        return Texts(Integers(0, 1, memoryview(bytes(map(len, present)))), "".join(present))
    except (TypeError, ValueError):
        if values.count(None) == len(values):
            return None
    lengths = [ABSENT_ID if value is None else len(value) for value in values]
    return Texts(_integers(lengths), "".join(filter(None, values)))
