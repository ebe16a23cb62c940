"""Reading a content's audience: windows from their states, minutes and hours from roll-ups, dirty ones anew.

What is marked dirty is read from its children and never from its roll-up, so that an answer holds all that has been
counted, however far behind the roller is. Marks are read first: what is rolled up meanwhile can still be read from
its children, which outlive it.
"""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

import msgspec

from shared.audience import codec, rollup
from shared.audience.concurrency import LOOKBACK_WINDOWS
from shared.audience.dirty import DIRTY_TABLE, dirty_key
from shared.audience.keys import (
    AUDIENCE_TABLE,
    CONTENTS_TABLE,
    HOUR_MS,
    WINDOWS_PER_HOUR,
    WINDOWS_PER_MINUTE,
    active_partition,
    state_partition,
    window_sort,
)
from shared.audience.rollup import HOUR, MINUTE, ROLLUPS_TABLE, WINDOW, Audience, Resolution, States
from shared.audience.totals import MINUTES_PER_HOUR
from shared.audience.window import WindowState
from shared.errors import CorruptData
from shared.fan_out import TABLE as SCHEDULES_TABLE
from shared.fan_out import read_fan_out
from shared.keys import content_key
from shared.ports import Item, Key, Ports, query_all

_active = msgspec.msgpack.Decoder(tuple[str, str | None])

CACHED_BYTES: Final = 16 * 1024 * 1024
"""Of stored states that are kept decoded."""


