"""A stretch that was watched twice counts once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shared.viewing.intervals import union_length


def length(*intervals: tuple[int, int]) -> int:
    starts, ends = np.array(intervals, dtype=np.int64).reshape(-1, 2).T
    return union_length(starts, ends)


def test_nothing_watched_is_nothing() -> None:
    assert length() == 0


def test_stretches_apart_add_up_and_stretches_that_overlap_do_not() -> None:
    assert length((0, 10), (20, 30)) == 20
    assert length((0, 10), (5, 15)) == 15
    assert length((0, 10), (10, 20)) == 20
    assert length((0, 30), (5, 15)) == 30


@given(st.lists(st.tuples(st.integers(-30, 30), st.integers(-30, 30)).map(lambda pair: (min(pair), max(pair)))))
def test_it_counts_the_points_that_lie_in_any(intervals: list[tuple[int, int]]) -> None:
    assert length(*intervals) == len({point for start, end in intervals for point in range(start, end)})
