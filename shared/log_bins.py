"""Logarithmic histograms: 8 bins an octave, so that a quantile is within 4.5%."""

import math
from collections.abc import Mapping
from typing import Final

STEPS_PER_OCTAVE: Final = 8
LAST_BIN: Final = 40 * STEPS_PER_OCTAVE
"""What is over 2^40 counts as that."""


def bin_of(value: float) -> int:
    """The bin of a value: the least b with value <= 2^(b/8); 0 for all up to 1."""
    return min(LAST_BIN, math.ceil(math.log2(value) * STEPS_PER_OCTAVE)) if value > 1 else 0


def middle_of(number: int) -> float:
    """The value that stands for a bin: the geometric middle of its ends."""
    return 2.0 ** ((number - 0.5) / STEPS_PER_OCTAVE) if number else 1.0


def quantile(bins: Mapping[int, int], share: float) -> float | None:
    """The value that a share of those in `bins` (how many by bin) did not exceed; None where there is none."""
    rank = max(1, math.ceil(share * sum(bins.values())))
    for number in sorted(bins):
        rank -= bins[number]
        if rank <= 0:
            return middle_of(number)
    return None
