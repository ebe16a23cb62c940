"""Records on their way into the history: one Arrow file a batch, whose rows carry their `record_id`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from events.columns import Columns, Vocabulary, read
from events.event import EVENT_TYPES, SAMPLED_TYPES
from shared.errors import CorruptData
from shared.history.schema import STAGED, TIME, TYPES, ArrowArray
from shared.history.tables import BATCHES, SPARSE, WORDS
from shared.stream import Record

_SAMPLED: Final = np.array([name in SAMPLED_TYPES for name in EVENT_TYPES])
_WRITE_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression="zstd")


@dataclass(frozen=True, slots=True)
class Part:
    """One record, read as far as that can fail."""

    record: Record
    columns: Columns
    sparse: dict[str, tuple[NDArray[np.int64], ArrowArray]]


def part_of(record: Record) -> Part | None:
    """The record's rows; None when it carries tallies only. Raises CorruptData when it can never be read."""
    try:
        columns = read(record.body)
        return Part(record, columns, _sparse(columns)) if _whole(columns) else None
    except (ValueError, LookupError, TypeError, AttributeError, pa.ArrowException) as error:
        raise CorruptData(f"the record cannot be read: {error}") from error


def staged_name(parts: Sequence[Part]) -> str:
    """The name of a batch's file: the same records give the same name, so that a retry overwrites."""
    record_ids = sorted(part.record.record_id for part in parts)
    rows = sum(part.columns.n for part in parts)
    return f"{BATCHES}{blake2b(b''.join(record_ids), digest_size=16).hexdigest()}-{rows}.arrow"


def stage(parts: Sequence[Part]) -> bytes:
    """The rows of a batch as an Arrow file; every part has at least one row."""
    sink = pa.BufferOutputStream()
    table = _table(parts)
    with pa.ipc.new_file(sink, table.schema, options=_WRITE_OPTIONS) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def hex_strings(ids: NDArray[np.uint8]) -> ArrowArray:
    """uint8[m, w] as m strings of 2w hexadecimal digits."""
    count, width = ids.shape
    offsets = np.arange(0, 2 * width * (count + 1), 2 * width, dtype=np.int32)
    return pa.StringArray.from_buffers(
        count, pa.py_buffer(offsets.tobytes()), pa.py_buffer(ids.tobytes().hex().encode())
    )


def _whole(columns: Columns) -> bool:
    """Whether there are rows; decodes every column, so that what cannot be read fails here."""
    if not columns.n:
        return False
    profiles = columns.profiles
    told = [getattr(profiles, name) for name in WORDS]
    if columns.profile.max() >= profiles.m or columns.type.max() >= len(EVENT_TYPES):
        raise ValueError("a row names a profile or an event type that there is not")
    if any(words.codes.max() >= len(words.names) for words in (columns.quality, *told)):
        raise ValueError("a row names a word that there is not")
    per_event = (
        columns.event_id,
        columns.profile,
        columns.type,
        columns.timestamp,
        columns.watched_ms,
        columns.bitrate_kbps,
        columns.position_seconds,
        columns.quality.codes,
    )
    per_profile = (profiles.viewer, profiles.session, profiles.no_profile, profiles.report_every_seconds)
    if {len(values) for values in per_event} != {columns.n}:
        raise ValueError("a column is shorter than the record")
    if {len(values) for values in (*per_profile, *(words.codes for words in told))} != {profiles.m}:
        raise ValueError("a profile's column is shorter than the record")
    return True


def _sparse(columns: Columns) -> dict[str, tuple[NDArray[np.int64], ArrowArray]]:
    found: dict[str, tuple[NDArray[np.int64], ArrowArray]] = {}
    extra: dict[int, dict[str, Any]] = {}
    for name, (rows, values) in columns.sparse.items():
        if rows.min() < 0 or rows.max() >= columns.n:
            raise ValueError(f"{name} is told of a row that there is not")
        if name in SPARSE:
            found[name] = rows, pa.array(values, TYPES[SPARSE[name]])
            continue
        for row, value in zip(rows.tolist(), values, strict=True):
            extra.setdefault(row, {}).update(value if name == "extra" else {name: value})
    if extra:
        texts = [json.dumps(extra[row], ensure_ascii=False, sort_keys=True) for row in sorted(extra)]
        found["extra"] = np.array(sorted(extra)), pa.array(texts, pa.string())
    return found


