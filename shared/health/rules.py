"""What state a function is in, and which function holds up the rest. docs/metrics.md, "Health", tells the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.health.merging import QUIET_MS, Told
from shared.health.meter import SLOT_MS

FAILING_SHARE: Final = 0.05
"""Of the recent calls."""
BEHIND_MS: Final = 2_000
"""Beyond the time that a batch may be gathered."""
FAR_BEHIND_MS: Final = 10_000
"""The same, where it need not grow to count."""
BUSY_SHARE: Final = 0.8

Kind = Literal["http", "stream", "queue", "schedule"]
State = Literal["ok", "idle", "behind", "busy", "failing", "silent"]
Why = Literal["silent", "failing", "behind", "busy"]


@dataclass(frozen=True)
class Watched:
    """A function as the manifest has it. `window_ms`: how long its batches may be gathered; `every_ms`: how often it
    runs by itself; `feeders`: the functions that append to its stream.
    """

    name: str
    kind: Kind
    window_ms: int = 0
    every_ms: int = 0
    feeders: frozenset[str] = frozenset()


def state_of(function: Watched, known: Mapping[str, Told], now_ms: int) -> State:
    """The first of these that holds, else ok.

    - silent: it has not pulsed for 15 s while it should. One that promised should; in a suite whose processes stay,
      all should; and a consumer should whose stream was fed since.
    - failing: 5% of its recent calls failed, or, of what runs by itself, the newest one.
    - behind: the oldest record that waits for it has waited for 2 s more than a batch may be gathered, and longer
      than ten seconds before; or for 10 s more, growing or not.
    - busy: it works for more than 0.8 of the time.
    - idle: it was not called lately, or not within two of its periods.
    """
    told = known.get(function.name, Told())
    if _silent(function, told, known, now_ms):
        return "silent"
    if _failing(function, told, now_ms):
        return "failing"
    if _behind(function, told, now_ms):
        return "behind"
    if busy(told, now_ms) > BUSY_SHARE:
        return "busy"
    return "ok" if _called(function, told, now_ms) else "idle"


def bottleneck(states: Sequence[tuple[str, State]]) -> tuple[str, Why] | None:
    """Which function holds up the rest, and why; `states` stand in the order in which events meet the functions.

    What does not work at all (silent, failing) explains more than what is behind, and that more than what is merely
    busy. Among equals the first wins: what lags further down may lag for its sake, as all consumers of a process do
    when one of them takes the processor; a function is never blamed while one before it is in the same trouble.
    """
    ranks: tuple[tuple[Why, ...], ...] = (("silent", "failing"), ("behind",), ("busy",))
    for rank in ranks:
        for name, state in states:
            for why in rank:
                if state == why:
                    return name, why
    return None


def busy(told: Told, now_ms: int) -> float:
    """The share of the recent time that the instances which go on worked, from 0 to 1."""
    alive = told.alive(now_ms)
    shares = [sum(counts.busy_us for counts in each.recent) / 1e6 / each.seconds(now_ms) for each in alive]
    return min(1.0, sum(shares) / len(shares)) if shares else 0.0


def _silent(function: Watched, told: Told, known: Mapping[str, Told], now_ms: int) -> bool:
    newest = told.newest()
    first = min((slot for each in known.values() for slot in each.slots), default=now_ms // SLOT_MS)
    last_ms = (first + 1) * SLOT_MS if newest is None else newest.pulsed_at
    promised = newest is not None and newest.next_within_ms is not None
    if (promised or _resident(known, now_ms)) and now_ms - last_ms > QUIET_MS:
        return True
    fed = max((_fed_ms(known[name]) for name in function.feeders if name in known), default=0)
    return fed - last_ms > QUIET_MS


def _resident(known: Mapping[str, Told], now_ms: int) -> bool:
    """Whether the suite runs in processes that stay, as on one machine."""
    return any(each.newest.next_within_ms is not None for told in known.values() for each in told.alive(now_ms))


def _fed_ms(told: Told) -> int:
    """When it last handed events on, at the latest: the start of that slot."""
    return max((slot for slot, counts in told.slots.items() if counts.events_out), default=0) * SLOT_MS


def _failing(function: Watched, told: Told, now_ms: int) -> bool:
    recent = told.recent()
    if recent.failures and recent.failures >= FAILING_SHARE * recent.calls:
        return True
    return function.kind != "http" and any(each.newest.last_failed for each in told.alive(now_ms))


def _behind(function: Watched, told: Told, now_ms: int) -> bool:
    backlog = told.backlog(now_ms)
    if function.kind != "stream" or backlog is None:
        return False
    late_ms = backlog.oldest_ms - function.window_ms
    before = told.slots.get(max(told.slots) - 1)
    grows = before is not None and before.backlog is not None and backlog.oldest_ms > before.backlog.oldest_ms
    return late_ms > FAR_BEHIND_MS or (late_ms > BEHIND_MS and grows)


def _called(function: Watched, told: Told, now_ms: int) -> bool:
    if told.recent().calls:
        return True
    since = (now_ms - 2 * function.every_ms) // SLOT_MS
    return function.every_ms > 0 and any(counts.calls for slot, counts in told.slots.items() if slot >= since)
