"""How many watch at once.

concurrent(t) counts the viewers whose newest appearance in (t − 1.5 × interval, t] is not a stop, the interval being
the one that the newest appearance echoed. t is a window's last millisecond, so that an interval of 10 s covers
exactly the window and the two before it.
"""

import math
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.audience.distinct import Registers, estimate, no_registers
from shared.audience.estimate import Estimate, scaled_sample
from shared.audience.presence import (
    INTERVAL_CLASSES,
    INTERVAL_MASK,
    INTERVAL_SHIFT,
    OFFSET_SHIFT,
    STOP_BIT,
    STOPS,
    sampled_rows,
)
from shared.audience.window import WindowState
from shared.hashing_np import Hashes
from shared.units import WINDOW_MS

EXACT_ROWS: Final = 1 << 18
"""Up to so many rows in all, viewers are followed one by one from window to window; past it, sketches."""


def lookback(interval: int) -> int:
    """How many windows, the last included, decide about viewers who report every `interval` seconds."""
    return -(-interval * 1_500 // WINDOW_MS)


LOOKBACK_WINDOWS: Final = lookback(INTERVAL_CLASSES[-1])
"""18: the window and the 17 before it decide about its concurrent viewers."""


def concurrent(window: int, states: Iterable[WindowState]) -> Estimate:
    """Concurrent viewers at the end of `window`.

    `states` are those of the window and of enough before it (LOOKBACK_WINDOWS in all), of every k, in any order; what
    lies outside is left out. Exact while each state is exact and unsampled. Else |seen| − |stopped and not
    since seen|, by unions of sketches: who stopped and came back within one window is missed. With sampling, told at
    the lowest rate met.
    """
    involved = [state for state in states if window - LOOKBACK_WINDOWS < state.window <= window]
    level = max((state.level for state in involved), default=0)
    rows = sum(len(state.presence.viewers) for state in involved)
    if all(state.presence.exact for state in involved) and rows <= EXACT_ROWS:
        return _followed(window, involved, level)
    return _sketched(window, involved, level)


def _followed(window: int, states: list[WindowState], level: int) -> Estimate:
    viewers, since_end, packed = _appearances(window, states)
    if not len(viewers):
        return Estimate(0)
    newest = np.lexsort((packed, -since_end, viewers))
    viewers, since_end, packed = viewers[newest], since_end[newest], packed[newest]
    last = np.append(viewers[1:] != viewers[:-1], True)
    interval = ((packed >> np.uint32(INTERVAL_SHIFT)) & INTERVAL_MASK).astype(np.int64)
    there = last & (packed & np.uint32(STOP_BIT) == 0) & (since_end < interval * 1_500)
    return scaled_sample(sampled_rows(viewers[there], level), 0.5**level)


def _appearances(window: int, states: list[WindowState]) -> tuple[Hashes, NDArray[np.int64], NDArray[np.uint32]]:
    """Viewers, how many ms before the window's last one they appeared, and their packed rows."""
    viewers = [state.presence.viewers for state in states]
    packed = [state.presence.packed for state in states]
    since_end = [
        (window - state.window + 1) * WINDOW_MS - 1 - (rows >> np.uint32(OFFSET_SHIFT)).astype(np.int64)
        for state, rows in zip(states, packed, strict=True)
    ]
    if not states:
        return np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.uint32)
    return np.concatenate(viewers), np.concatenate(since_end), np.concatenate(packed)


def _sketched(window: int, states: list[WindowState], level: int) -> Estimate:
    """|seen| less, from the newest window to the oldest, those who stopped in it and were not seen since.

    Of the latter there are as many as the union of all seen since grows by when they are added to it. Its variance
    grows alike, as of a sum of independent parts.
    """
    seen = no_registers()
    gone, variance = 0, 0.0
    for number in sorted({state.window for state in states}, reverse=True):
        recent = [pair for state in states if state.window == number for pair in _recent(window, state)]
        since = estimate(seen, level)
        stopped = seen.copy()
        for flag, registers in recent:
            if flag >= STOPS:
                np.maximum(stopped, registers, out=stopped)
        with_stopped = estimate(stopped, level)
        gone += with_stopped.value - since.value
        variance += with_stopped.error**2 - since.error**2
        for flag, registers in recent:
            if flag < STOPS:
                np.maximum(seen, registers, out=seen)
    there = estimate(seen, level)
    return Estimate(max(0, there.value - gone), math.sqrt(there.error**2 + max(0.0, variance)))


def _recent(window: int, state: WindowState) -> list[tuple[int, Registers]]:
    """The state's sketches of viewers whose interval reaches from there to the end of `window`."""
    return [
        (flag, registers)
        for flag, registers in state.presence.as_sketches().items()
        if window - state.window < lookback(INTERVAL_CLASSES[flag % STOPS])
    ]
