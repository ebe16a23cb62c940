"""What the viewers of a content also watch.

Rows with `no_profile` never take part: their `viewer_id` is one session's, and nothing may be told across sessions
of children and of those who gave no consent.
"""

from dataclasses import dataclass
from typing import Final

from shared.ports import Warehouse
from shared.preferences.rows import LEAST, Span, ask, ms_of, reported

_PAIRS: Final = """
pairs AS MATERIALIZED (
    SELECT content_id, viewer_id, max(event_timestamp) AS newest FROM {reported} AS reported
    GROUP BY content_id, viewer_id
),
everyone AS (SELECT count(DISTINCT viewer_id) AS everyone, max(newest) AS as_of FROM pairs),
audience AS (SELECT viewer_id FROM pairs WHERE content_id = $content),
sizes AS (SELECT content_id, count(*) AS of_all FROM pairs GROUP BY content_id),
others AS (
    SELECT content_id, count(*) AS viewers FROM pairs
    WHERE content_id <> $content AND viewer_id IN (SELECT viewer_id FROM audience)
    GROUP BY content_id HAVING count(*) >= $least
),
chosen AS (
    SELECT others.content_id, viewers, of_all FROM others JOIN sizes ON sizes.content_id = others.content_id
    ORDER BY viewers DESC, of_all, content_id LIMIT $limit
)"""
_ANSWER: Final = """
SELECT as_of, everyone, (SELECT count(*) FROM audience) AS audience, content_id, viewers, of_all
FROM everyone LEFT JOIN chosen ON true
ORDER BY viewers DESC, of_all, content_id"""


@dataclass(frozen=True, slots=True)
class Other:
    """A content that some of the audience also watched."""

    content_id: str
    viewers: int
    share: float
    """Of the audience."""
    lift: float
    """How many times its share among all viewers that is."""


@dataclass(frozen=True, slots=True)
class AlsoWatched:
    """`viewers` is the audience's size; `as_of` the newest event that was looked at, in ms."""

    viewers: int
    contents: list[Other]
    as_of: int | None


def also_watched(warehouse: Warehouse, content_id: str, span: Span, limit: int) -> AlsoWatched:
    """The contents that most of the audience also watched, at least `LEAST` of them. Raises Unavailable."""
    rows, parameters = reported(span, "NOT no_profile")
    parameters |= {"content": content_id, "least": LEAST, "limit": limit}
    found = ask(warehouse, (_PAIRS.replace("{reported}", rows),), _ANSWER, parameters)
    audience, everyone = found[0]["audience"], found[0]["everyone"]
    others = [
        Other(
            content_id=row["content_id"],
            viewers=row["viewers"],
            share=row["viewers"] / audience,
            lift=row["viewers"] * everyone / (audience * row["of_all"]),
        )
        for row in found
        if row["content_id"] is not None
    ]
    return AlsoWatched(audience, others, ms_of(found[0]["as_of"]))
