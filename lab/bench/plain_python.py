"""The loop that users would write first: json.loads, dictionaries and sets."""

import json
from collections.abc import Iterable

from lab.bench.bare import decode
from lab.bench.figure import Figure
from lab.bench.rows import Row
from lab.bench.timing import best_seconds, discard
from lab.bench.workload import array, bodies, recently
from shared.units import WINDOW_MS

BODIES = 40


def count(posted: Iterable[bytes]) -> set[Row]:
    """The rows of JSON arrays of events."""
    events: dict[tuple[str, int], int] = {}
    watched: dict[tuple[str, int], int] = {}
    viewers: dict[tuple[str, int], set[str]] = {}
    for body in posted:
        for event in json.loads(body):
            at = event["event_timestamp"]
            key = (event["content_id"], at - at % WINDOW_MS)
            events[key] = events.get(key, 0) + 1
            watched[key] = watched.get(key, 0) + event["watched_ms"]
            viewers.setdefault(key, set()).add(event["viewer_id"])
    return {Row(*key, events[key], watched[key], len(viewers[key])) for key in events}


def figures() -> list[Figure]:
    """Its pace against a bare decode of the same bytes."""
    posted = [array(body) for body in bodies(BODIES, start_ms=recently())]
    number = BODIES * 500
    plain, bare = best_seconds([lambda: count(posted), lambda: discard(decode, posted)])
    return [
        Figure("bare msgspec decode", number / bare, "events/s", note="the yardstick, one core"),
        Figure("plain Python", number / plain, "events/s", note="json.loads, dictionaries and sets, nothing durable"),
        Figure("plain Python ÷ bare decode", bare / plain, "ratio"),
    ]
