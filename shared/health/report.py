"""Health as a whole: every function's figures and state, lag, the bottleneck, and the last ten minutes."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.health.delay import AGGREGATE
from shared.health.merging import RECENT_SLOTS, Told, gather, merged, percentile
from shared.health.meter import SLOT_MS, Counts, Failure
from shared.health.pulses import KEPT_MS, PULSE_MS, PULSES_TABLE, read_pulses
from shared.health.rules import Kind, State, Watched, Why, bottleneck, busy, state_of
from shared.log_bins import quantile
from shared.ports import Ports

SERIES_SLOTS: Final = 60


@dataclass(frozen=True)
class FunctionHealth:
    """One function, over the last 20 to 30 s; None where a figure cannot be told. Times in ms.

    A schedule's durations are those of the last quarter of an hour.
    """

    name: str
    kind: Kind
    state: State
    instances: int
    last_seen: int | None
    calls_per_second: float
    failures_per_second: float
    events_in_per_second: float | None
    events_out_per_second: float | None
    busy: float | None
    duration_ms_p50: float | None
    duration_ms_p99: float | None
    waiting: int | None
    oldest_ms: int | None
    parked: int | None
    last_error: Failure | None


@dataclass(frozen=True)
class Lag:
    """Of the events that became visible within the last 20 to 30 s; times in ms."""

    events: int
    event_to_visible_ms_p50: int | None
    event_to_visible_ms_p99: int | None
    received_to_visible_ms_p50: int | None
    received_to_visible_ms_p99: int | None


@dataclass(frozen=True)
class Bottleneck:
    """The function that holds up the rest, with its figures that the rule looks at."""

    function: str
    why: Why
    waiting: int | None
    oldest_ms: int | None
    busy: float | None
    failures_per_second: float | None


@dataclass(frozen=True)
class Series:
    """One function's last ten minutes, a value a slot: None where it told nothing."""

    events_in_per_second: list[float | None]
    events_out_per_second: list[float | None]
    waiting: list[int | None]


@dataclass(frozen=True)
class Recent:
    """The last 60 slots that are complete; `since` is the start of the first, in ms since epoch."""

    since: int
    event_to_visible_ms_p50: list[int | None]
    event_to_visible_ms_p99: list[int | None]
    functions: dict[str, Series]


@dataclass(frozen=True)
class Health:
    as_of: int
    functions: list[FunctionHealth]
    lag: Lag
    bottleneck: Bottleneck | None
    recent: Recent


class HealthReader:
    """Reads pulses and keeps those of slots that are over, so that asking again reads half a minute only.

    What an instance writes later than that into such a slot is not seen by a reader that has read it.
    """

    def __init__(self, ports: Ports, functions: Sequence[Watched]) -> None:
        """`functions` stand in the order in which events meet them."""
        self._clock = ports.clock
        self._table = ports.table(PULSES_TABLE)
        self._functions = functions
        self._lock = threading.Lock()
        self._over: dict[str, Told] = {}
        self._read_to = -1

    def read(self) -> Health:
        """Health as of now."""
        now = self._clock.now_ms()
        with self._lock:
            return report(self._functions, self._known(now), now)

    def _known(self, now: int) -> dict[str, Told]:
        running, oldest = now // SLOT_MS, (now - KEPT_MS) // SLOT_MS
        over = running - RECENT_SLOTS
        pulses = list(read_pulses(self._table, max(oldest, self._read_to + 1), running))
        self._over = gather((pulse for pulse in pulses if pulse.slot <= over), now, self._over)
        self._read_to = over
        for told in self._over.values():
            told.forget(oldest)
        return gather((pulse for pulse in pulses if pulse.slot > over), now, self._over)


