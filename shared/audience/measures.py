"""The sums of a window: one vector of integers, and how far its sampled part may be off.

Quality of experience follows CTA-2066 (Streaming Quality of Experience Events, Properties and Metrics).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from events.event import ENGAGEMENT_TYPES, EVENT_TYPES, SAMPLED_TYPES
from shared.audience.estimate import Estimate

SUMS: Final = (
    *EVENT_TYPES,
    "watched_ms",
    "stalls_timed",
    "stall_ms",
    "startups",
    "startup_ms",
    "bitrate_ms",
    "bitrate_kbit",
    "bitrate_samples",
    "bitrate_kbps",
    "buffer_samples",
    "buffer_ms",
    "throughput_samples",
    "throughput_kbps",
)
"""Weighted where sampled. An event type counts its events. `bitrate_ms` is the watched time whose bitrate is known
and `bitrate_kbit` what was played in it; `x_samples` counts the events that told x, whose values `x_unit` adds up."""

TALLIES: Final = ("received", "sampled_out", "duplicate", "counted")
"""Events, never weighted: `counted` are those merged into this window, the others are records' tallies."""

STEPS_PER_OCTAVE: Final = 8
STARTUP_BINS: Final = 17 * STEPS_PER_OCTAVE + 1
"""Start-up times by their logarithm: 2^(1/8) a step up to 2^17 ms (131 s), so that a quantile is within 4.5%."""

PLACE: Final = {name: place for place, name in enumerate((*SUMS, *TALLIES))}
STARTUP_START: Final = len(PLACE)
COUNTERS: Final = STARTUP_START + STARTUP_BINS
SAMPLED_PLACES: Final = [PLACE[name] for name in SAMPLED_TYPES]

GROUPS: Final = 16
"""Viewers fall into as many groups by a hash of their own; the spread of the groups' sums is their error."""

Counters = NDArray[np.int64]
Groups = NDArray[np.int64]


NO_COUNTERS: Final[Counters] = np.zeros(COUNTERS, dtype=np.int64)
NO_COUNTERS.flags.writeable = False


def startup_bins(startup_ms: NDArray[np.int64]) -> NDArray[np.intp]:
    """The bin of each start-up time in ms."""
    steps = np.ceil(np.log2(np.maximum(startup_ms, 1)) * STEPS_PER_OCTAVE)
    bins: NDArray[np.intp] = np.minimum(steps, STARTUP_BINS - 1).astype(np.intp)
    return bins


def startup_quantile(counters: Counters, quantile: float) -> int | None:
    """The start-up time in ms that a share `quantile` of start-ups did not exceed; None without any."""
    bins = counters[STARTUP_START:]
    known = int(bins.sum())
    if not known:
        return None
    step = int(np.searchsorted(np.cumsum(bins), max(1, math.ceil(quantile * known))))
    return round(2 ** ((step - 0.5) / STEPS_PER_OCTAVE)) if step else 1


def summed(counters: Counters, groups: Groups | None, name: str, level: int) -> Estimate:
    """A sum and its standard error; the lowest rate that was met is r = 1/2**level.

    The sampled part S is a sum over 16 groups of viewers, drawn alike: s·√16, s being their standard deviation. A few
    events may lie evenly in the groups by chance, so the error is at least that of the m events found being drawn one
    by one: S·√((1 − r)(m + 1)) / m, one more than were found since few may also be too few by chance.
    """
    value = int(counters[PLACE[name]])
    if groups is None or name in TALLIES:
        return Estimate(value)
    part = groups[:, PLACE[name]]
    spread = math.sqrt(GROUPS * float(np.var(part, ddof=1)))
    rate = 0.5**level
    found = rate * float(part.sum() if name in EVENT_TYPES else groups[:, SAMPLED_PLACES].sum())
    least = float(part.sum()) * math.sqrt((1 - rate) * (found + 1)) / found if found else 0.0
    return Estimate(value, max(spread, least))


def engagements(counters: Counters) -> int:
    """Events by which viewers took part."""
    return sum(int(counters[PLACE[name]]) for name in ENGAGEMENT_TYPES)
