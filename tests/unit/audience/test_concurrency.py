"""Concurrent viewers told from sketches: who left, who came back, and how far off it may be."""

import numpy as np

from shared.audience.concurrency import concurrent
from tests.builders import KICK_OFF
from tests.unit.audience.crowds import crowd, state_of, told

WINDOW = KICK_OFF // 5_000


def half_time(seed: int) -> tuple[int, float]:
    """5,000 watch, 4,000 of them stop, 3,000 of these come back in the next window: an estimate and its error."""
    viewers = crowd(5_000, seed)
    states = [
        state_of(*told(viewers, window=WINDOW - 2)),
        state_of(*told(viewers[:4_000], kind="stop", window=WINDOW - 1)),
        state_of(*told(viewers[:3_000], kind="play", window=WINDOW)),
    ]
    assert not any(state.presence.exact for state in states)
    return concurrent(WINDOW, states)


def test_who_stopped_and_came_back_in_a_later_window_is_there_again() -> None:
    value, error = half_time(1)

    assert abs(value - 4_000) <= 4 * error
    assert error < 200


def test_the_error_of_a_crowd_that_comes_and_goes_is_honest() -> None:
    found = np.array([half_time(seed) for seed in range(20)])
    off = (found[:, 0] - 4_000) / found[:, 1]

    assert abs(off.mean()) < 4 / np.sqrt(len(off))
    assert 0.3 < np.sqrt((off**2).mean()) < 1.5
