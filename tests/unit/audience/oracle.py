"""What an audience is, worked out from raw events only, in plain Python."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from events.event import ENGAGEMENT_TYPES, STOPPING_TYPES, Event

WINDOW_MS = 5_000
Told = tuple[str, int, Event]
"""Who, when, what."""


def who(event: Event) -> str:
    return event.viewer_id or event.session_id or ""


def windows(events: Iterable[Event]) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        found[event.event_timestamp // WINDOW_MS].append(event)
    return dict(found)


def viewers(events: Iterable[Event]) -> int:
    return len({who(event) for event in events})


def counts(events: Iterable[Event]) -> dict[str, int]:
    return dict(Counter(event.event_type for event in events))


def watched_ms(events: Iterable[Event]) -> int:
    return sum(event.watched_ms or 0 for event in events)


def engaged(events: Iterable[Event]) -> int:
    return viewers(event for event in events if event.event_type in ENGAGEMENT_TYPES)


def shares(events: Iterable[Event], dimension: str) -> dict[str, tuple[int, int]]:
    """Events and viewers by value."""
    told = defaultdict(list)
    for event in events:
        value = getattr(event, dimension)
        if value is not None:
            told[value].append(event)
    return {value: (len(some), viewers(some)) for value, some in told.items()}


def concurrent(window: int, events: Iterable[Event], default_interval: int = 10) -> int:
    """Viewers whose newest appearance in (t - 1.5 intervals, t] is not a stop; at the same ms a stop is newer."""
    end = (window + 1) * WINDOW_MS - 1
    newest: dict[str, tuple[int, bool, int]] = {}
    for event in events:
        if event.event_timestamp <= end:
            interval = min(event.report_every_seconds or default_interval, 60)
            told = (event.event_timestamp, event.event_type in STOPPING_TYPES, interval)
            newest[who(event)] = max(newest.get(who(event), told), told)
    return sum(not stop and when > end - 1_500 * interval for when, stop, interval in newest.values())
