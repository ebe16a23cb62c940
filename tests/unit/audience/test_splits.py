"""Shares by value: exact for a sample's worth of viewers, within their error beyond, cut alike in any order."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.aggregate.handler import BATCH_RECORDS
from shared.audience import splits as module
from shared.audience.codec import decode, encode
from shared.audience.marks import PAGE_RECEPTIONS
from shared.audience.measures import GROUPS, SUMS
from shared.audience.presence import FLAGS, Presence
from shared.audience.splits import (
    DIMENSIONS,
    EVERYONE,
    MAX_COUNTRIES,
    MAX_NAME_BYTES,
    MAX_VALUES,
    SAMPLE_VIEWERS,
    VALUES_PER_VIEWER,
    Splits,
    Value,
    gathered,
    named,
    rank,
)
from shared.audience.window import WindowState
from shared.ports import MAX_VALUE_BYTES
from tests.unit.audience.crowds import crowd, state_of, told

Pair = tuple[int, Value]


def splits_of(pairs: Sequence[Pair]) -> Splits:
    """Each (viewer, value) pair an event."""
    values = tuple(sorted({value for _, value in pairs}, key=rank))
    codes = np.array([values.index(value) for _, value in pairs], dtype=np.intp)
    viewers = np.array([viewer << 12 for viewer, _ in pairs], dtype=np.uint64)
    return gathered(values, np.bincount(codes, minlength=len(values)).astype(np.int64), viewers, codes)


def same(one: Splits, other: Splits) -> bool:
    return encode(WindowState(1, splits=one)) == encode(WindowState(1, splits=other))


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits small enough for a handful of pairs to pass them."""
    monkeypatch.setattr(module, "SAMPLE_VIEWERS", 5)
    monkeypatch.setattr(module, "MAX_VALUES", 3)
    monkeypatch.setattr(module, "MAX_COUNTRIES", 4)
    monkeypatch.setattr(module, "VALUES_PER_VIEWER", 2)
    module._united.cache_clear()


PAIRS = st.lists(
    st.tuples(st.integers(0, 12), st.tuples(st.integers(0, 2), st.sampled_from(("", *"abcdefg")))),
    min_size=1,
    max_size=30,
)


@pytest.mark.usefixtures("narrow")
@given(st.lists(PAIRS, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_limits_cut_alike_in_any_order_and_grouping(parts: list[list[Pair]]) -> None:
    together = splits_of([pair for part in parts for pair in part])
    one_by_one = Splits()
    for part in reversed(parts):
        one_by_one.merge(splits_of(part))
    nested = Splits()
    for part in parts:
        inner = splits_of(part)
        inner.merge(nested)
        nested = inner
    assert same(together, one_by_one)
    assert same(together, nested)


def test_up_to_the_limit_viewers_of_a_value_are_exact() -> None:
    state = state_of(*told(crowd(SAMPLE_VIEWERS), countries=("FR", "DE", "FR", "FR")))
    found = {share.value: share.viewers for share in state.shares("country")}
    assert found == {"FR": (SAMPLE_VIEWERS * 3 // 4, 0), "DE": (SAMPLE_VIEWERS // 4, 0)}


def test_beyond_it_they_are_within_four_standard_errors() -> None:
    for seed in range(5):
        state = state_of(*told(crowd(12_000, seed), countries=("FR", "DE", "FR", "FR")))
        found = {share.value: share for share in state.shares("country")}
        assert found["FR"].events == 9_000
        for value, truth in (("FR", 9_000), ("DE", 3_000)):
            viewers = found[value].viewers
            assert viewers.error > 0
            assert abs(viewers.value - truth) <= 4 * viewers.error


def test_a_value_past_the_limit_counts_as_other() -> None:
    state = state_of(*told(crowd(MAX_COUNTRIES + 30), countries=[f"c{n}" for n in range(MAX_COUNTRIES + 30)]))
    shares = state.shares("country")
    assert len(shares) == MAX_COUNTRIES + 1
    assert (shares[-1].value, shares[-1].events, shares[-1].viewers.value) == ("", 30, 30)
    assert sum(share.events for share in shares) == MAX_COUNTRIES + 30


def test_a_dimension_without_values_is_empty() -> None:
    empty = WindowState(1)
    assert empty.shares("tier") == []
    assert empty.engaged_viewers() == (0, 0)


def test_the_largest_state_fits_a_value() -> None:
    chance = np.random.default_rng(1)
    names = [
        (dimension, f"{number:03d}" + chance.bytes(18).hex()[: MAX_NAME_BYTES - 3])
        for dimension in range(len(DIMENSIONS))
        for number in range(MAX_COUNTRIES if dimension == 1 else MAX_VALUES)
    ]
    values = tuple(sorted((*names, *((dimension, "") for dimension in range(len(DIMENSIONS)))), key=rank))
    viewers = np.sort(chance.integers(0, 2**64, 2 * SAMPLE_VIEWERS, dtype=np.uint64))
    codes_of = [
        [code for code, (of, _) in enumerate(values) if of == dimension] for dimension in range(len(DIMENSIONS))
    ]
    each = [
        chance.choice(codes_of[dimension], VALUES_PER_VIEWER, replace=False)
        for _ in viewers
        for dimension in range(len(DIMENSIONS))
    ]
    codes = np.concatenate(each)
    owners = np.repeat(viewers, VALUES_PER_VIEWER * len(DIMENSIONS))
    state = WindowState(
        window=1,
        level=6,
        counters=chance.integers(0, 2**40, len(WindowState(1).counters)),
        groups=chance.integers(0, 2**40, (GROUPS, len(SUMS))),
        splits=gathered(values, chance.integers(1, 2**40, len(values)), owners, codes),
        presence=Presence(),
    )
    assert state.splits.threshold < EVERYONE
    people = chance.integers(0, 2**64, 40_000, dtype=np.uint64)
    state.presence = Presence.of(np.sort(people), chance.integers(1, 2**32, len(people), dtype=np.uint32))
    assert len(state.presence.sketches) == FLAGS
    for _ in range(PAGE_RECEPTIONS + BATCH_RECORDS):
        state.marks.add(chance.bytes(16), chance.bytes(8), int(chance.integers(2**31)))
    value = encode(state)
    assert len(value) <= MAX_VALUE_BYTES
    assert encode(decode(value)) == value


def test_words_are_named_within_the_limit() -> None:
    assert named(0, "x" * MAX_NAME_BYTES) == (0, "x" * MAX_NAME_BYTES)
    assert named(0, "x" * (MAX_NAME_BYTES + 1)) == (0, "")
