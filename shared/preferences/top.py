"""The contents that each segment of all viewers watches most."""

from dataclasses import dataclass
from itertools import groupby
from typing import Final

from shared.ports import Warehouse
from shared.preferences.rows import LEAST, Row, Span, ask, kept, ms_of, named, reported

_BY_VIEWER: Final = """
by_viewer AS MATERIALIZED (
    SELECT nullif({by}, '') AS value, viewer_id, content_id,
        sum(watched_ms * sample_weight) AS watched_ms, max(event_timestamp) AS newest
    FROM kept GROUP BY nullif({by}, ''), viewer_id, content_id
)"""
_RANKED: Final = """
segments AS (
    SELECT coalesce(place, 0) AS place, max(named.value) AS value, count(DISTINCT viewer_id) AS viewers
    FROM members LEFT JOIN named ON named.value = members.value
    GROUP BY coalesce(place, 0) HAVING count(DISTINCT viewer_id) >= $least
),
placed AS (
    SELECT coalesce(place, 0) AS place, viewer_id, content_id, sum(watched_ms) AS watched_ms
    FROM by_viewer LEFT JOIN named ON named.value = by_viewer.value
    GROUP BY coalesce(place, 0), viewer_id, content_id
),
sums AS (
    SELECT place, content_id, coalesce(sum(watched_ms), 0) AS watched_ms, count(*) AS watchers
    FROM placed GROUP BY place, content_id HAVING count(*) >= $least
),
contents AS (
    SELECT place, content_id, watched_ms, watchers, row_number() OVER (
        PARTITION BY place ORDER BY watched_ms DESC, watchers DESC, content_id
    ) AS rank FROM sums
),
told AS (
    SELECT segments.place, value, viewers, content_id, watched_ms, watchers, rank
    FROM segments LEFT JOIN contents ON contents.place = segments.place AND rank <= $limit
)"""
_ANSWER: Final = """
SELECT as_of, place, value, viewers, content_id, watched_ms, watchers
FROM (SELECT max(newest) AS as_of FROM by_viewer) AS whole LEFT JOIN told ON true
ORDER BY CASE WHEN place = 0 THEN 1 ELSE 0 END, place, rank"""


@dataclass(frozen=True, slots=True)
class Watched:
    """A content that a segment watches, and how many of the segment's viewers do."""

    content_id: str
    watched_ms: int
    viewers: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Those who reported `value`; None: all others together, and those who reported none."""

    value: str | None
    viewers: int
    contents: list[Watched]


@dataclass(frozen=True, slots=True)
class Top:
    """Segments with the most viewers first, all others last; `as_of` is the newest event looked at, in ms."""

    segments: list[Segment]
    as_of: int | None


def top(warehouse: Warehouse, by: str, span: Span, segments: int, limit: int) -> Top:
    """By the column `by`, the most watched contents of each segment. Raises Unavailable."""
    rows, parameters = reported(span)
    parameters |= {"least": LEAST, "segments": segments, "limit": limit}
    columns = (by, "viewer_id", "content_id", "watched_ms", "sample_weight", "event_timestamp")
    parts = (kept(rows, *columns), _BY_VIEWER.replace("{by}", by), named(), _RANKED)
    found = ask(warehouse, parts, _ANSWER, parameters)
    told = groupby((row for row in found if row["place"] is not None), lambda row: row["place"])
    return Top([_segment(list(of_one)) for _, of_one in told], ms_of(found[0]["as_of"]))


def _segment(rows: list[Row]) -> Segment:
    contents = [
        Watched(row["content_id"], int(row["watched_ms"]), row["watchers"])
        for row in rows
        if row["content_id"] is not None
    ]
    return Segment(rows[0]["value"], rows[0]["viewers"], contents)
