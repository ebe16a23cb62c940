"""One viewer hash, re-mixed with a seed of its own for each use: one hash for two uses biases both."""

from typing import Final

MASK: Final = 0xFFFF_FFFF_FFFF_FFFF

PARTITION_SEED: Final = 0x9E37_79B9_7F4A_7C15
SAMPLE_SEED: Final = 0xD1B5_4A32_D192_ED03
SKETCH_SEED: Final = 0x8CB9_2BA7_2F3D_8DD7
GROUP_SEED: Final = 0xABCD_2D9F_5E1B_7F4D
BUCKET_SEED: Final = 0x2545_F491_4F6C_DD1D


def viewer_hash(pseudonym: bytes) -> int:
    """The first 64 bits of a pseudonym, little endian."""
    return int.from_bytes(pseudonym[:8], "little")


def mix(value: int, seed: int) -> int:
    """64 well-mixed bits of `value` under `seed`: the finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    z = (value ^ seed) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB) & MASK
    return z ^ (z >> 31)


def partition(value: int, fan_out: int) -> int:
    """Which of `fan_out` partitions a viewer belongs to."""
    return mix(value, PARTITION_SEED) % fan_out


def kept_at(value: int, level: int) -> bool:
    """Whether a viewer is in the sample of rate 1/2**level; samples of higher levels lie inside lower ones."""
    return level == 0 or mix(value, SAMPLE_SEED) >> (64 - level) == 0
