"""How much of a content lies in any of many stretches of it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.integer[Any]]


def union_length(starts: Times, ends: Times) -> int:
    """The length of the union of the intervals [start, end): what lies in several counts once."""
    if not len(starts):
        return 0
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], ends[order]
    covered = np.maximum.accumulate(ends)
    begin = np.maximum(starts[1:], covered[:-1])
    return int(max(ends[0] - starts[0], 0) + np.maximum(ends[1:] - begin, 0).sum())
