"""Which contents are watched most."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from shared.audience.estimate import Estimate
from shared.audience.query import AudienceReader
from shared.audience.rollup import HOUR, of_parts
from shared.audience.totals import MINUTES_PER_HOUR, Totals


class Ranked(NamedTuple):
    """A content's place in the ranking: `viewers` are distinct over the hours that the window touches."""

    content_id: str
    watched_ms: int
    events: int
    viewers: Estimate


def ranked(totals: Mapping[str, Totals], limit: int, may_list: Callable[[str], bool]) -> list[tuple[str, Totals]]:
    """The `limit` contents with the most watched time, then events; what ties still stands in order of its id."""
    contents = [(content_id, one) for content_id, one in totals.items() if content_id and one.counted]
    contents.sort(key=lambda pair: (-pair[1].watched_ms, -pair[1].events, pair[0]))
    chosen: list[tuple[str, Totals]] = []
    for content_id, one in contents:
        if len(chosen) == limit:
            break
        if may_list(content_id):
            chosen.append((content_id, one))
    return chosen


def with_viewers(reader: AudienceReader, content_id: str, totals: Totals, first: int, last: int) -> Ranked:
    """A ranked content with its distinct viewers, from the hours of the minutes first to last."""
    hours = reader.audiences(content_id, HOUR, first // MINUTES_PER_HOUR, last // MINUTES_PER_HOUR)
    viewers = of_parts(hours[0].start_ms, hours).state.viewers() if hours else Estimate(0)
    return Ranked(content_id, totals.watched_ms, totals.events, viewers)
