"""From a body to records: rules, clocks, pseudonyms, partitions, sampling, chunks.

Which records a body makes, and their ids, is a function of the body and of the schedules (fan-out, pseudonym keys)
alone. What may differ the next time, that is lateness by `received_at` and the sampling level, only leaves events
out of a record and is told in its tallies. Chunks are therefore cut by the events' places in the body.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final

import msgspec

from events.event import SAMPLED_TYPES, TYPE_CODE, Body, Rejection
from events.record import MAX_EVENTS, RecordHeader, Rows, pack
from functions.ingest.disguise import Disguise, Disguised
from functions.ingest.rules import Faults, check, rejections
from functions.ingest.told import CORE, SPARSE, Told, take, tell
from shared.fan_out import FanOut
from shared.hashing import kept_at, partition
from shared.keys import partition_key
from shared.stream import NewRecord
from shared.units import WINDOW_MS

HEAVY_BODY_BYTES: Final = 512 * 1024
"""A body up to this size makes records that every stream takes; a larger one is cut by its events' sizes too."""
SAMPLED_CODES: Final = frozenset(TYPE_CODE[name] for name in SAMPLED_TYPES)

Group = tuple[str, int, int]
"""content_id, k and chunk: what a record is about."""


@dataclass(slots=True)
class Circumstances:
    """What a body meets when it arrives. Times are ms since epoch."""

    source: str
    reception: bytes
    received_at: int
    identity: bytes
    exact: bool
    body_bytes: int
    level: int
    report_every_seconds: int


@dataclass(slots=True)
class Packing:
    """What became of a body. `accepted` counts events, those sampled out among them."""

    records: list[NewRecord]
    accepted: int
    rejected: list[Rejection]


@dataclass(slots=True)
class _Part:
    """One record in the making: its accepted events, those of them that it keeps, and what it tells beside them."""

    accepted: Sequence[int]
    kept: Sequence[int] = ()
    rejected: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Batch:
    """The valid events of a body, ready to be grouped. `moments` are their times by our clock, in ms."""

    told: Told
    types: bytes
    moments: Sequence[int]
    earliest: int
    latest: int
    disguised: Disguised


def identity_of(source: str, batch_id: str, digest: bytes) -> bytes:
    """What tells one body from every other: 128 bits, the same in each retry."""
    return _hash(source.encode(), batch_id.encode(), digest)


def record_id_of(identity: bytes, group: Group) -> bytes:
    """The identity of a body's record."""
    content_id, k, chunk = group
    return _hash(identity, content_id.encode(), k.to_bytes(4, "big"), chunk.to_bytes(4, "big"))


