"""A window state as bytes: version, then MessagePack with the arrays as they are, in one zstd frame with a checksum.

The limits of its parts keep a value within 256 KiB (shared/ports.py), whatever was sent. At most: sketches 50 KiB,
sampled viewers 16 and their values 80, names 26, sums and counts 14, marks with what one batch adds 34.
"""

import threading
from array import array
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from shared.audience.distinct import REGISTERS
from shared.audience.marks import RECEPTION_BYTES, Marks
from shared.audience.measures import COUNTERS, GROUPS
from shared.audience.presence import NO_VIEWERS, Presence
from shared.audience.splits import CODE_MASK, EVERYONE, Pairs, Splits, Value
from shared.audience.window import WindowState
from shared.errors import CorruptData
from shared.hashing_np import Hashes
from shared.stream import RECORD_ID_BYTES

FORMAT: Final = b"GA\x01"
MAX_DECODED_BYTES: Final = 16 * 1024 * 1024


class Stored(msgspec.Struct, array_like=True, frozen=True):
    """What is written; arrays as little-endian bytes."""

    window: int
    level: int
    counters: bytes
    groups: bytes
    rejected: dict[str, int]
    dimensions: bytes
    names: list[str]
    counts: bytes
    sampled: bytes
    """The viewers that codes are of; empty while presence names all viewers: then it is those."""
    codes_each: bytes
    codes: bytes
    threshold: int
    """0 stands for everyone: 2**64 does not fit MessagePack."""
    viewers: bytes
    packed: bytes
    flags: bytes
    sketches: list[bytes]
    mark_ids: bytes
    mark_minutes: bytes
    mark_receptions_each: bytes
    mark_receptions: bytes
    mark_pages: dict[int, int]
    next_page: int


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Stored)
_local = threading.local()


def _compressor() -> zstandard.ZstdCompressor:
    """One a thread: they cannot be shared."""
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
    compressor: zstandard.ZstdCompressor = _local.compressor
    return compressor


def _decompressor() -> zstandard.ZstdDecompressor:
    if not hasattr(_local, "decompressor"):
        _local.decompressor = zstandard.ZstdDecompressor()
    decompressor: zstandard.ZstdDecompressor = _local.decompressor
    return decompressor


