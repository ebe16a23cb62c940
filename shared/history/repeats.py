"""Which rows of an hour are repeats of an event that came in a body without a `batch_id`.

Of the rows of one (source, session, event id) one is the first: that which was received first. The others go, but for
those of bodies with a `batch_id`, and those of the hours beside, which only say that they were before.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from shared.history.lake import DataFile, Lake
from shared.history.merging import Left
from shared.history.schema import ROWS
from shared.units import HOUR_MS

EDGE: Final = dt.timedelta(minutes=10)
"""How far into the hours beside an event's repeat may have landed."""
SLICE_ROWS: Final = 1_000_000
"""About so many rows are compared at once: those of sessions whose pseudonyms begin alike."""

_EVENT: Final = ["source", "session_id", "event_id"]
_FIRST: Final = ["received_at", "record_id", "event_timestamp"]
_COLUMNS: Final = [*_EVENT, *_FIRST, "exact"]
_COMPARED: Final = pa.schema(
    [
        *(ROWS.field(name) for name in (*_EVENT, *_FIRST)),
        pa.field("loose", pa.bool_()),  # of this hour, and of a body without a batch_id
        pa.field("file", pa.int32()),
        pa.field("row", pa.int64()),
    ]
)


def repeats(lake: Lake, hour: int, here: Sequence[DataFile], beside: Sequence[DataFile]) -> Left:
    """The numbers of the rows of `here`, the files of that hour, that repeat another. Raises Unavailable."""
    if not any(_has_loose(lake, file) for file in here):
        return {}
    found: dict[str, list[pa.Array[Any]]] = {}
    for beginning in _slices(sum(file.rows for file in (*here, *beside))):
        rows = _rows(lake, hour, here, beside, beginning)
        numbers = _repeats(rows)
        for place, file in enumerate(here):
            of_file: Any = numbers.filter(pc.field("file") == place).column("row").combine_chunks()
            if len(of_file):
                found.setdefault(file.path, []).append(of_file)
    return {path: pa.concat_arrays(parts).sort() for path, parts in found.items()}


def _has_loose(lake: Lake, file: DataFile) -> bool:
    """Whether the file has rows of a body without a `batch_id`."""
    return any(pc.all(batch.column(0)).as_py() is False for batch in lake.batches(file, ["exact"]))


def _slices(rows: int) -> Iterator[str | None]:
    """How pseudonyms of sessions begin, in a slice each; None for a slice of all."""
    if rows <= SLICE_ROWS:
        yield None
        return
    digits = 1 if rows <= 16 * SLICE_ROWS else 2
    yield from (f"{number:0{digits}x}" for number in range(16**digits))


def _rows(
    lake: Lake, hour: int, here: Sequence[DataFile], beside: Sequence[DataFile], beginning: str | None
) -> pa.Table:
    start = dt.datetime.fromtimestamp(hour * HOUR_MS / 1_000, dt.UTC)
    since, until = start - EDGE, start + dt.timedelta(hours=1) + EDGE
    batches = [_numbered(lake.batches(file, _COLUMNS), place, beginning) for place, file in enumerate(here)]
    for file in beside:
        near = (
            batch.filter((pc.field("event_timestamp") >= since) & (pc.field("event_timestamp") < until))
            for batch in lake.batches(file, _COLUMNS)
        )
        batches.append(_numbered(near, -1, beginning))
    return pa.Table.from_batches([batch for each in batches for batch in each], _COMPARED)


def _numbered(batches: Iterable[pa.RecordBatch], place: int, beginning: str | None) -> Iterator[pa.RecordBatch]:
    start = 0
    for batch in batches:
        numbers = pa.array(range(start, start + batch.num_rows), pa.int64())
        start += batch.num_rows
        files = pa.repeat(pa.scalar(place, pa.int32()), batch.num_rows)
        loose = pc.and_(pc.invert(batch.column("exact")), pa.repeat(pa.scalar(place >= 0), batch.num_rows))
        columns = [*(batch.column(name) for name in (*_EVENT, *_FIRST)), loose, files, numbers]
        numbered = pa.RecordBatch.from_arrays(columns, schema=_COMPARED)
        if beginning is not None:
            numbered = numbered.filter(pc.starts_with(numbered.column("session_id"), beginning))
        yield numbered


def _repeats(rows: pa.Table) -> pa.Table:
    """File and number of each row that repeats another."""
    groups = rows.group_by(_EVENT).aggregate([("loose", "any"), ("loose", "count")])
    told = groups.filter((pc.field("loose_count") > 1) & pc.field("loose_any")).select(_EVENT)
    if not told.num_rows:
        return rows.slice(0, 0)
    alike = rows.join(told, _EVENT, join_type="left semi").sort_by(
        [(name, "ascending") for name in (*_EVENT, *_FIRST, "file", "row")]
    )
    return alike.filter(pc.and_(_as_before(alike), alike.column("loose")))


def _as_before(alike: pa.Table) -> "pa.Array[Any]":
    """Whether a row is of the same event as the row before it."""
    same: Any = pa.repeat(pa.scalar(True), alike.num_rows - 1)
    for name in _EVENT:
        values: Any = alike.column(name).combine_chunks()
        same = pc.and_(same, pc.equal(values.slice(1), values.slice(0, len(values) - 1)))
    return pa.concat_arrays([pa.array([False]), same])
