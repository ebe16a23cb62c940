"""Watched stretches, one a report: the per-viewer facts, in blocks that are written and read whole.

A block holds the reports of one bucket of viewers; every report carries the `record_id` that it came in, and all
reports of a record that fall in the same bucket and hour stand in the same block. So a record that is in two blocks,
however it got there, is taken from one of them: that is what makes a redelivery count once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from events.columns import Columns
from shared.errors import CorruptData
from shared.hashing import BUCKET_SEED
from shared.hashing_np import mix
from shared.units import HOUR_MS
from shared.viewing.buckets import BUCKETS

MAGIC: Final = b"GW\x01"

VIEWER: Final = np.dtype("V16")


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """n reports of watched time, column by column.

    `at` is the report's timestamp in ms since epoch, where its stretch ends; `position_ms` is where it ends in the
    content, `media_ms` how much of the content it covers (watched_ms times the playback rate). `content` and `kind`
    index `contents` and `kinds`; `record` indexes `records`.
    """

    viewer: NDArray[np.void]
    content: NDArray[np.int32]
    kind: NDArray[np.int32]
    record: NDArray[np.int32]
    at: NDArray[np.int64]
    watched_ms: NDArray[np.int64]
    media_ms: NDArray[np.int64]
    position_ms: NDArray[np.int64]
    """NO_POSITION where the player did not say."""
    contents: list[str]
    kinds: list[str | None]
    records: list[bytes]

    def __len__(self) -> int:
        return len(self.at)

    def where(self, rows: NDArray[Any]) -> "Facts":
        """Those rows alone, by mask or index."""
        columns = {name: getattr(self, name)[rows] for name in COLUMNS}
        return Facts(**columns, contents=self.contents, kinds=self.kinds, records=self.records)


COLUMNS: Final = tuple(each.name for each in fields(Facts) if each.name not in ("contents", "kinds", "records"))
NO_POSITION: Final = np.iinfo(np.int64).min
MAX_POSITION_MS: Final = 2**53
MAX_RATE: Final = 16
"""The fastest that browsers play."""
_INTS: Final = np.empty(0, np.int64)
_CODES: Final = np.empty(0, np.int32)
NOTHING: Final = Facts(np.empty(0, VIEWER), _CODES, _CODES, _CODES, _INTS, _INTS, _INTS, _INTS, [], [], [])


def facts_of(record_id: bytes, columns: Columns) -> Facts:
    """What a record says of its viewers' watched time; nothing of those without a profile."""
    profile = columns.profile
    rows = np.flatnonzero((columns.watched_ms > 0) & ~columns.profiles.no_profile[profile])
    watched = columns.watched_ms[rows]
    where, rates = columns.sparse.get("playback_rate", ((), ()))
    rate = np.ones(columns.n)
    rate[list(where)] = [min(each, MAX_RATE) if each > 0 else 1 for each in rates]
    position = columns.position_seconds[rows]
    told = np.isfinite(position)
    ends = np.full(len(rows), NO_POSITION)
    ends[told] = np.rint(np.clip(position[told] * 1_000, -MAX_POSITION_MS, MAX_POSITION_MS)).astype(np.int64)
    zeros = np.zeros(len(rows), np.int32)
    return Facts(
        viewer=np.ascontiguousarray(columns.profiles.viewer[profile[rows]]).view(VIEWER).reshape(-1),
        content=zeros,
        kind=zeros,
        record=zeros,
        at=columns.timestamp[rows],
        watched_ms=watched,
        media_ms=np.rint(watched * rate[rows]).astype(np.int64),
        position_ms=ends,
        contents=[columns.header.content_id],
        kinds=[columns.header.content_type],
        records=[record_id],
    )


def buckets_of(facts: Facts) -> NDArray[np.int64]:
    """Each report's bucket, 0 to 63."""
    hashes = np.ascontiguousarray(facts.viewer).view("<u8").reshape(-1, 2)[:, 0]
    return (mix(hashes, BUCKET_SEED) % np.uint64(BUCKETS)).astype(np.int64)


def joined(parts: Sequence[Facts]) -> Facts:
    """All reports of several blocks of one bucket, each record of an hour taken from the first block that has it."""
    together = concatenated(parts)
    if len(parts) < 2 or not len(together):
        return together
    source = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    hours = together.at // HOUR_MS
    _, key = np.unique(np.stack([together.record, hours - hours.min()]), axis=1, return_inverse=True)
    key = key.reshape(-1)
    first = np.full(key.max() + 1, len(parts))
    np.minimum.at(first, key, source)
    return together.where(source == first[key])


def concatenated(parts: Sequence[Facts]) -> Facts:
    """All reports of several blocks."""
    if not parts:
        return NOTHING
    contents, kinds, records = _numbered(parts, "contents"), _numbered(parts, "kinds"), _numbered(parts, "records")
    return Facts(
        viewer=np.concatenate([part.viewer for part in parts]),
        content=_renumbered(parts, "content", "contents", contents),
        kind=_renumbered(parts, "kind", "kinds", kinds),
        record=_renumbered(parts, "record", "records", records),
        at=np.concatenate([part.at for part in parts]),
        watched_ms=np.concatenate([part.watched_ms for part in parts]),
        media_ms=np.concatenate([part.media_ms for part in parts]),
        position_ms=np.concatenate([part.position_ms for part in parts]),
        contents=list(contents),
        kinds=list(kinds),
        records=list(records),
    )


def encode(facts: Facts) -> bytes:
    """A block's bytes: reports in order of viewer and time, and only the records that they come from."""
    facts = facts.where(np.lexsort((facts.at, facts.viewer.view("S16"))))
    used, record = np.unique(facts.record, return_inverse=True)
    packed = {name: getattr(facts, name).tobytes() for name in COLUMNS if name not in ("record", "at")}
    packed["record"] = record.astype(np.int32).tobytes()
    packed["at"] = np.diff(facts.at, prepend=0).tobytes()
    records = [facts.records[number] for number in used.tolist()]
    body = msgspec.msgpack.encode([packed, facts.contents, facts.kinds, records])
    return MAGIC + zstandard.ZstdCompressor(level=3, write_checksum=True).compress(body)


def decode(name: str, data: bytes) -> Facts:
    """A block's reports. Raises CorruptData, which names the object."""
    try:
        if not data.startswith(MAGIC):
            raise ValueError("it is no block of watch time")
        body = zstandard.ZstdDecompressor().decompress(memoryview(data)[len(MAGIC) :])
        packed, contents, kinds, records = msgspec.msgpack.decode(body)
        columns = {column: np.frombuffer(packed[column], getattr(NOTHING, column).dtype) for column in COLUMNS}
        columns["at"] = np.cumsum(columns["at"])
        return Facts(**columns, contents=contents, kinds=kinds, records=records)
    except (ValueError, KeyError, msgspec.MsgspecError, zstandard.ZstdError) as error:
        raise CorruptData(
            f"watch time in {name} cannot be read: {error}; restore the object from a backup"
        ) from error


def _numbered(parts: Sequence[Facts], names: str) -> dict[Any, int]:
    distinct = dict.fromkeys(name for part in parts for name in getattr(part, names))
    return {name: number for number, name in enumerate(distinct)}


def _renumbered(parts: Sequence[Facts], column: str, names: str, numbers: dict[Any, int]) -> NDArray[np.int32]:
    codes = [np.array([numbers[name] for name in getattr(part, names)], dtype=np.int32) for part in parts]
    return np.concatenate([code[getattr(part, column)] for code, part in zip(codes, parts, strict=True)])
