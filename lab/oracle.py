"""What the audience was, computed from raw events alone: slow, plain, and sharing no code with the suite.

It reads native events as dictionaries, as a sender posted them, and is what the property tests and the tests with
killed processes hold the suite against.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

WINDOW_MS = 5_000
STOPPING = frozenset({"stop", "complete"})


@dataclass
class Window:
    """One content's truth in one 5 s window."""

    viewers: set[str] = field(default_factory=set)
    events: Counter[str] = field(default_factory=Counter)
    watched_ms: int = 0
    concurrent: int = 0


@dataclass(frozen=True, order=True)
class Appearance:
    """A viewer at one instant; a stop at the same instant is the later one, then the longer interval."""

    at: int
    stopped: bool
    interval_seconds: int


def viewer_of(event: Mapping[str, Any]) -> str:
    """Who an event speaks of: the viewer, the session where there is none, the session alone for minors.

    Of a minor without a session nothing is known but that it is one, apart from everybody else of that name.
    """
    viewer, session = event.get("viewer_id"), event.get("session_id")
    if event.get("child") or event.get("consent") == "none":
        return str(session or f"without a profile: {viewer}")
    return str(viewer or session)


def audience(events: Iterable[Mapping[str, Any]], default_interval: int = 10) -> dict[str, dict[int, Window]]:
    """Every content's windows that hold events, by the window's start in ms since epoch."""
    windows: dict[str, dict[int, Window]] = defaultdict(lambda: defaultdict(Window))
    appearances: dict[str, dict[str, list[Appearance]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        content, at, kind = event["content_id"], event["event_timestamp"], event["event_type"]
        viewer = viewer_of(event)
        window = windows[content][at - at % WINDOW_MS]
        window.viewers.add(viewer)
        window.events[kind] += 1
        window.watched_ms += event.get("watched_ms") or 0
        interval = event.get("report_every_seconds") or default_interval
        appearances[content][viewer].append(Appearance(at, kind in STOPPING, interval))
    for content, by_start in windows.items():
        for start, window in by_start.items():
            window.concurrent = concurrent(appearances[content], start + WINDOW_MS - 1)
    return {content: dict(by_start) for content, by_start in windows.items()}


def longer(windows: Mapping[int, Window], length_ms: int) -> dict[int, Window]:
    """The same in windows of `length_ms`, a multiple of 5 s; `concurrent` is the largest of those inside."""
    found: dict[int, Window] = defaultdict(Window)
    for start, window in windows.items():
        whole = found[start - start % length_ms]
        whole.viewers |= window.viewers
        whole.events += window.events
        whole.watched_ms += window.watched_ms
        whole.concurrent = max(whole.concurrent, window.concurrent)
    return dict(found)


def concurrent(appearances: Mapping[str, list[Appearance]], t: int) -> int:
    """Viewers whose newest appearance in (t - 1.5 x interval, t] is not a stop (design, section 3)."""
    return sum(is_watching(seen, t) for seen in appearances.values())


def is_watching(seen: list[Appearance], t: int) -> bool:
    newest = max((one for one in seen if one.at <= t), default=None)
    if newest is None or newest.stopped:
        return False
    return newest.at > t - 1_500 * newest.interval_seconds
