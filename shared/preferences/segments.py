"""How the segments of one content's audience fared. docs/metrics.md defines each figure."""

from dataclasses import dataclass
from typing import Final

from events.event import ENGAGEMENT_TYPES
from shared.ports import Warehouse
from shared.preferences.rows import LEAST, Row, Span, ask, kept, ms_of, named, reported

MOST: Final = 16
"""As many values as the audience API tells apart in a window."""

_BY_VIEWER: Final = """
by_viewer AS MATERIALIZED (
    SELECT nullif({by}, '') AS value, viewer_id,
        max(event_timestamp) AS newest,
        max(CASE WHEN event_type IN ({engagement}) THEN 1 ELSE 0 END) AS engaged,
        sum(watched_ms * sample_weight) AS watched_ms,
        sum(CASE WHEN event_type = 'stall' THEN sample_weight ELSE 0 END) AS stalls,
        sum(stall_ms * sample_weight) AS stall_ms,
        sum(CASE WHEN event_type = 'error' THEN 1 ELSE 0 END) AS errors,
        sum(CASE WHEN startup_ms IS NULL THEN 0 ELSE sample_weight END) AS startups,
        sum(CASE WHEN bitrate_kbps IS NULL THEN 0 ELSE watched_ms * sample_weight END) AS bitrate_ms,
        sum(CAST(bitrate_kbps AS DOUBLE) * watched_ms * sample_weight) AS bitrate_kbps_ms,
        sum(CASE WHEN bitrate_kbps IS NULL THEN 0 ELSE sample_weight END) AS bitrate_samples,
        sum(bitrate_kbps * sample_weight) AS bitrate_kbps
    FROM kept GROUP BY nullif({by}, ''), viewer_id
)"""
_SUMMED: Final = """
summed AS (
    SELECT coalesce(place, 0) AS place, max(named.value) AS value,
        count(DISTINCT viewer_id) AS viewers,
        count(DISTINCT CASE WHEN engaged = 1 THEN viewer_id END) AS engaged_viewers,
        sum(watched_ms) AS watched_ms, sum(stalls) AS stalls, sum(stall_ms) AS stall_ms, sum(errors) AS errors,
        sum(startups) AS startups, sum(bitrate_ms) AS bitrate_ms, sum(bitrate_kbps_ms) AS bitrate_kbps_ms,
        sum(bitrate_samples) AS bitrate_samples, sum(bitrate_kbps) AS bitrate_kbps
    FROM by_viewer LEFT JOIN named ON named.value = by_viewer.value
    GROUP BY coalesce(place, 0) HAVING count(DISTINCT viewer_id) >= $least
),
waits AS (
    SELECT coalesce(place, 0) AS place, startup_ms, sum(sample_weight) AS startups
    FROM kept LEFT JOIN named ON named.value = nullif({by}, '')
    WHERE startup_ms IS NOT NULL GROUP BY coalesce(place, 0), startup_ms
),
ranked_waits AS (
    SELECT place, startup_ms, sum(startups) OVER (PARTITION BY place ORDER BY startup_ms) AS so_far,
        sum(startups) OVER (PARTITION BY place) AS altogether
    FROM waits
),
medians AS (
    SELECT place, min(startup_ms) AS startup_ms_p50 FROM ranked_waits WHERE 2 * so_far >= altogether GROUP BY place
),
told AS (
    SELECT summed.*, startup_ms_p50 FROM summed LEFT JOIN medians ON medians.place = summed.place
)"""
_ANSWER: Final = """
SELECT as_of, told.* FROM (SELECT max(newest) AS as_of FROM by_viewer) AS whole LEFT JOIN told ON true
ORDER BY CASE WHEN place = 0 THEN 1 ELSE 0 END, place"""
_COLUMNS: Final = (
    "viewer_id",
    "event_type",
    "event_timestamp",
    "sample_weight",
    "watched_ms",
    "bitrate_kbps",
    "startup_ms",
    "stall_ms",
)
_ENGAGEMENT: Final = ", ".join(f"'{name}'" for name in ENGAGEMENT_TYPES)


@dataclass(frozen=True, slots=True)
class Segment:
    """Those who reported `value`; None: all others together, and those who reported none."""

    value: str | None
    viewers: int
    watched_ms: int
    engaged_viewers: int
    startups: int
    startup_ms_p50: int | None
    stalls: int
    stall_ms: int
    bitrate_kbps: float | None
    errors: int

    @property
    def engagement_rate(self) -> float:
        return self.engaged_viewers / self.viewers

    @property
    def rebuffering_ratio(self) -> float | None:
        played_or_stalled = self.stall_ms + self.watched_ms
        return self.stall_ms / played_or_stalled if played_or_stalled else None


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments with the most viewers first, all others last; `as_of` is the content's newest event, in ms."""

    segments: list[Segment]
    as_of: int | None


def segments(warehouse: Warehouse, content_id: str, by: str, span: Span) -> Segments:
    """The audience of a content by the column `by`. Raises Unavailable."""
    rows, parameters = reported(span, "content_id = $content")
    parameters |= {"content": content_id, "least": LEAST, "segments": MOST}
    by_viewer = _BY_VIEWER.replace("{engagement}", _ENGAGEMENT).replace("{by}", by)
    parts = (kept(rows, by, *_COLUMNS), by_viewer, named(), _SUMMED.replace("{by}", by))
    found = ask(warehouse, parts, _ANSWER, parameters)
    return Segments([_segment(row) for row in found if row["place"] is not None], ms_of(found[0]["as_of"]))


def _segment(row: Row) -> Segment:
    return Segment(
        value=row["value"],
        viewers=row["viewers"],
        watched_ms=int(row["watched_ms"] or 0),
        engaged_viewers=row["engaged_viewers"],
        startups=int(row["startups"]),
        startup_ms_p50=row["startup_ms_p50"],
        stalls=int(row["stalls"]),
        stall_ms=int(row["stall_ms"] or 0),
        bitrate_kbps=_bitrate_kbps(row),
        errors=int(row["errors"]),
    )


def _bitrate_kbps(row: Row) -> float | None:
    """Weighted by watched time; by reports where no watched time came with any (CMCD v1)."""
    if row["bitrate_ms"]:
        return float(row["bitrate_kbps_ms"] / row["bitrate_ms"])
    return float(row["bitrate_kbps"] / row["bitrate_samples"]) if row["bitrate_samples"] else None
