"""The roller: rebuilds the minutes and hours that are marked dirty."""

import logging
from typing import Final

from shared.audience import rollup
from shared.audience.dirty import DIRTY_TABLE, Mark, dirty_key, note_seen, partitions, put_dirty, read_dirty
from shared.audience.keys import CONTENTS_TABLE, WINDOWS_PER_MINUTE
from shared.audience.query import AudienceReader
from shared.audience.rollup import HOUR, MINUTE, MINUTES_KEPT_MS, ROLLUPS_TABLE, Resolution, rollup_key
from shared.audience.totals import MINUTES_PER_HOUR, HourEntry, totals_of
from shared.errors import CorruptData, VersionConflict
from shared.ports import ABSENT, Item, Ports, query_all
from shared.settings import Settings
from shared.stream import Deadline, Run
from shared.units import DAY_MS

GRACE_MS: Final = 120_000
"""Longer than `aggregate` may live between a mark and its states: its timeout."""
SETTLE_MS: Final = {MINUTE: 5_000, HOUR: 180_000}
"""While a minute or hour runs, and so long after, it is marked over and over: not worth looking at yet."""

log = logging.getLogger("grandstand.roll")


def make(ports: Ports, settings: Settings) -> Run:
    """The roller of one suite."""
    return Roller(ports, settings)


class Roller:
    """Takes every mark that is due. A mark that cannot be done now stays for the next run."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._clock = ports.clock
        self._dirty = ports.table(DIRTY_TABLE)
        self._rollups = ports.table(ROLLUPS_TABLE)
        self._contents = ports.table(CONTENTS_TABLE)
        self._reader = AudienceReader(ports)
        self._states_kept_ms = settings.state_days * DAY_MS
        self._history_ms = settings.history_days * DAY_MS

    def __call__(self, deadline: Deadline) -> bool:
        """Walk the marks, from another shard each time, so that a short deadline starves none."""
        shards = partitions()
        begin = self._clock.now_ms() // 1_000 % len(shards)
        found = False
        for shard in shards[begin:] + shards[:begin]:
            for item in query_all(self._dirty, shard):
                found = True
                if deadline.near():
                    return found
                self._take(item)
        return found

    def _take(self, item: Item) -> None:
        try:
            mark = read_dirty(item.value)
            resolution = HOUR if item.sort[-13:-11] == HOUR.name else MINUTE
            self._consider(item, mark, resolution)
        except VersionConflict:
            return
        except CorruptData:
            log.exception("a roll-up waits: something that it is made of cannot be read")

    def _consider(self, item: Item, mark: Mark, resolution: Resolution) -> None:
        now = self._clock.now_ms()
        begin, end = mark.number * resolution.ms, (mark.number + 1) * resolution.ms
        if end + SETTLE_MS[resolution] > now:
            return
        if begin + self._states_kept_ms < now:
            log.error("a mark is older than the states it speaks of: its roll-up stays as it is")
            self._dirty.delete(item.partition, item.sort, if_version=item.version)
        elif resolution is HOUR:
            self._roll_hour(item, mark)
        elif mark.seen_at is None:
            note_seen(self._dirty, item, mark, now)
        elif mark.seen_at + GRACE_MS <= now:
            self._roll_minute(item, mark)

    def _roll_minute(self, item: Item, mark: Mark) -> None:
        """Steps whose order makes a crash between any two harmless: the mark goes last, and leads back to the first.

        1. Read the versions of what will be written.
        2. Rebuild the minute from its windows.
        3. Write the roll-up, then the totals, each at the version of step 1: a roller that saw less gives way.
        4. Mark the hour.
        5. Clear the minute's mark at the version that was read.
        """
        content_id, minute = mark.content_id, mark.number
        version = self._version(content_id, MINUTE, minute)
        entry = HourEntry(self._contents, content_id, minute)

        first = minute * WINDOWS_PER_MINUTE
        states = self._reader.states.between(content_id, first, first + WINDOWS_PER_MINUTE - 1, any_k=True)
        rebuilt = dict(self._reader.minutes_from_states(content_id, minute, minute)) if states else {}

        if minute in rebuilt:
            expires_at = (minute + 1) * MINUTE.ms + MINUTES_KEPT_MS
            value = rollup.encode(rebuilt[minute])
            key = rollup_key(content_id, MINUTE, minute)
            self._rollups.put(*key, value, if_version=version, expires_at=expires_at)
        if states:
            totals = totals_of(state for each in states.values() for state in each)
            entry.put(totals, expires_at=(minute + 1) * MINUTE.ms + self._history_ms)
            self._mark_hour(content_id, minute // MINUTES_PER_HOUR)

        self._dirty.delete(item.partition, item.sort, if_version=item.version)

    def _roll_hour(self, item: Item, mark: Mark) -> None:
        """As with minutes. No grace is needed: the roller marks an hour after it has written the minute."""
        version = self._version(mark.content_id, HOUR, mark.number)
        rebuilt = self._reader.hour_from_minutes(mark.content_id, mark.number)
        if rebuilt is not None:
            key = rollup_key(mark.content_id, HOUR, mark.number)
            expires_at = (mark.number + 1) * HOUR.ms + self._history_ms
            self._rollups.put(*key, rollup.encode(rebuilt), if_version=version, expires_at=expires_at)
        self._dirty.delete(item.partition, item.sort, if_version=item.version)

    def _mark_hour(self, content_id: str, hour: int) -> None:
        """Anew each time once it is due, for a roller may be at it; until then one mark is enough."""
        due = (hour + 1) * HOUR.ms + SETTLE_MS[HOUR] - GRACE_MS <= self._clock.now_ms()
        if due or self._dirty.get(*dirty_key(content_id, HOUR.name, hour)) is None:
            put_dirty(self._dirty, content_id, HOUR.name, [hour])

    def _version(self, content_id: str, resolution: Resolution, number: int) -> str:
        item = self._rollups.get(*rollup_key(content_id, resolution, number))
        return item.version if item else ABSENT
