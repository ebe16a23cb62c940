"""Who was there: exact rows up to the limit, sketches past it, the same however they were merged."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.audience.codec import decode, encode
from shared.audience.concurrency import LOOKBACK_WINDOWS, concurrent
from shared.audience.distinct import EXACT_LIMIT
from shared.audience.presence import Presence
from shared.audience.window import WindowState, rolled_up
from tests.builders import KICK_OFF
from tests.unit.audience.crowds import crowd, state_of, told

WINDOW = KICK_OFF // 5_000
HASHES = st.integers(0, 2**64 - 1)


def presence(rows: dict[int, int]) -> Presence:
    ordered = sorted(rows)
    return Presence.of(
        np.array(ordered, dtype=np.uint64), np.array([rows[each] for each in ordered], dtype=np.uint32)
    )


def big(count: int, seed: int) -> Presence:
    """Of more viewers than are kept one by one."""
    chance = np.random.default_rng(seed)
    viewers = np.unique(chance.integers(0, 2**64, count, dtype=np.uint64))
    return Presence.of(viewers, chance.integers(0, 2**32, len(viewers), dtype=np.uint32) | np.uint32(1))


def same(one: Presence, other: Presence) -> bool:
    return encode(WindowState(1, presence=one)) == encode(WindowState(1, presence=other))


@given(
    st.lists(st.dictionaries(HASHES, st.integers(1, 2**32 - 1), max_size=20), min_size=1, max_size=5), st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_merging_is_commutative_and_associative(parts: list[dict[int, int]], crowded: bool) -> None:
    parts = [{viewer: row | 1 for viewer, row in part.items()} for part in parts]
    first, last, nested = Presence(), Presence(), Presence()
    if crowded:
        first.merge(big(EXACT_LIMIT + 10, 1))
    for part in parts:
        first.merge(presence(part))
        inner = presence(part)
        inner.merge(nested)
        nested = inner
    for part in reversed(parts):
        last.merge(presence(part))
    if crowded:
        last.merge(big(EXACT_LIMIT + 10, 1))
        nested.merge(big(EXACT_LIMIT + 10, 1))
    assert same(first, last)
    assert same(first, nested)
    assert first.exact is not crowded


def test_the_limit_is_crossed_alike_by_one_step_and_by_many() -> None:
    whole, stepwise = big(5_000, 3), Presence()
    chance = np.random.default_rng(3)
    viewers = np.unique(chance.integers(0, 2**64, 5_000, dtype=np.uint64))
    packed = chance.integers(0, 2**32, len(viewers), dtype=np.uint32) | np.uint32(1)
    for start in range(0, len(viewers), 700):
        stepwise.merge(Presence.of(viewers[start : start + 700], packed[start : start + 700]))
    assert not whole.exact
    assert same(whole, stepwise)


def test_viewers_are_exact_up_to_the_limit_and_close_beyond() -> None:
    people = crowd(EXACT_LIMIT + 1)
    assert state_of(*told(people[:-1])).viewers() == (EXACT_LIMIT, 0)
    beyond = state_of(*told(people)).viewers()
    assert beyond.error > 0
    assert abs(beyond.value - len(people)) <= 4 * beyond.error


def test_concurrent_viewers_of_a_crowd_are_close() -> None:
    people = crowd(9_000)
    before = state_of(*told(people[:6_000], window=WINDOW - 2))
    gone = state_of(*told(people[:1_500], window=WINDOW - 1, kind="stop"))
    now = state_of(*told(people[6_000:], window=WINDOW))
    away = state_of(*told(crowd(4_000, 9), window=WINDOW - 3))
    found = concurrent(WINDOW, [before, gone, now, away])
    assert found.error > 0
    assert abs(found.value - 7_500) <= 4 * found.error


def test_a_sampled_crowd_is_told_at_the_lowest_rate() -> None:
    people = crowd(60_000, 4)
    sampled = state_of(*told(people, level=3), *told(people[:2_000], kind="join", level=3))
    assert sampled.level == 3
    found = sampled.viewers()
    assert abs(found.value - len(people)) <= 4 * found.error
    at_end = concurrent(WINDOW, [sampled])
    assert abs(at_end.value - len(people)) <= 4 * at_end.error


def test_concurrency_with_no_states_is_none() -> None:
    assert concurrent(WINDOW, []) == (0, 0)
    assert concurrent(WINDOW, [WindowState(WINDOW), WindowState(WINDOW - LOOKBACK_WINDOWS)]) == (0, 0)


def test_a_longer_interval_looks_back_further_in_a_crowd() -> None:
    people = crowd(5_000)
    for interval, windows in ((10, 3), (20, 6), (30, 9), (60, 18), (300, 18)):
        state = state_of(*told(people, interval=interval))
        last = concurrent(WINDOW + windows - 1, [state])
        assert abs(last.value - len(people)) <= 4 * last.error
        assert concurrent(WINDOW + windows, [state]).value == 0


def test_an_hour_of_a_crowd_counts_each_viewer_once() -> None:
    people = crowd(4_000)
    hour = rolled_up(WINDOW, [state_of(*told(people, window=WINDOW + step)) for step in range(3)])
    viewers = hour.viewers()
    assert abs(viewers.value - len(people)) <= 4 * viewers.error
    few = rolled_up(WINDOW, [state_of(*told(people[:100], window=WINDOW + step)) for step in range(3)])
    assert few.viewers() == (100, 0)


def test_the_stored_state_of_a_crowd_is_read_as_it_was() -> None:
    state = state_of(*told(crowd(5_000), countries=("FR", "DE", None)))
    again = decode(encode(state))
    assert encode(again) == encode(state)
    assert again.viewers() == state.viewers()
    assert again.shares("country") == state.shares("country")
