"""The last minutes of a content, cheap enough to be read of many contents every other second.

What is worked out of a window is remembered by the versions of the stored states it was worked out of: of a content
that is polled only the newest windows change. Whole minutes and hours come from their roll-ups, of which nothing but
the peak is decoded; those that are marked dirty come from their windows, as everywhere (shared/audience/query.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from shared.audience import rollup
from shared.audience.concurrency import LOOKBACK_WINDOWS, concurrent
from shared.audience.estimate import Estimate
from shared.audience.keys import WINDOWS_PER_MINUTE
from shared.audience.measures import NO_COUNTERS, PLACE, Counters
from shared.audience.query import AudienceReader, runs
from shared.audience.rollup import HOUR, MINUTE, ROLLUPS_TABLE, WINDOW, Resolution, rollups_between
from shared.audience.totals import MINUTES_PER_HOUR
from shared.ports import Item, Key, Ports

SPARK_MINUTES: Final = 30
AGO_MINUTES: Final = 5
REMEMBERED: Final = 8_000
"""Windows and states, each: a hundred contents' last minutes."""

Items = Mapping[int, Sequence[Item]]


@dataclass(frozen=True, slots=True)
class Recent:
    """A content's last minutes. Concurrent viewers `now` and so many minutes `ago`; None when nobody had reported."""

    now: Estimate
    ago: Mapping[int, Estimate | None]
    newest_ms: int | None
    """When the newest window that any event was counted in begins; of the last AGO_MINUTES."""
    at_newest: Estimate
    """Concurrent viewers at the end of that window: who had not left when the last report came."""
    counters: Counters
    """Sums of the last whole minute and the running one."""
    first_minute: int
    peaks: list[int | None]
    """Of SPARK_MINUTES minutes, the running one last."""

    def sum(self, name: str) -> int:
        """One of SUMS."""
        return int(self.counters[PLACE[name]])


class _Peak(NamedTuple):
    versions: int
    told: bool
    concurrent: Estimate


