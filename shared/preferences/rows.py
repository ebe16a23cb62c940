"""The rows of the history that a question is about, as the start of its SQL.

What is named more than once is MATERIALIZED, or it would be worked out each time. Names of columns and pieces of SQL
are set in by `replace`, never anything that a caller sends: values are `$name` parameters.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.ports import Warehouse

LEAST: Final = 5
"""A group of fewer viewers is never told by itself."""

Row = dict[str, Any]

_PIECE: Final = """SELECT * FROM fact_stream_events
    WHERE {partitions} AND event_timestamp >= $since AND event_timestamp < $until AND {where}"""

_KEPT: Final = """
kept AS (
    SELECT {columns} FROM {reported} AS sure WHERE exact
    UNION ALL
    SELECT {columns} FROM (
        SELECT *, row_number() OVER (
            PARTITION BY source, session_id, event_id ORDER BY received_at, record_id, event_timestamp
        ) AS place
        FROM {reported} AS reported
        WHERE EXISTS (
            SELECT 1 FROM {reported} AS loose
            WHERE NOT loose.exact AND loose.source = reported.source
                AND loose.session_id = reported.session_id AND loose.event_id = reported.event_id
        )
    ) AS told
    WHERE place = 1 AND NOT exact
)"""

_NAMED: Final = """
members AS MATERIALIZED (SELECT DISTINCT value, viewer_id FROM by_viewer),
sizes AS (
    SELECT value, count(*) AS viewers FROM members WHERE value IS NOT NULL GROUP BY value HAVING count(*) >= $least
),
ranked AS (SELECT value, row_number() OVER (ORDER BY viewers DESC, value) AS place FROM sizes),
listed AS MATERIALIZED (SELECT value, place FROM ranked WHERE place <= $segments),
rest AS (
    SELECT count(DISTINCT viewer_id) AS viewers FROM members
    WHERE value IS NULL OR value NOT IN (SELECT value FROM listed)
),
named AS MATERIALIZED (
    SELECT value, place FROM listed
    WHERE place < (SELECT max(place) FROM listed) OR (SELECT viewers FROM rest) NOT BETWEEN 1 AND $least - 1
)"""


@dataclass(frozen=True, slots=True)
class Span:
    """Events with a timestamp in [since_ms, until_ms)."""

    since_ms: int
    until_ms: int


def reported(span: Span, where: str = "true") -> tuple[str, dict[str, object]]:
    """The rows of a span that `where` holds for, as a subquery with its parameters.

    A subquery and no common table, which would be made whole, with columns that nobody asks for.
    Days and hours are named so that no file of another hour is opened: those of the first day, of the days between,
    of the last day.
    """
    first, last = _utc(span.since_ms), _utc(span.until_ms - 1)
    parameters: dict[str, object] = {"since": first, "until": _utc(span.until_ms), "first_date": first.date()}
    if first.date() == last.date():
        partitions = ["date = $first_date AND hour BETWEEN $first_hour AND $last_hour"]
    else:
        partitions = ["date = $first_date AND hour >= $first_hour", "date = $last_date AND hour <= $last_hour"]
        if last.date() - first.date() > dt.timedelta(days=1):
            partitions.append("date > $first_date AND date < $last_date")
        parameters["last_date"] = last.date()
    parameters |= {"first_hour": first.hour, "last_hour": last.hour}
    pieces = [_PIECE.replace("{partitions}", each).replace("{where}", where) for each in partitions]
    return "(" + "\n    UNION ALL\n    ".join(pieces) + ")", parameters


def kept(rows: str, *columns: str) -> str:
    """`kept`: what is in `rows` without what senders without a `batch_id` repeated, as compaction will leave it.

    Of the rows of one (source, session, event id) those of bodies with a `batch_id` all stay, and another only where
    it was received first. Only events of which there is such another are put in order.
    """
    return _KEPT.replace("{columns}", ", ".join(columns)).replace("{reported}", rows)


def named() -> str:
    """`named`: the `$segments` values of `by_viewer` with the most viewers, and their places from 1.

    No value of fewer than `$least` viewers is among them. Where those who are left over would be fewer than that, the
    value with the fewest viewers is left over too: nobody is told by taking the named values from the whole.
    """
    return _NAMED


def ask(warehouse: Warehouse, parts: tuple[str, ...], answer: str, parameters: Mapping[str, object]) -> list[Row]:
    """The rows of `answer` after its `parts`, one query and so one version of the history."""
    return warehouse.query("WITH " + ",".join(parts) + answer, dict(parameters))


def ms_of(moment: dt.datetime | None) -> int | None:
    """A timestamp of the history in ms since epoch."""
    return None if moment is None else int(moment.replace(tzinfo=dt.UTC).timestamp() * 1_000)


def _utc(ms: int) -> dt.datetime:
    """As timestamps are in the warehouse: UTC, which they do not say."""
    return dt.datetime.fromtimestamp(ms / 1_000, dt.UTC).replace(tzinfo=None)
