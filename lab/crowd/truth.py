"""What a perfect counter would say: kept from the simulator's own arrays, by nothing of what it is to check.

One JSON object a line, for each content and window of 5 s in which something happened:

    {"content_id": "match-01", "start": "2026-11-20T18:00:00Z", "viewers": 812, "concurrent": 790,
     "events": {"heartbeat": 640, "join": 31}, "watched_ms": 5391234}

`viewers` are those of whom an event falls into the window. `concurrent` is taken at the window's last millisecond t:
those whose newest event on this content in (t - 1.5 x interval, t] is not a stop, the interval being the one that
this event echoes. Windows are of the events' own time, after the correction that `clock_offset_ms` asks for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from events.event import EVENT_TYPES, STOPPING_TYPES
from lab.crowd.crowd import Happenings
from lab.crowd.kinds import EVENT_TYPE, TYPE_OF_KIND, Kind
from lab.crowd.match import Match

WINDOW_MS: Final = 5_000

_MAX_SKEW_MS: Final = 400
_STOPS: Final = np.isin(np.arange(len(Kind)), [kind for kind in Kind if EVENT_TYPE[kind] in STOPPING_TYPES])
_NOBODY: Final = np.iinfo(np.int32).min


@dataclass(frozen=True, slots=True)
class TrueWindow:
    """One content's audience in one window."""

    content_id: str
    start_ms: int
    viewers: int
    concurrent: int
    events: dict[str, int]
    watched_ms: int

    def told(self) -> dict[str, object]:
        """As a line of the truth file."""
        start = datetime.fromtimestamp(self.start_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "content_id": self.content_id,
            "start": start,
            "viewers": self.viewers,
            "concurrent": self.concurrent,
            "events": self.events,
            "watched_ms": self.watched_ms,
        }


class Truth:
    """Counts what happens, window by window. Beside the crowd it keeps 9 bytes a viewer: their newest event."""

    def __init__(self, match: Match) -> None:
        self._match = match
        self._names = match.content_ids
        self._open: list[Happenings] = []
        first = (match.start_ms - _MAX_SKEW_MS) // WINDOW_MS
        self._closed_to = first * WINDOW_MS - match.start_ms
        self._newest_at = np.full(match.viewers, _NOBODY, np.int32)
        self._newest_content = np.zeros(match.viewers, np.uint16)
        self._newest_interval = np.zeros(match.viewers, np.uint16)
        self._stopped = np.ones(match.viewers, np.bool_)

    def add(self, happened: Happenings, now: int) -> Iterator[TrueWindow]:
        """Take in one step of the crowd, which has come to `now` (ms since start); yields windows that are over."""
        if len(happened):
            self._open.append(happened)
        while self._closed_to + WINDOW_MS + _MAX_SKEW_MS <= now:
            yield from self._close()

    def finish(self) -> Iterator[TrueWindow]:
        """The windows that are still open when the run ends."""
        while self._open:
            yield from self._close()

    def _close(self) -> Iterator[TrueWindow]:
        """Count the oldest open window. What belongs to later ones waits."""
        start, end = self._closed_to, self._closed_to + WINDOW_MS
        inside, later = [], []
        for part in self._open:
            within = part.at < end
            inside.append(part.pick(np.flatnonzero(within)))
            if not within.all():
                later.append(part.pick(np.flatnonzero(~within)))
        for part in inside:
            self._remember(part)
        self._open, self._closed_to = later, end
        if any(len(part) for part in inside):
            yield from self._count(inside, start + self._match.start_ms, end)

    def _remember(self, part: Happenings) -> None:
        """The newest event of each viewer. A viewer's rows stand in the order in which they happened."""
        self._newest_at[part.viewer] = part.at
        self._newest_content[part.viewer] = part.content
        self._newest_interval[part.viewer] = part.report_every_seconds
        self._stopped[part.viewer] = _STOPS[part.kind]

    def _count(self, parts: list[Happenings], start_ms: int, end: int) -> Iterator[TrueWindow]:
        contents = self._match.contents
        content = np.concatenate([part.content for part in parts]).astype(np.int64)
        viewer = np.concatenate([part.viewer for part in parts])
        type_code = TYPE_OF_KIND[np.concatenate([part.kind for part in parts])]
        watched = np.concatenate([part.watched for part in parts])

        pairs = _distinct(content * self._match.viewers + viewer)
        viewers = np.bincount(pairs // self._match.viewers, minlength=contents)
        counts = np.bincount(content * len(EVENT_TYPES) + type_code, minlength=contents * len(EVENT_TYPES))
        counts = counts.reshape(contents, len(EVENT_TYPES))
        watched_ms = np.zeros(contents, np.int64)
        np.add.at(watched_ms, content, watched)
        concurrent = self._concurrent(end - 1)
        for index in np.flatnonzero(viewers).tolist():
            told = counts[index]
            yield TrueWindow(
                content_id=self._names[index],
                start_ms=start_ms,
                viewers=int(viewers[index]),
                concurrent=int(concurrent[index]),
                events={EVENT_TYPES[code]: int(told[code]) for code in np.flatnonzero(told).tolist()},
                watched_ms=int(watched_ms[index]),
            )

    def _concurrent(self, moment: int) -> NDArray[np.int64]:
        """By content, who is watching: a viewer who went elsewhere has told the first content of it by a stop."""
        reach = self._newest_interval.astype(np.int32) * 1_500
        watching = ~self._stopped & (self._newest_at.astype(np.int64) + reach > moment)
        return np.bincount(self._newest_content[watching], minlength=self._match.contents)


def _distinct(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sorted, each once."""
    values = np.sort(values)
    keep = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=keep[1:])
    return values[keep]
