"""Plans how many state partitions each content has, from the audience it has now.

A new fan-out takes effect about six minutes after it is stored (shared/fan_out.py), so it is planned for twice the
audience there is. It grows at once, by powers of two; it shrinks by halves, each half an hour after the last change,
since a smaller fan-out saves little and a match has two halves.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from shared.audience.codec import decode
from shared.audience.distinct import EXACT_LIMIT
from shared.audience.keys import (
    AUDIENCE_TABLE,
    CONTENTS_TABLE,
    WINDOWS_PER_HOUR,
    active_partition,
    state_key,
    window_of,
)
from shared.audience.marks import PAGE_RECEPTIONS
from shared.audience.query import read_active
from shared.fan_out import TABLE as SCHEDULES_TABLE
from shared.fan_out import FanOut, FanOuts, set_fan_out
from shared.ports import MAX_BATCH_GET, Ports, query_all
from shared.settings import DAY_SECONDS, Settings
from shared.stream import Deadline, Run
from shared.units import WINDOW_MS

HEADROOM: Final = 2
RECORDS_A_WINDOW: Final = 1_000
"""How many records one state is meant to take in 5 s: each leaves a mark in it."""
FEWEST_VIEWERS: Final = 500
"""In a partition: a body holds several viewers, so past this more partitions mean more records rather than fewer."""
SHRINK_AFTER_WINDOWS: Final = 30 * 60_000 // WINDOW_MS
SMALL_BYTES: Final = 2 * 1024
"""A state of so few bytes holds few viewers and few marks, 8 and 16 random bytes each: not worth decoding."""


class Load(NamedTuple):
    """What one partition took in a window."""

    viewers: int
    records: int


def make(ports: Ports, settings: Settings) -> Run:
    """The planner of one suite."""
    contents, states = ports.table(CONTENTS_TABLE), ports.table(AUDIENCE_TABLE)
    schedules = ports.table(SCHEDULES_TABLE)
    fan_outs = FanOuts(schedules, ports.clock)
    small = SMALL_BYTES if settings.fan_out_viewers >= HEADROOM * EXACT_LIMIT else 0

    def run(deadline: Deadline) -> bool:
        now = ports.clock.now_ms()
        window = window_of(now) - 2
        active = (
            read_active(item.value)[0] for item in query_all(contents, active_partition(window // WINDOWS_PER_HOUR))
        )
        found = False
        while some := list(islice(active, MAX_BATCH_GET)):
            found = True
            if deadline.near():
                break
            schedule = fan_outs.of(some)
            for content_id, load in loads(some, window):
                fan_out = planned(schedule[content_id], load, window, settings)
                if fan_out is not None:
                    set_fan_out(
                        schedules,
                        content_id,
                        fan_out,
                        now,
                        max_ahead_seconds=settings.max_ahead_seconds,
                        keep_seconds=settings.state_days * DAY_SECONDS,
                    )
        return found

    def loads(content_ids: list[str], window: int) -> Iterator[tuple[str, Load]]:
        """Of each content its partition 0: by hash, the others are like it."""
        keys = {content_id: state_key(content_id, 0, window) for content_id in content_ids}
        items = states.batch_get(list(keys.values()))
        for content_id, key in keys.items():
            value = items[key].value if key in items else b""
            if len(value) <= small:
                yield content_id, Load(0, 0)
                continue
            state = decode(value)
            records = len(state.marks.entries) + PAGE_RECEPTIONS * len(state.marks.pages)
            yield content_id, Load(state.viewers().value, records)

    return run


def planned(schedule: FanOut, load: Load, window: int, settings: Settings) -> int | None:
    """The fan-out that a content should have from now on; None when it stays as planned."""
    last = schedule.fan_outs[-1] if schedule.fan_outs else 1
    wanted = needed(load, schedule.at(window), settings)
    if wanted > last:
        return wanted
    settled = bool(schedule.starts) and window - schedule.starts[-1] >= SHRINK_AFTER_WINDOWS
    return last // 2 if settled and wanted * 4 <= last else None


def needed(load: Load, fan_out: int, settings: Settings) -> int:
    """The power of two that leaves each partition half of what it is meant to hold."""
    viewers, records = load.viewers * fan_out, load.records * fan_out
    busy = min(records / RECORDS_A_WINDOW, viewers / FEWEST_VIEWERS / HEADROOM)
    parts = HEADROOM * max(viewers / settings.fan_out_viewers, busy)
    wanted = 1
    while wanted < parts and wanted * 2 <= settings.max_fan_out:
        wanted *= 2
    return wanted
