"""`shared.hashing` on numpy columns of uint64; both give the same bits."""

import numpy as np
from numpy.typing import NDArray

from shared.hashing import PARTITION_SEED, SAMPLE_SEED

Hashes = NDArray[np.uint64]


def mix(values: Hashes, seed: int) -> Hashes:
    """SplitMix64's finaliser, element by element."""
    z = values ^ np.uint64(seed)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return z ^ (z >> np.uint64(31))


def partition(values: Hashes, fan_out: int) -> NDArray[np.uint64]:
    """Which of `fan_out` partitions each viewer belongs to."""
    return mix(values, PARTITION_SEED) % np.uint64(fan_out)


def kept_at(values: Hashes, level: int) -> NDArray[np.bool_]:
    """Which viewers are in the sample of rate 1/2**level."""
    if level == 0:
        return np.ones(len(values), dtype=np.bool_)
    kept: NDArray[np.bool_] = mix(values, SAMPLE_SEED) >> np.uint64(64 - level) == np.uint64(0)
    return kept