def report(functions: Sequence[Watched], known: Mapping[str, Told], now_ms: int) -> Health:
    """Health from what is known of each function."""
    healths = [_function(each, known, now_ms) for each in functions]
    found = bottleneck([(each.name, each.state) for each in healths])
    return Health(
        as_of=now_ms,
        functions=healths,
        lag=_lag(known.get(AGGREGATE, Told()).recent()),
        bottleneck=found and _blamed(next(each for each in healths if each.name == found[0]), found[1]),
        recent=_recent(functions, known, (now_ms - PULSE_MS) // SLOT_MS - SERIES_SLOTS),
    )


def _function(function: Watched, known: Mapping[str, Told], now_ms: int) -> FunctionHealth:
    told = known.get(function.name, Told())
    newest = told.newest()
    calls = merged(told.slots.values()) if function.kind == "schedule" else told.recent()  # those run seldom
    alive, counts_events = len(told.alive(now_ms)), told.counts_events()
    backlog = told.backlog(now_ms)
    waiting, oldest_ms, parked = (backlog.waiting, backlog.oldest_ms, backlog.parked) if backlog else (None,) * 3
    events_in = told.per_second(now_ms, lambda counts: counts.events_in)
    events_out = told.per_second(now_ms, lambda counts: counts.events_out)
    return FunctionHealth(
        name=function.name,
        kind=function.kind,
        state=state_of(function, known, now_ms),
        instances=alive,
        last_seen=newest.pulsed_at if newest else None,
        calls_per_second=_rounded(told.per_second(now_ms, lambda counts: counts.calls)),
        failures_per_second=_rounded(told.per_second(now_ms, lambda counts: counts.failures)),
        events_in_per_second=_rounded(events_in) if counts_events else None,
        events_out_per_second=_rounded(events_out) if counts_events else None,
        busy=_rounded(busy(told, now_ms)) if alive else None,
        duration_ms_p50=_milliseconds(calls, 0.5),
        duration_ms_p99=_milliseconds(calls, 0.99),
        waiting=waiting,
        oldest_ms=oldest_ms,
        parked=parked,
        last_error=told.last_error(),
    )


def _lag(counts: Counts) -> Lag:
    return Lag(
        events=sum(counts.event_lag.values()),
        event_to_visible_ms_p50=percentile(counts.event_lag, 0.5),
        event_to_visible_ms_p99=percentile(counts.event_lag, 0.99),
        received_to_visible_ms_p50=percentile(counts.received_lag, 0.5),
        received_to_visible_ms_p99=percentile(counts.received_lag, 0.99),
    )


def _blamed(function: FunctionHealth, why: Why) -> Bottleneck:
    return Bottleneck(
        function=function.name,
        why=why,
        waiting=function.waiting,
        oldest_ms=function.oldest_ms,
        busy=function.busy,
        failures_per_second=function.failures_per_second,
    )


def _recent(functions: Sequence[Watched], known: Mapping[str, Told], first: int) -> Recent:
    slots = range(first, first + SERIES_SLOTS)
    lags = [known[AGGREGATE].slots.get(slot, Counts()).event_lag if AGGREGATE in known else {} for slot in slots]
    series = {each.name: _series(known.get(each.name, Told()), slots) for each in functions}
    return Recent(
        since=first * SLOT_MS,
        event_to_visible_ms_p50=[percentile(bins, 0.5) for bins in lags],
        event_to_visible_ms_p99=[percentile(bins, 0.99) for bins in lags],
        functions=series,
    )


def _series(told: Told, slots: range) -> Series:
    counts = [told.slots.get(slot, Counts()) for slot in slots]
    return Series(
        events_in_per_second=[_per_second(each.events_in) for each in counts],
        events_out_per_second=[_per_second(each.events_out) for each in counts],
        waiting=[each.backlog.waiting if each.backlog else None for each in counts],
    )


def _per_second(events: int | None) -> float | None:
    return None if events is None else _rounded(events * 1_000 / SLOT_MS)


def _milliseconds(counts: Counts, share: float) -> float | None:
    value = quantile(counts.durations, share)
    return None if value is None else _rounded(value / 1_000)


def _rounded(value: float) -> float:
    return round(value, 3)
