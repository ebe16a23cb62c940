"""How long a viewer watched, in all and without what was seen before."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared.viewing.facts import NO_POSITION, Facts
from shared.viewing.intervals import union_length

UNKNOWN = "unknown"
"""The type of a content that no sender named one for."""


class WatchTime(msgspec.Struct):
    """`total_ms` counts every report; `unique_ms` a stretch of a content once, however often it was watched."""

    total_ms: int = 0
    unique_ms: int = 0


def watch_time(facts: Facts) -> tuple[WatchTime, dict[str, WatchTime]]:
    """One viewer's watch time, total and by content type."""
    by_type: dict[str, WatchTime] = {}
    for content in np.unique(facts.content):
        reports = facts.where(facts.content == content)
        kinds = [facts.kinds[kind] for kind in np.unique(reports.kind)]
        known = sorted(kind for kind in kinds if kind is not None)
        times = by_type.setdefault(known[0] if known else UNKNOWN, WatchTime())
        times.total_ms += int(reports.watched_ms.sum())
        times.unique_ms += _unique(reports)
    total = WatchTime(
        sum(times.total_ms for times in by_type.values()), sum(times.unique_ms for times in by_type.values())
    )
    return total, dict(sorted(by_type.items()))


def _unique(reports: Facts) -> int:
    """Stretches of the content where the player told its position, else of the clock."""
    placed = reports.position_ms != NO_POSITION
    by_position = _union(reports.position_ms[placed], reports.media_ms[placed])
    return by_position + _union(reports.at[~placed], reports.watched_ms[~placed])


def _union(ends: NDArray[Any], lengths: NDArray[Any]) -> int:
    return union_length(ends - lengths, ends)
