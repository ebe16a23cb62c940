"""Sampling leaves sums and counts unbiased, and their stated error honest, over many crowds."""

import numpy as np
import pytest

from shared.audience.estimate import Estimate
from shared.audience.window import WindowState, rolled_up
from tests.unit.audience.crowds import crowd, state_of, told

SIZE = 3_000
SEEDS = 40


@pytest.fixture(scope="module", params=[3, 6])
def sampled(request: pytest.FixtureRequest) -> list[tuple[WindowState, int]]:
    """Crowds whose heartbeats were sampled, with the time they really watched."""
    found = []
    for seed in range(SEEDS):
        watched = np.random.default_rng(seed).integers(0, 10_000, SIZE).tolist()
        people = crowd(SIZE, seed)
        records = told(people, level=request.param, watched_ms=watched, countries=("FR", "DE", "FR"))
        found.append((state_of(*records), sum(watched)))
    return found


def centred(misses: list[float]) -> bool:
    """Whether errors, in standard errors, have no mean and a spread of about one."""
    return abs(float(np.mean(misses))) < 4 / np.sqrt(len(misses)) and 0.6 < float(np.std(misses)) < 1.5


def miss(found: Estimate, truth: int) -> float:
    return (found.value - truth) / found.error


def test_weighted_sums_are_unbiased(sampled: list[tuple[WindowState, int]]) -> None:
    assert centred([miss(state.sum("heartbeat"), SIZE) for state, _ in sampled])
    assert centred([miss(state.sum("watched_ms"), truth) for state, truth in sampled])


def test_distinct_viewers_are_unbiased(sampled: list[tuple[WindowState, int]]) -> None:
    assert centred([miss(state.viewers(), SIZE) for state, _ in sampled])


def test_viewers_by_country_are_unbiased(sampled: list[tuple[WindowState, int]]) -> None:
    for place, share in (("FR", 2_000), ("DE", 1_000)):
        found = [next(each for each in state.shares("country") if each.value == place) for state, _ in sampled]
        assert centred([miss(each.viewers, share) for each in found])


@pytest.mark.parametrize("level", [3, 6])
def test_few_events_that_lie_evenly_by_chance_are_no_surer_for_it(level: int) -> None:
    stalling = 200 << level - 3
    found = [state_of(*told(crowd(stalling, seed), kind="stall", level=level)).sum("stall") for seed in range(SEEDS)]
    assert all(each.error > np.sqrt(each.value * (2**level - 1)) for each in found)
    assert all(abs(miss(each, stalling)) < 4 for each in found)


def test_what_is_never_sampled_is_exact() -> None:
    people = crowd(SIZE)
    joins = state_of(*told(people, kind="join"))
    assert joins.sum("join") == (SIZE, 0)
    mixed = WindowState(joins.window)
    mixed.merge(joins)
    mixed.merge(state_of(*told(people, level=3)))
    assert mixed.sum("join") == (SIZE, 0)
    assert mixed.sum("heartbeat").error > 0
    assert mixed.sample_rate == 1 / 8


def test_errors_of_a_longer_window_come_from_the_viewers_in_it() -> None:
    people = crowd(SIZE)
    states = [state_of(*told(people, level=3, window=window)) for window in range(10, 18)]
    half, whole = (rolled_up(10, states[:windows]).sum("heartbeat") for windows in (4, 8))
    assert whole.value == sum(state.sum("heartbeat").value for state in states)
    assert whole.error == pytest.approx(2 * half.error)