class DecodedStates:
    """States as last decoded, by key and version: polling a live content decodes only what has changed."""

    def __init__(self, limit: int = CACHED_BYTES) -> None:
        self._limit = limit
        self._held: OrderedDict[Key, tuple[str, int, WindowState]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def state(self, item: Item) -> WindowState:
        """The state of an item; never to be changed. Raises CorruptData."""
        key = item.partition, item.sort
        with self._lock:
            held = self._held.get(key)
            if held is not None and held[0] == item.version:
                self._held.move_to_end(key)
                return held[2]
        state = codec.decode(item.value)
        with self._lock:
            self._forget(key)
            self._held[key] = (item.version, len(item.value), state)
            self._bytes += len(item.value)
            while self._bytes > self._limit:
                self._forget(next(iter(self._held)))
        return state

    def _forget(self, key: Key) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._bytes -= held[1]


class AudienceReader:
    """The audience API's view of the tables."""

    def __init__(self, ports: Ports) -> None:
        self._states = ports.table(AUDIENCE_TABLE)
        self._rollups = ports.table(ROLLUPS_TABLE)
        self._dirty = ports.table(DIRTY_TABLE)
        self._contents = ports.table(CONTENTS_TABLE)
        self._schedules = ports.table(SCHEDULES_TABLE)
        self._decoded = DecodedStates()

    def states(self, content_id: str, first: int, last: int, *, any_k: bool = False) -> States:
        """The stored states of the 5 s windows first to last, of every k.

        `any_k` looks beyond the fan-out of those windows: the tallies of a record that holds nothing but late events
        or ones ahead of time lie in the window it came in, under the k of theirs.
        """
        fan_out = read_fan_out(self._schedules, content_id)
        most_ever = max(fan_out.fan_outs, default=1)
        found: dict[int, list[WindowState]] = defaultdict(list)
        first = max(0, first)
        for hour in range(first // WINDOWS_PER_HOUR, last // WINDOWS_PER_HOUR + 1):
            begin = max(first, hour * WINDOWS_PER_HOUR)
            end = min(last, (hour + 1) * WINDOWS_PER_HOUR - 1)
            for k in range(most_ever if any_k else fan_out.most(begin, end)):
                partition = state_partition(content_id, k, hour)
                for item in query_all(self._states, partition, start=window_sort(begin), end=window_sort(end + 1)):
                    found[int(item.sort)].append(self._decoded.state(item))
        return found

    def audiences(self, content_id: str, resolution: Resolution, first: int, last: int) -> list[Audience]:
        """The windows numbered first to last in which anything was counted, in order."""
        if resolution is WINDOW:
            return rollup.of_windows(first, last, self._with_lookback(content_id, first, last))
        if resolution is MINUTE:
            return self._minutes(content_id, first, last)
        return self._hours(content_id, first, last)

    def dirty(self, content_id: str, resolution: Resolution, first: int, last: int) -> list[int]:
        """Which minutes or hours of a content have changed since they were rolled up, in order."""
        partition, start = dirty_key(content_id, resolution.name, first)
        _, end = dirty_key(content_id, resolution.name, last + 1)
        marks = query_all(self._dirty, partition, start=start, end=end)
        return [int(mark.sort[-10:]) for mark in marks if len(mark.sort) == len(start)]

    def known(self, content_id: str, now_ms: int, days: int) -> bool:
        """Whether anything was reported of a content within so many days."""
        hour = now_ms // HOUR_MS
        keys = [(active_partition(one), content_key(content_id)) for one in range(hour - days * 24, hour + 2)]
        return any(self._contents.batch_get(keys[at : at + 500]) for at in range(0, len(keys), 500))

    def content_type(self, content_id: str, first: int, last: int) -> str | None:
        """What kind of content it is, as last told in the minutes first to last; None when nobody said."""
        hours = range(last // MINUTES_PER_HOUR, first // MINUTES_PER_HOUR - 1, -1)
        keys = [(active_partition(hour), content_key(content_id)) for hour in hours]
        for items in (self._contents.batch_get(keys[at : at + 500]) for at in range(0, len(keys), 500)):
            told = (read_active(items[key].value) for key in keys if key in items)
            kind = next((kind for _, kind in told if kind is not None), None)
            if kind is not None:
                return kind
        return None

    def _with_lookback(self, content_id: str, first: int, last: int) -> States:
        return self.states(content_id, first - LOOKBACK_WINDOWS + 1, last)

    def _minutes(self, content_id: str, first: int, last: int) -> list[Audience]:
        dirty = self.dirty(content_id, MINUTE, first, last)
        found = dict(self._stored(content_id, MINUTE, first, last, without=dirty))
        for begin, end in runs(dirty):
            found.update((minute, one) for minute, one in self.minutes_from_states(content_id, begin, end))
        return [found[minute] for minute in sorted(found)]

    def minutes_from_states(self, content_id: str, first: int, last: int) -> Iterator[tuple[int, Audience]]:
        """The minutes first to last in which anything was counted, made from their windows."""
        begin, end = first * WINDOWS_PER_MINUTE, (last + 1) * WINDOWS_PER_MINUTE - 1
        states = self._with_lookback(content_id, begin, end)
        windows = rollup.of_windows(begin, end, states)
        for minute, parts in groupby(windows, lambda one: MINUTE.number(one.start_ms)):
            yield minute, rollup.of_parts(minute * MINUTE.ms, list(parts))

    def _hours(self, content_id: str, first: int, last: int) -> list[Audience]:
        minutes = self.dirty(content_id, MINUTE, first * MINUTES_PER_HOUR, (last + 1) * MINUTES_PER_HOUR - 1)
        dirty = {minute // MINUTES_PER_HOUR for minute in minutes} | {*self.dirty(content_id, HOUR, first, last)}
        found = dict(self._stored(content_id, HOUR, first, last, without=dirty))
        for hour in dirty:
            audience = self.hour_from_minutes(content_id, hour)
            if audience is not None:
                found[hour] = audience
        return [found[hour] for hour in sorted(found)]

    def hour_from_minutes(self, content_id: str, hour: int) -> Audience | None:
        """An hour made from its minutes; None when nothing was counted in it."""
        parts = self._minutes(content_id, hour * MINUTES_PER_HOUR, (hour + 1) * MINUTES_PER_HOUR - 1)
        return rollup.of_parts(hour * HOUR.ms, parts) if parts else None

    def _stored(
        self, content_id: str, resolution: Resolution, first: int, last: int, *, without: Iterable[int]
    ) -> Iterator[tuple[int, Audience]]:
        skipped = {*without}
        for number, item in rollup.rollups_between(self._rollups, content_id, resolution, first, last):
            if number not in skipped:
                yield number, rollup.decode(item.value)


def read_active(value: bytes) -> tuple[str, str | None]:
    """(content_id, content_type) of an item of an `active` partition. Raises CorruptData."""
    try:
        return _active.decode(value)
    except msgspec.MsgspecError as error:
        raise CorruptData(f"an active content in table {CONTENTS_TABLE!r} cannot be read: {error}") from None


def runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending numbers as (first, last) of each unbroken run."""
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        together = [number for _, number in run]
        yield together[0], together[-1]
