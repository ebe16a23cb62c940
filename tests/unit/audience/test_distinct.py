"""Distinct viewers: sketches within their stated error from one viewer to millions, at every sampling rate."""

import numpy as np
import pytest

from shared.audience.distinct import MAX_RANK, RELATIVE_ERROR, add, estimate, known_by, no_registers
from shared.hashing import SAMPLE_SEED, mix
from shared.hashing_np import Hashes, kept_at


def people(count: int, seed: int) -> Hashes:
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64)


def test_one_standard_error_is_at_most_one_percent() -> None:
    assert RELATIVE_ERROR <= 0.01


@pytest.mark.parametrize("count", [0, 1, 2, 100, 2_049, 10_000, 41_000, 100_000, 1_000_000])
def test_a_sketch_is_within_four_standard_errors(count: int) -> None:
    for seed in range(3):
        registers = no_registers()
        add(registers, known_by(people(count, seed)))
        found = estimate(registers)
        assert abs(found.value - count) <= 4 * found.error + (count > 0)


def test_sketches_are_unbiased_and_their_error_is_honest() -> None:
    count, misses = 12_000, []
    for seed in range(60):
        registers = no_registers()
        add(registers, known_by(people(count, seed)))
        found = estimate(registers)
        misses.append((found.value - count) / found.error)
    assert abs(np.mean(misses)) < 4 / np.sqrt(len(misses))
    assert 0.7 < np.std(misses) < 1.3


@pytest.mark.parametrize("level", [3, 6])
def test_a_sketch_read_at_a_rate_is_the_sketch_of_that_sample(level: int) -> None:
    everyone = people(300_000, 5)
    sampled = everyone[kept_at(everyone, level)]
    mixed, alone = no_registers(), no_registers()
    add(mixed, known_by(everyone))
    add(alone, known_by(sampled))
    assert estimate(mixed, level) == estimate(alone, level)
    found = estimate(mixed, level)
    assert abs(found.value - len(everyone)) <= 4 * found.error
    assert found.error > RELATIVE_ERROR * found.value


def test_counting_twice_changes_nothing() -> None:
    once, twice = no_registers(), no_registers()
    some = known_by(people(5_000, 1))
    add(once, some)
    add(twice, some)
    add(twice, some[::-1])
    assert np.array_equal(once, twice)


def test_the_rank_is_exact_at_both_ends_of_the_hash() -> None:
    for hashed, rank in (
        (0, MAX_RANK),
        ((1 << 64) - 1, 1),
        (1 << 63, 1),
        ((1 << 63) - 1, 2),
        (1 << 14, MAX_RANK - 1),
    ):
        registers = no_registers()
        add(registers, np.array([hashed], dtype=np.uint64))
        assert registers.max() == rank
        assert np.count_nonzero(registers) == 1


def test_viewers_are_known_by_the_hash_that_ingest_samples_by() -> None:
    assert known_by(np.array([77], dtype=np.uint64)).tolist() == [mix(77, SAMPLE_SEED)]