def _table(parts: Sequence[Part]) -> pa.Table:
    columns = [part.columns for part in parts]
    headers = [each.header for each in columns]
    profiles = [each.profiles for each in columns]
    counts = np.array([each.n for each in columns])
    row_record = np.repeat(np.arange(len(parts)), counts)
    first_profile = np.cumsum([0] + [each.m for each in profiles[:-1]])
    row_profile = np.concatenate([each.profile for each in columns]) + first_profile[row_record]
    types = np.concatenate([each.type for each in columns])
    level = np.array([header.level for header in headers])

    def by_record(values: Sequence[object], kind: pa.DataType) -> ArrowArray:
        return _coded(row_record, pa.array(values, kind))

    def by_profile(values: ArrowArray) -> ArrowArray:
        return _coded(row_profile, values)

    def words(vocabularies: Sequence[Vocabulary], rows: NDArray[np.int64] | None) -> ArrowArray:
        codes, names = _unified(vocabularies)
        codes = codes if rows is None else codes[rows]
        return _coded(codes, pa.array(names, pa.string()))

    report_every = np.concatenate([each.report_every_seconds for each in profiles])[row_profile].astype(np.int32)
    usual = np.array([header.report_every_seconds for header in headers], dtype=np.int32)
    position = np.concatenate([each.position_seconds for each in columns])
    made = {
        "event_id": pa.array([event_id for each in columns for event_id in each.event_id], pa.string()),
        "viewer_id": by_profile(hex_strings(np.concatenate([each.viewer for each in profiles]))),
        "content_id": by_record([header.content_id for header in headers], pa.string()),
        "session_id": by_profile(hex_strings(np.concatenate([each.session for each in profiles]))),
        "event_type": _coded(types, pa.array(EVENT_TYPES)),
        "event_timestamp": _times(np.concatenate([each.timestamp for each in columns])),
        "position_seconds": pa.array(position, mask=np.isnan(position)),
        "watched_ms": _optional(np.concatenate([each.watched_ms for each in columns])),
        "quality_level": words([each.quality for each in columns], None),
        "bitrate_kbps": _optional(np.concatenate([each.bitrate_kbps for each in columns])),
        **{name: words([getattr(each, name) for each in profiles], row_profile) for name in WORDS},
        "content_type": by_record([header.content_type for header in headers], pa.string()),
        "received_at": _times(np.array([header.received_at for header in headers])[row_record]),
        "report_every_seconds": pa.array(np.where(report_every > 0, report_every, usual[row_record])),
        "sample_weight": pa.array(np.where(_SAMPLED[types], 1 << level[row_record], 1).astype(np.int32)),
        "no_profile": pa.array(np.concatenate([each.no_profile for each in profiles])[row_profile]),
        "exact": pa.array(np.array([header.exact for header in headers])[row_record]),
        "source": by_record([header.source for header in headers], pa.string()),
        "record_id": by_record([part.record.record_id.hex() for part in parts], pa.string()),
        **{name: _scattered(parts, name, counts) for name in (*SPARSE, "extra")},
        "first_appended_at": pa.array(np.array([part.record.first_appended_at for part in parts])[row_record]),
    }
    return pa.table(made)


def _unified(vocabularies: Sequence[Vocabulary]) -> tuple[NDArray[np.int32], list[str]]:
    """Codes into one list of names; -1 where there is no value."""
    codes: dict[str, int] = {}
    parts: list[NDArray[np.int32]] = []
    for vocabulary in vocabularies:
        here = [-1 if name is None else codes.setdefault(name, len(codes)) for name in vocabulary.names]
        parts.append(np.array(here, dtype=np.int32)[vocabulary.codes])
    return np.concatenate(parts), list(codes)


def _scattered(parts: Sequence[Part], name: str, counts: NDArray[np.int64]) -> ArrowArray:
    """A column that few rows fill."""
    kind = STAGED.field(name).type
    first_row = np.cumsum(counts) - counts
    filled = [(start, part.sparse[name]) for start, part in zip(first_row, parts, strict=True) if name in part.sparse]
    total = int(counts.sum())
    if not filled:
        empty: ArrowArray = pa.nulls(total, kind)
        return empty
    source = np.full(total, -1, dtype=np.int32)
    rows = np.concatenate([start + rows for start, (rows, _) in filled])
    source[rows] = np.arange(len(rows))
    values = pa.concat_arrays([values for _, (_, values) in filled])
    column: ArrowArray = _coded(source, values).cast(kind)
    return column


def _coded(codes: NDArray[Any], values: ArrowArray) -> ArrowArray:
    """`values` by code; a negative code is no value."""
    indices: Any = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, values)


def _optional(values: NDArray[np.int64]) -> ArrowArray:
    return pa.array(values, mask=values < 0)


def _times(ms: NDArray[np.int64]) -> ArrowArray:
    return pa.array(ms * 1_000, TIME)
