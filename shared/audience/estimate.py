"""A figure and how far it may be off."""

import math
from collections.abc import Iterable
from typing import NamedTuple


class Estimate(NamedTuple):
    """`error` is one standard error in the figure's own unit; 0 means exact."""

    value: int
    error: float = 0.0


def total(parts: Iterable[Estimate]) -> Estimate:
    """The sum of independent figures; their errors add in quadrature."""
    parts = list(parts)
    return Estimate(sum(part.value for part in parts), math.hypot(*(part.error for part in parts)))


def scaled_sample(found: int, rate: float) -> Estimate:
    """How many there are when `found` of them were in a sample that keeps each with probability `rate`.

    Horvitz-Thompson: found / rate, with variance found × (1 − rate) / rate².
    """
    if rate >= 1:
        return Estimate(found)
    return Estimate(round(found / rate), math.sqrt(found * (1 - rate)) / rate)