def encode(state: WindowState) -> bytes:
    """The state's bytes; the same for the same events, up to the order of marks and rejections."""
    splits, presence, marks = state.splits, state.presence, state.marks.entries
    sampled, each = _owners(splits.pairs, presence)
    dimensions, names = _labels(splits.values)
    flags = sorted(presence.sketches)
    stored = Stored(
        window=state.window,
        level=state.level,
        counters=state.counters.tobytes(),
        groups=b"" if state.groups is None else state.groups.tobytes(),
        rejected=state.rejected,
        dimensions=dimensions,
        names=names,
        counts=splits.counts.tobytes(),
        sampled=sampled.tobytes(),
        codes_each=each.tobytes(),
        codes=(splits.pairs & CODE_MASK).astype(np.uint16).tobytes(),
        threshold=0 if splits.threshold == EVERYONE else splits.threshold,
        viewers=presence.viewers.tobytes(),
        packed=presence.packed.tobytes(),
        flags=bytes(flags),
        sketches=[presence.sketches[flag].tobytes() for flag in flags],
        mark_ids=b"".join(marks),
        mark_minutes=array("I", [minute for minute, _ in marks.values()]).tobytes(),
        mark_receptions_each=array("H", [len(told) // RECEPTION_BYTES for _, told in marks.values()]).tobytes(),
        mark_receptions=b"".join([told for _, told in marks.values()]),
        mark_pages=state.marks.pages,
        next_page=state.marks.next_page,
    )
    return FORMAT + _compressor().compress(_encode(stored))


def _owners(pairs: Pairs, presence: Presence) -> tuple[Hashes, NDArray[np.uint8]]:
    """The viewers whose pairs follow each other, where presence does not tell them, and how many pairs each has."""
    owners = pairs & ~CODE_MASK
    if presence.exact:
        known = presence.viewers & ~CODE_MASK
        ends = np.searchsorted(owners, known, side="right")
        each = ends.astype(np.uint8)  # what wraps around comes back in the differences
        each[1:] -= each[:-1].copy()
        return NO_VIEWERS, each
    starts = np.flatnonzero(np.append(True, owners[1:] != owners[:-1])[: len(owners)])
    return owners[starts], np.diff(starts, append=len(owners)).astype(np.uint8)


@lru_cache(maxsize=1_024)
def _labels(values: tuple[Value, ...]) -> tuple[bytes, list[str]]:
    """Values' dimensions and names."""
    return bytes(dimension for dimension, _ in values), [name for _, name in values]


def decode(value: bytes) -> WindowState:
    """The state that `encode` wrote. Raises CorruptData when the bytes are not all there."""
    if value[: len(FORMAT)] != FORMAT:
        raise CorruptData("not a window state: it does not start with GA and version 1")
    try:
        data = _decompressor().decompress(value[len(FORMAT) :], max_output_size=MAX_DECODED_BYTES)
        return _state(_decoder.decode(data))
    except (msgspec.MsgspecError, zstandard.ZstdError, ValueError) as error:
        raise CorruptData(f"a window state cannot be read: {error}") from None


def _state(stored: Stored) -> WindowState:
    counters = np.frombuffer(stored.counters, dtype=np.int64)
    if len(counters) != COUNTERS:
        raise ValueError(f"{len(counters)} counters instead of {COUNTERS}")
    groups = np.frombuffer(stored.groups, dtype=np.int64).reshape(GROUPS, -1) if stored.groups else None
    return WindowState(
        window=stored.window,
        level=stored.level,
        counters=counters,
        groups=groups,
        rejected=stored.rejected,
        splits=_splits(stored),
        presence=_presence(stored),
        marks=_marks(stored),
    )


def _splits(stored: Stored) -> Splits:
    owners = np.frombuffer(stored.sampled or stored.viewers, dtype=np.uint64) & ~CODE_MASK
    sampled = np.repeat(owners, np.frombuffer(stored.codes_each, dtype=np.uint8))
    return Splits(
        values=tuple(zip(stored.dimensions, stored.names, strict=True)),
        counts=np.frombuffer(stored.counts, dtype=np.int64),
        pairs=np.bitwise_or(sampled, np.frombuffer(stored.codes, dtype=np.uint16)),
        threshold=stored.threshold or EVERYONE,
    )


def _presence(stored: Stored) -> Presence:
    sketches = {
        flag: np.frombuffer(registers, dtype=np.uint8)
        for flag, registers in zip(stored.flags, stored.sketches, strict=True)
    }
    if any(len(registers) != REGISTERS for registers in sketches.values()):
        raise ValueError("a sketch is cut short")
    viewers, packed = np.frombuffer(stored.viewers, dtype=np.uint64), np.frombuffer(stored.packed, dtype=np.uint32)
    if len(viewers) != len(packed):
        raise ValueError("viewers are cut short")
    return Presence(viewers, packed, sketches)


def _marks(stored: Stored) -> Marks:
    entries, at = {}, 0
    minutes = np.frombuffer(stored.mark_minutes, dtype=np.uint32).tolist()
    each = np.frombuffer(stored.mark_receptions_each, dtype=np.uint16).tolist()
    for place, (minute, count) in enumerate(zip(minutes, each, strict=True)):
        end = at + count * RECEPTION_BYTES
        record_id = stored.mark_ids[place * RECORD_ID_BYTES : (place + 1) * RECORD_ID_BYTES]
        entries[record_id] = (minute, stored.mark_receptions[at:end])
        at = end
    return Marks(entries, stored.mark_pages, stored.next_page)