class Packer:
    """Packs bodies by the operator's limits."""

    def __init__(
        self,
        disguise: Disguise,
        fan_outs: Callable[[Iterable[str]], dict[str, FanOut]],
        *,
        chunk_events: int,
        max_age_ms: int,
        max_ahead_ms: int,
    ) -> None:
        self._disguise = disguise
        self._fan_outs = fan_outs
        self._chunk_events = min(chunk_events, MAX_EVENTS)
        self._max_age_ms = max_age_ms
        self._max_ahead_ms = max_ahead_ms

    def pack(self, body: Body, met: Circumstances) -> Packing:
        """The body's records. Raises Unavailable when the schedules cannot be read."""
        starts = self._chunk_starts(body, met.body_bytes)
        told = tell(body)
        faults = check(told)
        rejected = body.rejected + rejections(faults, told.index)
        if faults:
            told = told.without(faults)
        if not len(told):
            parts = _tallies_alone(rejected, starts)
            records = [_record(None, group, part, met) for group, part in parts.items()]
            return Packing(records, 0, _in_order(rejected))
        moments = _moments(body, told, met)
        earliest, latest = min(moments), max(moments)
        late = self._late(moments, earliest, latest, met.received_at)
        rejected += rejections(late, told.index)
        types = bytes(map(TYPE_CODE.__getitem__, told.columns["event_type"]))
        disguised = self._disguise(told, moments, earliest, latest)
        batch = _Batch(told, types, moments, earliest, latest, disguised)
        parts = _parts(batch, self._groups(batch, starts), starts, late, rejected)
        for part in parts.values():
            part.kept = _kept(batch, part.accepted, met.level)
        records = [_record(batch, group, part, met) for group, part in parts.items()]
        return Packing(records, len(told) - len(late), _in_order(rejected))

    def _chunk_starts(self, body: Body, body_bytes: int) -> Sequence[int]:
        """The first place in the body of each chunk."""
        last = max(body.indices[-1] if body.indices else 0, max((each.index for each in body.rejected), default=0))
        if body_bytes <= HEAVY_BODY_BYTES:
            return range(0, last + 1, self._chunk_events)
        starts, size = [0], 0
        for index, event in zip(body.indices, body.core or body.events, strict=True):
            size += (event_bytes := len(msgspec.msgpack.encode(event)))
            if index - starts[-1] >= self._chunk_events or size > HEAVY_BODY_BYTES:
                starts.append(index)
                size = event_bytes
        return starts

    def _late(self, moments: Sequence[int], earliest: int, latest: int, received_at: int) -> Faults:
        oldest, newest = received_at - self._max_age_ms, received_at + self._max_ahead_ms
        if oldest <= earliest and latest <= newest:
            return {}
        late: Faults = {}
        for row, moment in enumerate(moments):
            if moment < oldest:
                late[row] = "late", f"event_timestamp is more than {self._max_age_ms // 1000} s before its arrival"
            elif moment > newest:
                late[row] = "ahead", f"event_timestamp is more than {self._max_ahead_ms // 1000} s after its arrival"
        return late

    def _groups(self, batch: _Batch, starts: Sequence[int]) -> Group | list[Group]:
        """Each event's group, or the one group of all."""
        contents: Sequence[str] = batch.told.columns["content_id"]
        first, moments = contents[0], batch.moments
        alone = contents.count(first) == len(contents)
        fan_outs = self._fan_outs((first,) if alone else set(contents))
        if (
            alone
            and len(starts) == 1
            and fan_outs[first].most(batch.earliest // WINDOW_MS, batch.latest // WINDOW_MS) == 1
        ):
            return first, 0, 0
        ks: dict[tuple[int, int], int] = {}
        groups: list[Group] = []
        told = zip(contents, batch.disguised.profile, moments, batch.told.index, strict=True)
        for content_id, profile, moment, index in told:
            fan_out = fan_outs[content_id].at(moment // WINDOW_MS)
            k = ks.get((profile, fan_out))
            if k is None:
                k = ks[profile, fan_out] = partition(batch.disguised.hash_of(profile), fan_out)
            groups.append((content_id, k, bisect_right(starts, index) - 1))
        return groups


def _in_order(rejected: Iterable[Rejection]) -> list[Rejection]:
    """As the sender counts."""
    return sorted(rejected, key=attrgetter("index"))


def _moments(body: Body, told: Told, met: Circumstances) -> Sequence[int]:
    """The events' times by our clock. Only a body without a batch_id is corrected by when it came: a retry of one
    with a batch_id must meet the same times.
    """
    ahead = body.clock_offset_ms
    if not ahead and not met.exact and body.sent_at is not None:
        ahead = body.sent_at - met.received_at
    moments: Sequence[int] = told.columns["event_timestamp"]
    return [moment - ahead for moment in moments] if ahead else moments


def _parts(
    batch: _Batch, groups: Group | list[Group], starts: Sequence[int], late: Faults, rejected: Iterable[Rejection]
) -> dict[Group, _Part]:
    """What each record counts. A chunk's rejections ride on the record of its first valid event."""
    parts: dict[Group, _Part] = {}
    carriers: dict[int, Group] = {}
    everyone = range(len(batch.moments))
    if isinstance(groups, tuple):
        carriers[groups[2]] = groups
        parts[groups] = _Part([row for row in everyone if row not in late] if late else everyone)
    else:
        rows: dict[Group, list[int]] = {}
        for row, group in enumerate(groups):
            carriers.setdefault(group[2], group)
            if row not in late:
                rows.setdefault(group, []).append(row)
        parts = {group: _Part(accepted) for group, accepted in rows.items()}
    for each in rejected:
        chunk = bisect_right(starts, each.index) - 1
        group = carriers.get(chunk, ("", 0, chunk))
        parts.setdefault(group, _Part(())).rejected[each.code] += 1
    return parts


def _tallies_alone(rejected: Iterable[Rejection], starts: Sequence[int]) -> dict[Group, _Part]:
    parts: dict[Group, _Part] = {}
    for each in rejected:
        group = ("", 0, bisect_right(starts, each.index) - 1)
        parts.setdefault(group, _Part(())).rejected[each.code] += 1
    return parts


def _kept(batch: _Batch, accepted: Sequence[int], level: int) -> Sequence[int]:
    """The accepted events but those that the sampling level leaves out."""
    if not level:
        return accepted
    profile, types = batch.disguised.profile, batch.types
    profiles = {profile[row] for row in accepted}
    chosen = {each for each in profiles if kept_at(batch.disguised.hash_of(each), level)}
    return [row for row in accepted if profile[row] in chosen or types[row] not in SAMPLED_CODES]


def _record(batch: _Batch | None, group: Group, part: _Part, met: Circumstances) -> NewRecord:
    content_id, k, _ = group
    record_id = record_id_of(met.identity, group)
    earliest = met.received_at
    if batch is not None and part.accepted:
        whole = len(part.accepted) == len(batch.moments)
        earliest = batch.earliest if whole else min(take(batch.moments, part.accepted))
    header = RecordHeader(
        record_id=record_id,
        content_id=content_id,
        k=k,
        reception=met.reception,
        received_at=met.received_at,
        source=met.source,
        tally_window=earliest // WINDOW_MS,
        exact=met.exact,
        level=met.level,
        report_every_seconds=met.report_every_seconds,
        received=len(part.accepted) + part.rejected.total(),
        sampled_out=len(part.accepted) - len(part.kept),
        rejected=dict(part.rejected),
        keys=batch.disguised.keys if batch else [],
        content_type=_content_type(batch.told, part.accepted) if batch else None,
    )
    rows = _rows(batch, part.kept) if batch and part.kept else None
    return NewRecord(record_id, partition_key(content_id, k), pack(header, rows))


def _content_type(told: Told, rows: Sequence[int]) -> str | None:
    column = told.columns.get("content_type")
    return next(filter(None, (column[row] for row in rows)), None) if column else None


def _rows(batch: _Batch, rows: Sequence[int]) -> Rows:
    columns = batch.told.columns
    profiles, profile = batch.disguised.profiles, take(batch.disguised.profile, rows)
    if len(rows) < len(batch.moments):
        used = {each: place for place, each in enumerate(dict.fromkeys(profile))}
        profiles = profiles.picked(list(used))
        profile = [used[each] for each in profile]
    return Rows(
        profiles=profiles,
        profile=profile,
        type=bytes(take(batch.types, rows)),
        timestamp=take(batch.moments, rows),
        watched_ms=take(columns["watched_ms"], rows),
        bitrate_kbps=take(columns["bitrate_kbps"], rows),
        position_seconds=take(columns["position_seconds"], rows),
        quality_level=take(columns["quality_level"], rows),
        event_id=take(batch.disguised.event_id, rows),
        sparse=_sparse(columns, rows) if len(columns) > len(CORE) else {},
    )


def _sparse(columns: dict[str, Sequence[Any]], rows: Sequence[int]) -> dict[str, tuple[Sequence[int], Sequence[Any]]]:
    told = {name: _told_of(take(columns[name], rows)) for name in SPARSE if name in columns}
    return {name: (where, values) for name, (where, values) in told.items() if where}


def _told_of(column: Sequence[object]) -> tuple[list[int], list[object]]:
    where = [row for row, value in enumerate(column) if value is not None]
    return where, [column[row] for row in where]


def _hash(*parts: bytes) -> bytes:
    """128 bits over parts of any length, each led by its length so that no two lists of parts read alike."""
    return blake2b(b"".join(len(part).to_bytes(4, "big") + part for part in parts), digest_size=16).digest()
