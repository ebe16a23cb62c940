"""Columns of many packed records, decoded side by side: what a consumer of whole batches reads.

Raises CorruptData where a column does not fit its record; which record it is, reading fewer at a time tells.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from events.record import Integers, Words
from shared.errors import CorruptData

Ints = NDArray[np.int64]
_DTYPES: Final = {0: np.uint8, 1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.int64}


def integers(columns: Sequence[Integers], lengths: Ints) -> Ints:
    """Integer columns joined; `lengths` are the entries that each must have."""
    bases = np.array([column.base for column in columns], dtype=np.int64)
    joined = np.repeat(bases, lengths)
    joined += _offsets(columns, lengths)
    return joined


def words(columns: Sequence[Words], lengths: Ints, numbers: Mapping[str | None, int]) -> NDArray[np.intp]:
    """Word columns joined, each word as its number."""
    names = chain.from_iterable([column.names for column in columns])
    numbered = np.array(list(map(numbers.__getitem__, names)), dtype=np.intp)
    known = np.array([len(column.names) for column in columns], dtype=np.int64)
    codes = _offsets(columns, lengths)
    if np.any(codes >= np.repeat(known, lengths)):
        raise CorruptData("a stream record has a word that it does not name")
    codes += np.repeat(np.cumsum(known) - known, lengths)
    return numbered[codes]


def octets(columns: Sequence[Any], lengths: Ints, dtype: type[np.generic], each: int) -> NDArray[Any]:
    """Columns of `each` bytes an entry joined and seen as `dtype`."""
    _check([len(column) for column in columns], lengths * each)
    return np.frombuffer(b"".join(columns), dtype=dtype)


def _offsets(columns: Sequence[Integers] | Sequence[Words], lengths: Ints) -> Ints:
    """What is added to each column's base."""
    widths = np.array([column.width for column in columns], dtype=np.int64)
    _check([len(column.data) for column in columns], lengths * widths)
    used = set(widths.tolist())
    if not used <= _DTYPES.keys():
        raise CorruptData(f"a stream record has integers of {sorted(used)} bytes")
    if len(used) == 1 and 0 not in used:
        data = b"".join([column.data for column in columns])
        return np.frombuffer(data, dtype=_DTYPES[used.pop()]).astype(np.int64)
    offsets = np.zeros(int(lengths.sum()), dtype=np.int64)
    entry_widths = np.repeat(widths, lengths)
    for width in used - {0}:
        data = b"".join([column.data for column in columns if column.width == width])
        offsets[entry_widths == width] = np.frombuffer(data, dtype=_DTYPES[width])
    return offsets


def _check(sizes: list[int], expected: Ints) -> None:
    if not np.array_equal(np.array(sizes, dtype=np.int64), expected):
        raise CorruptData("a stream record's columns differ in length")