class RecentReader:
    """Reads the last minutes of contents, and how many watched at most."""

    def __init__(self, ports: Ports) -> None:
        self.reader = AudienceReader(ports)
        self._rollups = ports.table(ROLLUPS_TABLE)
        self._peaks: dict[tuple[str, int], _Peak] = {}
        self._counted: dict[Key, tuple[str, Counters]] = {}

    def of(self, content_id: str, now_ms: int) -> Recent:
        """The last minutes of a content."""
        running, minute = WINDOW.number(now_ms), MINUTE.number(now_ms)
        first_minute = minute - SPARK_MINUTES + 1
        dirty = self.reader.dirty(content_id, MINUTE, first_minute, minute)
        looked_at = range(running - AGO_MINUTES * WINDOWS_PER_MINUTE - 1, running + 1)
        items = self._items(content_id, {*_windows(dirty), *looked_at, *_windows([minute])})

        told = [window for window in looked_at if self._peak(content_id, window, items).told]
        peaks = self._of_minutes(content_id, first_minute, minute, dirty, items)
        return Recent(
            now=self._instant(content_id, running, items) or Estimate(0),
            ago={
                minutes: self._instant(content_id, running - minutes * WINDOWS_PER_MINUTE, items)
                for minutes in (1, AGO_MINUTES)
            },
            newest_ms=told[-1] * WINDOW.ms if told else None,
            at_newest=self._peak(content_id, told[-1], items).concurrent if told else Estimate(0),
            counters=self._summed(items, _windows([minute - 1, minute])),
            first_minute=first_minute,
            peaks=[peaks[each].value if each in peaks else None for each in range(first_minute, minute + 1)],
        )

    def most(self, content_id: str, since_ms: int, until_ms: int) -> Estimate:
        """The most concurrent viewers in the whole hours that [since, until] touches."""
        hours = range(HOUR.number(since_ms), HOUR.number(until_ms) + 1)
        first, last = hours[0] * MINUTES_PER_HOUR, (hours[-1] + 1) * MINUTES_PER_HOUR - 1
        minutes = self.reader.dirty(content_id, MINUTE, first, last)
        changed = {each // MINUTES_PER_HOUR for each in minutes}
        changed |= {*self.reader.dirty(content_id, HOUR, hours[0], hours[-1])}
        found = [*self._stored(content_id, HOUR, hours[0], hours[-1], without=changed).values()]
        for begin, end in runs(sorted(changed)):
            first, last = begin * MINUTES_PER_HOUR, (end + 1) * MINUTES_PER_HOUR - 1
            dirty = [each for each in minutes if first <= each <= last]
            items = self._items(content_id, _windows(dirty))
            found += self._of_minutes(content_id, first, last, dirty, items).values()
        return max(found, key=lambda one: one.value, default=Estimate(0))

    def _items(self, content_id: str, windows: Iterable[int]) -> Items:
        """The stored states of these windows and of those that decide about their concurrent viewers."""
        found: dict[int, Sequence[Item]] = {}
        for begin, end in runs(sorted(windows)):
            found.update(self.reader.states.items(content_id, begin - LOOKBACK_WINDOWS + 1, end))
        return found

    def _instant(self, content_id: str, window: int, items: Items) -> Estimate | None:
        """Concurrent viewers as `audience/now` tells them while `window` is the running one."""
        if not any(each in items for each in range(window - LOOKBACK_WINDOWS, window + 1)):
            return None
        ends = (self._peak(content_id, each, items).concurrent for each in (window - 1, window))
        return max(ends, key=lambda one: one.value)

    def _of_minutes(
        self, content_id: str, first: int, last: int, dirty: Iterable[int], items: Items
    ) -> dict[int, Estimate]:
        """The most concurrent viewers in each of the minutes first to last that any event was counted in."""
        found = self._stored(content_id, MINUTE, first, last, without=dirty)
        for minute in dirty:
            ends = (self._peak(content_id, window, items) for window in _windows([minute]))
            told = [end.concurrent for end in ends if end.told]
            if told:
                found[minute] = max(told, key=lambda one: one.value)
        return found

    def _stored(
        self, content_id: str, resolution: Resolution, first: int, last: int, *, without: Iterable[int]
    ) -> dict[int, Estimate]:
        skipped = {*without}
        items = rollups_between(self._rollups, content_id, resolution, first, last)
        return {number: rollup.peak(item.value) for number, item in items if number not in skipped}

    def _peak(self, content_id: str, window: int, items: Items) -> _Peak:
        """Whether anything was counted in the window, and the concurrent viewers at its end."""
        involved = [item for each in range(window - LOOKBACK_WINDOWS + 1, window + 1) for item in items.get(each, ())]
        versions = hash(tuple(item.version for item in involved))
        known = self._peaks.get((content_id, window))
        if known is not None and known.versions == versions:
            return known
        told = any(self._counters(item)[PLACE["counted"]] for item in items.get(window, ()))
        at_end = concurrent(window, [self.reader.states.state(item) for item in involved])
        found = _Peak(versions, told, at_end)
        if len(self._peaks) >= REMEMBERED:
            self._peaks.clear()
        self._peaks[content_id, window] = found
        return found

    def _summed(self, items: Items, windows: Iterable[int]) -> Counters:
        parts = [self._counters(item) for window in windows for item in items.get(window, ())]
        return np.sum(parts, axis=0, dtype=np.int64) if parts else NO_COUNTERS

    def _counters(self, item: Item) -> Counters:
        key = item.partition, item.sort
        known = self._counted.get(key)
        if known is not None and known[0] == item.version:
            return known[1]
        counters = self.reader.states.state(item).counters
        if len(self._counted) >= REMEMBERED:
            self._counted.clear()
        self._counted[key] = item.version, counters
        return counters


def _windows(minutes: Iterable[int]) -> Iterable[int]:
    """The windows of some minutes."""
    return [
        window
        for minute in minutes
        for window in range(minute * WINDOWS_PER_MINUTE, (minute + 1) * WINDOWS_PER_MINUTE)
    ]
