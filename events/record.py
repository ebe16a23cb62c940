"""The stream record: many events of one partition key, packed as columns.

Layout: `GS` and a version byte; the header's length (4 bytes, little endian); the header, MessagePack, left
uncompressed so that marks and tallies are read without the rest; the columns, MessagePack in one zstd frame.
Ids are told once per profile (one viewer on one device), words once per record, integers as offsets from the
smallest in the narrowest width that holds them. `events/columns.py` reads it.
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec
import zstandard

from shared.errors import CorruptData

MAGIC: Final = b"GS\x01"
HEADER_START: Final = len(MAGIC) + 4
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
class Rows:
    """The events of one record, column by column; every sequence but `profiles` has one entry an event.

    `profile` indexes `profiles`; `type` holds indices into EVENT_TYPES. `sparse` has the fields that few events
    carry: (the events' indices, ascending; their values).
    """

    profiles: Sequence[Profile]
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
NO_ROWS: Final = Rows((), (), b"", (), (), (), (), (), ())


class Integers(msgspec.Struct, array_like=True, frozen=True):
    """A column of integers: `base` plus unsigned offsets of `width` bytes each (0: all are `base`)."""

    base: int
    width: int
    data: memoryview


class Words(msgspec.Struct, array_like=True, frozen=True):
    """A column of words: codes of `width` bytes into `names`."""

    names: list[str | None]
    width: int
    data: memoryview


class Texts(msgspec.Struct, array_like=True, frozen=True):
    """A column of strings, joined, with their lengths in characters (ABSENT_ID: no string)."""

    lengths: Integers
    text: str


class Packed(msgspec.Struct, array_like=True, frozen=True):
    """The compressed part, as MessagePack knows it."""

    n: int
    m: int
    viewer: memoryview
    session: memoryview
    device_type: Words
    country: Words
    tier: Words
    age_group: Words
    network_quality: Words
    consent: Words
    report_every_seconds: Integers
    no_profile: memoryview
    key: Integers
    profile: Integers
    type: memoryview
    timestamp: Integers
    watched_ms: Integers
    bitrate_kbps: Integers
    position_seconds: memoryview | None
    quality_level: Words
    event_id: Texts | None
    sparse: dict[str, tuple[Integers, list[Any]]]


_encode = msgspec.msgpack.Encoder().encode
_header_decoder = msgspec.msgpack.Decoder(RecordHeader)
_packed_decoder = msgspec.msgpack.Decoder(Packed)
_compressor = zstandard.ZstdCompressor(level=1, write_content_size=True, write_checksum=True)
_decompressor = zstandard.ZstdDecompressor()

_WIDTHS: Final = ((0xFF, 1, "B"), (0xFFFF, 2, "H"), (0xFFFF_FFFF, 4, "I"), (0xFFFF_FFFF_FFFF_FFFF, 8, "Q"))


def pack(header: RecordHeader, rows: Rows = NO_ROWS) -> bytes:
    """The record's bytes."""
    head = _encode(header)
    columns = _encode(_packed(rows)) if rows.timestamp else b""
    return b"".join((MAGIC, len(head).to_bytes(4, "little"), head, _compressor.compress(columns)))


def read_header(body: bytes) -> RecordHeader:
    """The header alone. Raises CorruptData when the bytes are no record."""
    try:
        if body[: len(MAGIC)] != MAGIC:
            raise CorruptData("not a stream record: it does not start with GS and version 1")
        return _header_decoder.decode(memoryview(body)[HEADER_START : _columns_start(body)])
    except msgspec.MsgspecError as error:
        raise CorruptData(f"a stream record's header cannot be read: {error}") from None


def read_packed(body: bytes) -> Packed | None:
    """The columns as stored; None when the record holds tallies only. Raises CorruptData."""
    try:
        columns = _decompressor.decompress(memoryview(body)[_columns_start(body) :])
        return _packed_decoder.decode(columns) if columns else None
    except (msgspec.MsgspecError, zstandard.ZstdError) as error:
        raise CorruptData(f"a stream record's columns cannot be read: {error}") from None


def _columns_start(body: bytes) -> int:
    return HEADER_START + int.from_bytes(body[len(MAGIC) : HEADER_START], "little")


def _packed(rows: Rows) -> Packed:
    if len(rows.timestamp) > MAX_EVENTS:
        raise ValueError(f"a record holds at most {MAX_EVENTS} events")
    viewer, session, device, country, tier, age_group, network, consent, report_every, no_profile, key = zip(
        *rows.profiles, strict=True
    )
    return Packed(
        n=len(rows.timestamp),
        m=len(rows.profiles),
        viewer=memoryview(b"".join(viewer)),
        session=memoryview(b"".join(session)),
        device_type=_words(device),
        country=_words(country),
        tier=_words(tier),
        age_group=_words(age_group),
        network_quality=_words(network),
        consent=_words(consent),
        report_every_seconds=_integers(report_every),
        no_profile=memoryview(bytes(no_profile)),
        key=_integers(key),
        profile=_integers(rows.profile),
        type=memoryview(rows.type),
        timestamp=_integers(rows.timestamp),
        watched_ms=_optional_integers(rows.watched_ms),
        bitrate_kbps=_optional_integers(rows.bitrate_kbps),
        position_seconds=_floats(rows.position_seconds),
        quality_level=_words(rows.quality_level),
        event_id=_texts(rows.event_id),
        sparse={name: (_integers(where), list(values)) for name, (where, values) in rows.sparse.items()},
    )


def _integers(values: Sequence[int]) -> Integers:
    base = min(values)
    span = max(values) - base
    if not span:
        return Integers(base, 0, NOTHING)
    width, typecode = next((width, typecode) for limit, width, typecode in _WIDTHS if span <= limit)
    return Integers(base, width, memoryview(array(typecode, [value - base for value in values]).tobytes()))


def _optional_integers(values: Sequence[int | None]) -> Integers:
    return _integers([ABSENT if value is None else value for value in values])


def _floats(values: Sequence[float | None]) -> memoryview | None:
    if values.count(None) == len(values):
        return None
    return memoryview(array("d", [math.nan if value is None else value for value in values]).tobytes())


def _words(values: Sequence[str | None]) -> Words:
    codes = {name: code for code, name in enumerate(dict.fromkeys(values))}
    if len(codes) == 1:
        return Words(list(codes), 0, NOTHING)
    width = 1 if len(codes) <= 256 else 2
    return Words(list(codes), width, memoryview(array("BH"[width - 1], map(codes.__getitem__, values)).tobytes()))


def _texts(values: Sequence[str | None]) -> Texts | None:
    if values.count(None) == len(values):
        return None
    lengths = _integers([ABSENT_ID if value is None else len(value) for value in values])
    return Texts(lengths, "".join(value for value in values if value is not None))
