from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.aggregate.lag import binned
from shared.log_bins import LAST_BIN, bin_of, middle_of, quantile

VALUES = st.lists(st.integers(1, 1 << 40), min_size=1, max_size=50)


@settings(max_examples=100)
@given(VALUES, st.floats(0.01, 1))
def test_a_quantile_is_within_four_and_a_half_percent(values: list[int], share: float) -> None:
    told = quantile(Counter(map(bin_of, values)), share)
    exact = sorted(values)[max(1, int(np.ceil(share * len(values)))) - 1]
    assert told == pytest.approx(exact, rel=0.045)


def test_of_nothing_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None


@pytest.mark.parametrize(("value", "expected"), [(-5, 0), (0, 0), (1, 0), (2, 8), (1_024, 80), (2.0**60, LAST_BIN)])
def test_powers_of_two_are_the_upper_ends_of_bins(value: float, expected: int) -> None:
    assert bin_of(value) == expected
    assert value <= 1 or expected == LAST_BIN or middle_of(expected) < value


@settings(max_examples=100)
@given(st.lists(st.integers(-10, 1 << 31), min_size=1, max_size=50))
def test_many_at_once_fall_into_the_same_bins(values: list[int]) -> None:
    told, exact = binned(np.array(values)), Counter(map(bin_of, values))
    assert sum(told.values()) == len(values)
    for share in (0.1, 0.5, 0.9, 1.0):
        assert quantile(told, share) == pytest.approx(quantile(exact, share), rel=0.1)  # a bin's edge, at most
