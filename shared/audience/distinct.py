"""How many distinct viewers: HyperLogLog registers that can be read at any sampling rate.

Viewers are known by their sampling hash, `known_by`. A viewer's register is chosen by another hash, the rank kept
there counts the leading zeros of the sampling hash. The viewers in the sample of rate 1/2**n are those with n leading
zeros, so the registers less n are the HyperLogLog of that sample: one sketch serves every rate, and other viewers,
known from events that are never sampled, drop out when it is read at n.

Estimator: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6, without
bias over the whole range. P. Flajolet et al., "HyperLogLog" (2007), for the sketch and its error 1.04 / √m.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.audience.estimate import Estimate
from shared.hashing import SAMPLE_SEED, SKETCH_SEED
from shared.hashing_np import Hashes, mix

EXACT_LIMIT: Final = 2_048
"""Up to here viewers are kept one by one and counted exactly."""

PRECISION: Final = 14
REGISTERS: Final = 1 << PRECISION
RELATIVE_ERROR: Final = 1.04 / math.sqrt(REGISTERS)
"""One standard error of a sketch: 0.81%."""

MAX_RANK: Final = 51
"""Ranks come from 50 bits of hash, enough for 2**50 viewers and exact in a float64."""

Registers = NDArray[np.uint8]


def no_registers() -> Registers:
    return np.zeros(REGISTERS, dtype=np.uint8)


def known_by(viewers: Hashes) -> Hashes:
    """The sampling hashes of viewers' u64 hashes; one to one."""
    return mix(viewers, SAMPLE_SEED)


def add(registers: Registers, viewers: Hashes) -> None:
    """Count viewers, known by their sampling hashes, in any order and as often as they come, into `registers`."""
    place = (mix(viewers, SKETCH_SEED) >> np.uint64(64 - PRECISION)).astype(np.intp)
    _, bits = np.frexp((viewers >> np.uint64(64 - MAX_RANK + 1)).astype(np.float64))
    np.maximum.at(registers, place, (MAX_RANK - bits).astype(np.uint8))


def estimate(registers: Registers, level: int = 0) -> Estimate:
    """How many viewers there are, told from those in the sample of rate 1/2**level."""
    counts = np.bincount(registers, minlength=MAX_RANK + 1).astype(float).tolist()
    shifted = [sum(counts[: level + 1]), *counts[level + 1 :]]
    found = _ertl(shifted)
    rate = 0.5**level
    sampling = math.sqrt(found * (1 - rate)) / rate
    return Estimate(round(found / rate), math.hypot(found / rate * RELATIVE_ERROR, sampling))


def _ertl(counts: list[float]) -> float:
    """The improved raw estimator; `counts[r]` is how many registers hold rank r."""
    if counts[0] == REGISTERS:
        return 0.0
    z = REGISTERS * _tau(1 - counts[-1] / REGISTERS)
    for count in reversed(counts[1:-1]):
        z = 0.5 * (z + count)
    z += REGISTERS * _sigma(counts[0] / REGISTERS)
    return REGISTERS * REGISTERS / (2 * math.log(2) * z)


def _sigma(x: float) -> float:
    """Σ x^(2^k) 2^(k−1) + x: what empty registers stand for."""
    y, z = 1.0, x
    while True:
        x *= x
        before = z
        z += x * y
        y += y
        if z == before:
            return z


def _tau(x: float) -> float:
    """What registers at the highest rank stand for."""
    if x in (0.0, 1.0):
        return 0.0
    y, z = 1.0, 1 - x
    while True:
        x = math.sqrt(x)
        before = z
        y *= 0.5
        z -= (1 - x) ** 2 * y
        if z == before:
            return z / 3
