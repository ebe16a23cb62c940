"""Files whose rows are in order into rows in order, a few batches of each in memory at a time."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from shared.history.lake import DataFile, Lake, sorted_batches
from shared.history.schema import ROWS
from shared.history.tables import SORTED_BY

GROUP_ROWS: Final = 122_880
"""Rows of a row group, of which a reader skips those that it does not want."""
HELD_ROWS: Final = 250_000
"""About so many rows are held, of all files together; at least so many of each."""
LEAST_ROWS: Final = 1_024

_NOTHING: Final = pa.RecordBatch.from_pylist([], ROWS)

Order = tuple[Any, ...]
Left = dict[str, "pa.Array[Any]"]
"""By a file's path the numbers of its rows to leave out, in order."""


def merged(lake: Lake, files: Sequence[DataFile], left_out: Left) -> Iterator[pa.RecordBatch]:
    """The rows of these files in order, in batches for row groups.

    Each step takes from every file its rows up to the least of what the files' batches end with: nothing that comes
    later goes before those. Files that were not in order would give all their rows, out of order.
    """
    rows = max(LEAST_ROWS, HELD_ROWS // max(1, len(files)))
    heads = [_Head(_kept(lake.batches(file, ROWS.names, rows), left_out.get(file.path))) for file in files]
    return _grouped(_steps(heads))


def _steps(heads: Sequence["_Head"]) -> Iterator[pa.RecordBatch]:
    while alive := [head for head in heads if not head.over]:
        end = min(head.last for head in alive)
        parts = [part for head in alive for part in head.take(end)]
        yield from sorted_batches(pa.Table.from_batches(parts), SORTED_BY)


class _Head:
    """The rows of a file from where it was read to."""

    batch: pa.RecordBatch

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._next()

    def take(self, end: Order) -> Iterator[pa.RecordBatch]:
        """The rows at hand that do not come after `end`."""
        count = self.batch.num_rows if self.last <= end else self._up_to(end)
        yield self.batch.slice(0, count)
        if count == self.batch.num_rows:
            self._next()
        else:
            self.batch = self.batch.slice(count)

    def _up_to(self, end: Order) -> int:
        low, high = 0, self.batch.num_rows
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if _order(self.batch, middle) <= end else (low, middle)
        return low

    def _next(self) -> None:
        self.batch = next((batch for batch in self._batches if batch.num_rows), _NOTHING)
        self.over = self.batch is _NOTHING
        self.last: Order = () if self.over else _order(self.batch, self.batch.num_rows - 1)


def _order(batch: pa.RecordBatch, row: int) -> Order:
    values = (batch.column(name)[row].as_py() for name in SORTED_BY)
    return tuple((value is None, value) for value in values)


def _kept(batches: Iterable[pa.RecordBatch], left_out: "pa.Array[Any] | None") -> Iterator[pa.RecordBatch]:
    """The batches without the rows to leave out."""
    start = 0
    for batch in batches:
        numbers = pa.array(range(start, start + batch.num_rows), pa.int64())
        start += batch.num_rows
        yield batch if left_out is None else batch.filter(pc.invert(pc.is_in(numbers, value_set=left_out)))


def _grouped(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows, GROUP_ROWS in each batch but the last."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= GROUP_ROWS:
            whole = pa.Table.from_batches(held).combine_chunks()
            full = rows - rows % GROUP_ROWS
            yield from whole.slice(0, full).to_batches(max_chunksize=GROUP_ROWS)
            held, rows = whole.slice(full).to_batches(), rows - full
    if rows:
        yield from pa.Table.from_batches(held).combine_chunks().to_batches()
