"""The last minutes of a content, cheap enough to be read of many contents every other second.

What is worked out of a window is remembered by the versions of the stored states it was worked out of, until the
content is read again: of one that is polled only the newest windows change. Whole minutes and hours come from their
roll-ups, of which nothing but the peak is decoded; those that are marked dirty come from their windows, as everywhere
(shared/audience/query.py).
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from shared.audience import rollup
from shared.audience.concurrency import LOOKBACK_WINDOWS, concurrent
from shared.audience.estimate import Estimate
from shared.audience.keys import WINDOWS_PER_MINUTE
from shared.audience.measures import NO_COUNTERS, PLACE, Counters
from shared.audience.query import AudienceReader, runs
from shared.audience.rollup import HOUR, MINUTE, WINDOW, Resolution
from shared.audience.stored import StateReader
from shared.audience.totals import MINUTES_PER_HOUR
from shared.ports import Item, Key, Ports

SPARK_MINUTES: Final = 30
AGO_MINUTES: Final = 5
REMEMBERED: Final = 500
"""Contents: more than the longest overview compares."""


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


@dataclass(frozen=True, slots=True)
class _Work:
    """What was worked out of one content when it was last read; never changed once the next reading begins."""

    peaks: dict[int, _Peak] = field(default_factory=dict)
    counters: dict[Key, tuple[str, Counters]] = field(default_factory=dict)


NO_WORK: Final = _Work()


class _Reading:
    """One reading of a content: takes over of the last one what still holds, and forgets the rest of it."""

    def __init__(self, states: StateReader, content_id: str, windows: Iterable[int], before: _Work) -> None:
        """`windows` are those that are asked for; those that decide about their concurrent viewers are read too."""
        self._states = states
        self._before = before
        self.work = _Work()
        self._items: dict[int, Sequence[Item]] = {}
        for begin, end in runs(sorted(windows)):
            self._items.update(states.items(content_id, begin - LOOKBACK_WINDOWS + 1, end))

    def instant(self, window: int) -> Estimate | None:
        """Concurrent viewers as `audience/now` tells them while `window` is the running one."""
        if not any(each in self._items for each in range(window - LOOKBACK_WINDOWS, window + 1)):
            return None
        return max((self.peak(each).concurrent for each in (window - 1, window)), key=lambda one: one.value)

    def told(self, window: int) -> bool:
        """Whether anything was counted in the window."""
        return window in self._items and self.peak(window).told

    def peak(self, window: int) -> _Peak:
        """Whether anything was counted in the window, and the concurrent viewers at its end."""
        if window not in self.work.peaks:
            self.work.peaks[window] = self._peak(window)
        return self.work.peaks[window]

    def _peak(self, window: int) -> _Peak:
        before = range(window - LOOKBACK_WINDOWS + 1, window + 1)
        involved = [item for each in before for item in self._items.get(each, ())]
        versions = hash(tuple(item.version for item in involved))
        known = self._before.peaks.get(window)
        if known is not None and known.versions == versions:
            return known
        told = any(not self._states.state(item).empty for item in self._items.get(window, ()))
        return _Peak(versions, told, concurrent(window, [self._states.state(item) for item in involved]))

    def summed(self, windows: Iterable[int]) -> Counters:
        """The sums of all that was reported in the windows."""
        parts = [self._counters(item) for window in windows for item in self._items.get(window, ())]
        return np.sum(parts, axis=0, dtype=np.int64) if parts else NO_COUNTERS

    def _counters(self, item: Item) -> Counters:
        key = item.partition, item.sort
        known = self._before.counters.get(key)
        if known is None or known[0] != item.version:
            known = item.version, self._states.state(item).counters
        self.work.counters[key] = known
        return known[1]


class RecentReader:
    """Reads the last minutes of contents, and how many watched at most. Safe for threads."""

    def __init__(self, ports: Ports) -> None:
        self.reader = AudienceReader(ports)
        self._works: OrderedDict[str, _Work] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, content_id: str, now_ms: int) -> Recent:
        """The last minutes of a content."""
        running, minute = WINDOW.number(now_ms), MINUTE.number(now_ms)
        first_minute = minute - SPARK_MINUTES + 1
        dirty = self.reader.dirty(content_id, MINUTE, first_minute, minute)
        looked_at = range(running - AGO_MINUTES * WINDOWS_PER_MINUTE - 1, running + 1)
        reading = self._reading(content_id, {*_windows(dirty), *looked_at, *_windows([minute])})

        told = [window for window in looked_at if reading.told(window)]
        peaks = self._of_minutes(content_id, first_minute, minute, dirty, reading)

        def ago(minutes: int) -> Estimate | None:
            instant = reading.instant(running - minutes * WINDOWS_PER_MINUTE)
            reported = any(each < minute - minutes for each in peaks)
            return Estimate(0) if instant is None and reported else instant

        found = Recent(
            now=reading.instant(running) or Estimate(0),
            ago={minutes: ago(minutes) for minutes in (1, AGO_MINUTES)},
            newest_ms=told[-1] * WINDOW.ms if told else None,
            at_newest=reading.peak(told[-1]).concurrent if told else Estimate(0),
            counters=reading.summed(_windows([minute - 1, minute])),
            first_minute=first_minute,
            peaks=[peaks[each].value if each in peaks else None for each in range(first_minute, minute + 1)],
        )
        self._remember(content_id, reading.work)
        return found

    def most(self, content_id: str, since_ms: int, until_ms: int) -> Estimate:
        """The most concurrent viewers in the whole hours that [since, until] touches."""
        hours = range(HOUR.number(since_ms), HOUR.number(until_ms) + 1)
        first, last = hours[0] * MINUTES_PER_HOUR, (hours[-1] + 1) * MINUTES_PER_HOUR - 1
        minutes = self.reader.dirty(content_id, MINUTE, first, last)
        changed = {each // MINUTES_PER_HOUR for each in minutes}
        changed |= {*self.reader.dirty(content_id, HOUR, hours[0], hours[-1])}
        found = [*self._peaks(content_id, HOUR, hours[0], hours[-1], without=changed).values()]
        for begin, end in runs(sorted(changed)):
            first, last = begin * MINUTES_PER_HOUR, (end + 1) * MINUTES_PER_HOUR - 1
            dirty = [each for each in minutes if first <= each <= last]
            reading = self._reading(content_id, _windows(dirty))
            found += self._of_minutes(content_id, first, last, dirty, reading).values()
        return max(found, key=lambda one: one.value, default=Estimate(0))

    def _reading(self, content_id: str, windows: Iterable[int]) -> _Reading:
        with self._lock:
            before = self._works.get(content_id, NO_WORK)
        return _Reading(self.reader.states, content_id, windows, before)

    def _remember(self, content_id: str, work: _Work) -> None:
        with self._lock:
            self._works[content_id] = work
            self._works.move_to_end(content_id)
            if len(self._works) > REMEMBERED:
                self._works.popitem(last=False)

    def _of_minutes(
        self, content_id: str, first: int, last: int, dirty: Iterable[int], reading: _Reading
    ) -> dict[int, Estimate]:
        """The most concurrent viewers in each of the minutes first to last that any event was counted in."""
        found = self._peaks(content_id, MINUTE, first, last, without=dirty)
        for minute in dirty:
            ends = [reading.peak(window).concurrent for window in _windows([minute]) if reading.told(window)]
            if ends:
                found[minute] = max(ends, key=lambda one: one.value)
        return found

    def _peaks(
        self, content_id: str, resolution: Resolution, first: int, last: int, *, without: Iterable[int]
    ) -> dict[int, Estimate]:
        stored = self.reader.stored(content_id, resolution, first, last, without=without)
        return {number: rollup.peak(value) for number, value in stored}


def _windows(minutes: Iterable[int]) -> Iterable[int]:
    """The windows of some minutes."""
    return [
        window
        for minute in minutes
        for window in range(minute * WINDOWS_PER_MINUTE, (minute + 1) * WINDOWS_PER_MINUTE)
    ]
