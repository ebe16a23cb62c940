"""Reading a content's audience: windows from their states, minutes and hours from roll-ups, dirty ones anew.

What is marked dirty is read from its children and never from its roll-up, so that an answer holds all that has been
counted, however far behind the roller is. Marks are read first: what is rolled up meanwhile can still be read from
its children, which outlive it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import Final

import msgspec

from shared.audience import rollup
from shared.audience.concurrency import LOOKBACK_WINDOWS, concurrent
from shared.audience.dirty import DIRTY_TABLE, dirty_key
from shared.audience.estimate import Estimate
from shared.audience.keys import CONTENTS_TABLE, WINDOWS_PER_MINUTE, active_partition
from shared.audience.rollup import HOUR, MINUTE, ROLLUPS_TABLE, WINDOW, Audience, Resolution, States
from shared.audience.stored import StateReader
from shared.audience.totals import MINUTES_PER_HOUR
from shared.errors import CorruptData
from shared.keys import content_key
from shared.ports import Ports, query_all
from shared.units import HOUR_MS

HOURS_AT_ONCE: Final = 500

_active = msgspec.msgpack.Decoder(tuple[str, str | None])


class AudienceReader:
    """The audience API's view of the tables."""

    def __init__(self, ports: Ports) -> None:
        self.states = StateReader(ports)
        self._rollups = ports.table(ROLLUPS_TABLE)
        self._dirty = ports.table(DIRTY_TABLE)
        self._contents = ports.table(CONTENTS_TABLE)

    def audiences(self, content_id: str, resolution: Resolution, first: int, last: int) -> list[Audience]:
        """The windows numbered first to last in which anything was counted, in order."""
        if resolution is WINDOW:
            return rollup.of_windows(first, last, self._with_lookback(content_id, first, last))
        if resolution is MINUTE:
            return self._minutes(content_id, first, last)
        return self._hours(content_id, first, last)

    def stretches(self, content_id: str, resolution: Resolution, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The windows first to last in parts, each as (first, last), to be read one after the other.

        Hours of 5 s windows in which nothing was reported are left out.
        """
        each = resolution.partition_ms // resolution.ms
        blocks = range(first // each, last // each + 1 if first <= last else 0)
        for block in self._active(content_id, blocks) if resolution is WINDOW else blocks:
            yield max(first, block * each), min(last, (block + 1) * each - 1)

    def latest(self, content_id: str, running: int) -> tuple[list[Audience], Estimate]:
        """The running window and the one before, and the larger of their concurrent viewers.

        Whoever reports seldom is concurrent in windows without any event, so these are counted apart.
        """
        states = self._with_lookback(content_id, running - 1, running)
        told = rollup.of_windows(running - 1, running, states)
        at_ends = [one.concurrency.peak for one in told]
        for window in {running - 1, running} - {WINDOW.number(one.start_ms) for one in told}:
            at_ends.append(concurrent(window, chain.from_iterable(states.values())))
        return told, max(at_ends, key=lambda one: one.value)

    def dirty(self, content_id: str, resolution: Resolution, first: int, last: int) -> list[int]:
        """Which minutes or hours of a content have changed since they were rolled up, in order."""
        partition, start = dirty_key(content_id, resolution.name, first)
        _, end = dirty_key(content_id, resolution.name, last + 1)
        marks = query_all(self._dirty, partition, start=start, end=end)
        return [int(mark.sort[-10:]) for mark in marks if len(mark.sort) == len(start)]

    def known(self, content_id: str, now_ms: int, days: int) -> bool:
        """Whether anything was reported of a content within so many days."""
        hour = now_ms // HOUR_MS
        return any(True for _ in self._active(content_id, range(hour - days * 24, hour + 2)))

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

    def _active(self, content_id: str, hours: range) -> Iterator[int]:
        """Those of some hours in which anything was reported of a content, in order."""
        for at in range(0, len(hours), HOURS_AT_ONCE):
            keys = {
                (active_partition(hour), content_key(content_id)): hour for hour in hours[at : at + HOURS_AT_ONCE]
            }
            items = self._contents.batch_get([*keys])
            yield from (hour for key, hour in keys.items() if key in items)

    def _with_lookback(self, content_id: str, first: int, last: int) -> States:
        return self.states.between(content_id, first - LOOKBACK_WINDOWS + 1, last)

    def _minutes(self, content_id: str, first: int, last: int) -> list[Audience]:
        dirty = self.dirty(content_id, MINUTE, first, last)
        stored = self.stored(content_id, MINUTE, first, last, without=dirty)
        found = {number: rollup.decode(value) for number, value in stored}
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
        stored = self.stored(content_id, HOUR, first, last, without=dirty)
        found = {number: rollup.decode(value) for number, value in stored}
        for hour in dirty:
            audience = self.hour_from_minutes(content_id, hour)
            if audience is not None:
                found[hour] = audience
        return [found[hour] for hour in sorted(found)]

    def hour_from_minutes(self, content_id: str, hour: int) -> Audience | None:
        """An hour made from its minutes; None when nothing was counted in it."""
        parts = self._minutes(content_id, hour * MINUTES_PER_HOUR, (hour + 1) * MINUTES_PER_HOUR - 1)
        return rollup.of_parts(hour * HOUR.ms, parts) if parts else None

    def stored(
        self, content_id: str, resolution: Resolution, first: int, last: int, *, without: Iterable[int]
    ) -> Iterator[tuple[int, bytes]]:
        """The roll-ups as they are stored, but for those of some minutes or hours: `without` are the dirty ones."""
        skipped = {*without}
        for number, item in rollup.rollups_between(self._rollups, content_id, resolution, first, last):
            if number not in skipped:
                yield number, item.value


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
