"""How many state partitions a content has, window by window.

A schedule is a list of steps `[from_window, fan_out]`, ascending, in the table `schedules`. A viewer's partition
is `hash % fan_out(window)`, so the same event meets the same partition whoever retries it, whenever: a new step
begins later than the newest event that any ingest may accept while it still reads the schedule without it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from shared.errors import Unavailable, VersionConflict
from shared.keys import content_key
from shared.ports import ABSENT, MAX_BATCH_GET, Clock, Table
from shared.settings import Settings
from shared.units import WINDOW_MS

TABLE: Final = "schedules"
SORT: Final = "fan-out"
CACHE_MS: Final = 30_000
MARGIN_MS: Final = 60_000
"""More than CACHE_MS, the clocks' difference and a request's length together."""
CACHED_CONTENTS: Final = 50_000
ATTEMPTS: Final = 10

_steps = msgspec.json.Decoder(list[tuple[int, int]])


class FanOut(NamedTuple):
    """A content's schedule: `fan_outs[i]` holds from window `starts[i]` on, 1 before the first."""

    starts: tuple[int, ...] = ()
    fan_outs: tuple[int, ...] = ()

    def at(self, window: int) -> int:
        """The number of partitions of the content in a window (its start // 5,000)."""
        step = bisect_right(self.starts, window) - 1
        return self.fan_outs[step] if step >= 0 else 1

    def most(self, first: int, last: int) -> int:
        """The largest fan-out of the windows first to last, both included."""
        changes = [fan_out for start, fan_out in zip(*self, strict=True) if first < start <= last]
        return max([self.at(first), *changes])


SINGLE: Final = FanOut()


def decode_fan_out(value: bytes) -> FanOut:
    """A schedule as stored."""
    steps = _steps.decode(value)
    return FanOut(tuple(start for start, _ in steps), tuple(fan_out for _, fan_out in steps))


def read_fan_out(table: Table, content_id: str) -> FanOut:
    """A content's schedule, straight from the table."""
    item = table.get(content_key(content_id), SORT)
    return decode_fan_out(item.value) if item else SINGLE


class FanOuts:
    """Schedules of the contents that ingest meets, each read again after 30 s."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._cached: dict[str, tuple[int, FanOut]] = {}

    def of(self, content_ids: Iterable[str]) -> dict[str, FanOut]:
        """The schedules of these contents. Raises Unavailable when the table cannot be read."""
        now = self._clock.now_ms()
        found: dict[str, FanOut] = {}
        missing: list[str] = []
        for content_id in content_ids:
            cached = self._cached.get(content_id)
            if cached is not None and 0 <= now - cached[0] < CACHE_MS:
                found[content_id] = cached[1]
            else:
                missing.append(content_id)
        for start in range(0, len(missing), MAX_BATCH_GET):
            found |= self._read(missing[start : start + MAX_BATCH_GET], now)
        return found

    def _read(self, content_ids: Sequence[str], now: int) -> dict[str, FanOut]:
        keys = {content_id: (content_key(content_id), SORT) for content_id in content_ids}
        items = self._table.batch_get(list(keys.values()))
        found = {
            content_id: decode_fan_out(items[key].value) if key in items else SINGLE
            for content_id, key in keys.items()
        }
        if len(self._cached) + len(found) > CACHED_CONTENTS:
            self._cached.clear()
        self._cached.update((content_id, (now, fan_out)) for content_id, fan_out in found.items())
        return found


def first_free_window(now_ms: int, max_ahead_seconds: int) -> int:
    """The first window that no ingest can have packed an event into, nor will with the schedule it now knows."""
    return -(-(now_ms + max_ahead_seconds * 1_000 + MARGIN_MS) // WINDOW_MS)


def set_fan_out(
    table: Table,
    content_id: str,
    fan_out: int,
    now_ms: int,
    *,
    max_ahead_seconds: int = Settings().max_ahead_seconds,
    keep_seconds: int = Settings().state_days * 86_400,
) -> int:
    """Let `content_id` have `fan_out` partitions as soon as that is safe; returns the first window that does.

    Steps that no window younger than `keep_seconds` needs are dropped. Raises Unavailable when others keep
    changing the same schedule.
    """
    if fan_out < 1:
        raise ValueError("a content has one partition at least")
    start = first_free_window(now_ms, max_ahead_seconds)
    oldest = (now_ms - keep_seconds * 1_000) // WINDOW_MS
    for _ in range(ATTEMPTS):
        item = table.get(content_key(content_id), SORT)
        steps = _steps.decode(item.value) if item else []
        if (steps[-1][1] if steps else 1) == fan_out:
            return steps[-1][0] if steps else start
        begin = max(start, steps[-1][0] + 1) if steps else start
        needed = [step for i, step in enumerate(steps) if i + 1 == len(steps) or steps[i + 1][0] > oldest]
        value = msgspec.json.encode([*needed, (begin, fan_out)])
        try:
            table.put(content_key(content_id), SORT, value, if_version=item.version if item else ABSENT)
        except VersionConflict:
            continue
        return begin
    raise Unavailable(f"the fan-out schedule of {content_id!r} keeps changing; try again")
