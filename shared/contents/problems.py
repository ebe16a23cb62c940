"""What an operator should look at: each problem with what was found and the limit that it passed.

docs/metrics.md tells the same limits to people; a test holds the two together.
"""

from typing import Final, NamedTuple

from shared.audience.measures import startup_quantile
from shared.audience.recent import Recent
from shared.contents.catalogue import Entry
from shared.units import MINUTE_MS

STALLING_RATIO: Final = 0.02
STALLING_LEAST_MS: Final = MINUTE_MS
"""Played and stalled time below which one viewer's bad line would speak for all."""
SLOW_START_MS: Final = 5_000
FEWEST_STARTS: Final = 5
ERRORS_PER_VIEWER: Final = 0.1
FEWEST_ERRORS: Final = 3
DROP_SHARE: Final = 0.3
FEWEST_BEFORE_DROP: Final = 20
ENDING_MS: Final = 5 * MINUTE_MS
NO_REPORTS_SECONDS: Final = 30
LATE_START_SECONDS: Final = 60
LATE_FIGURES_MS: Final = 5_000
"""So far behind, nobody knows whether viewers left or their reports only wait."""


class Problem(NamedTuple):
    """`value` was found, `limit` is what it passed; both in the unit of the code's definition."""

    code: str
    value: float
    limit: float


def rebuffering_ratio(recent: Recent) -> float | None:
    """Of the last whole minute and the running one; None when nobody played."""
    stalled = recent.sum("stall_ms")
    spent = stalled + recent.sum("watched_ms")
    return round(stalled / spent, 6) if spent else None


def of_live(recent: Recent, entry: Entry | None, now_ms: int, delay_ms: int | None, silent_ms: int) -> list[Problem]:
    """What is wrong with a live content of which nothing was reported for `silent_ms`; the same order always."""
    found = [_stalling(recent), _slow_start(recent), _errors(recent)]
    if delay_ms is None or delay_ms <= LATE_FIGURES_MS:
        found += [_sudden_drop(recent, entry, now_ms), _no_reports(recent, silent_ms)]
    return [problem for problem in found if problem is not None]


def of_upcoming(starts_at: int, now_ms: int) -> list[Problem]:
    """What is wrong with a content that nobody watches yet."""
    late = (now_ms - starts_at) // 1_000
    return [Problem("late_start", late, LATE_START_SECONDS)] if late >= LATE_START_SECONDS else []


def _stalling(recent: Recent) -> Problem | None:
    ratio = rebuffering_ratio(recent)
    enough = recent.sum("stall_ms") + recent.sum("watched_ms") >= STALLING_LEAST_MS
    return Problem("stalling", ratio, STALLING_RATIO) if enough and ratio and ratio >= STALLING_RATIO else None


def _slow_start(recent: Recent) -> Problem | None:
    median = startup_quantile(recent.counters, 0.5)
    if median is None or recent.sum("startups") < FEWEST_STARTS or median < SLOW_START_MS:
        return None
    return Problem("slow_start", median, SLOW_START_MS)


def _errors(recent: Recent) -> Problem | None:
    errors = recent.sum("error")
    before = recent.ago[1]
    a_viewer = errors / max(1, recent.now.value, before.value if before else 0)
    if errors < FEWEST_ERRORS or a_viewer < ERRORS_PER_VIEWER:
        return None
    return Problem("errors", round(a_viewer, 4), ERRORS_PER_VIEWER)


def _sudden_drop(recent: Recent, entry: Entry | None, now_ms: int) -> Problem | None:
    before = recent.ago[1]
    ending = entry is not None and entry.ends_at is not None and now_ms >= entry.ends_at - ENDING_MS
    if before is None or before.value < FEWEST_BEFORE_DROP or ending:
        return None
    share = 1 - recent.now.value / before.value
    return Problem("sudden_drop", round(share, 4), DROP_SHARE) if share >= DROP_SHARE else None


def _no_reports(recent: Recent, silent_ms: int) -> Problem | None:
    seconds = silent_ms // 1_000
    if recent.now.value or seconds < NO_REPORTS_SECONDS:
        return None
    return Problem("no_reports", seconds, NO_REPORTS_SECONDS)
