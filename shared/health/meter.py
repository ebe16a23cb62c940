"""What each function of a process does, counted in memory by slots of ten seconds.

Safe for threads. On ingest's path, so it imports nothing heavy.
"""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from shared.log_bins import bin_of

SLOT_MS: Final = 10_000
MAX_SLOTS: Final = 90
"""Slots that are kept while they cannot be written: a quarter of an hour."""
MAX_REASON: Final = 200

Bins = dict[int, int]
"""How many by bin of `shared.log_bins`."""


class Backlog(msgspec.Struct, array_like=True, frozen=True):
    """What waits for a consumer: records, how long the oldest has waited (0 for none), records that are parked."""

    waiting: int
    oldest_ms: int
    parked: int


class Counts(msgspec.Struct, array_like=True):
    """What a function did in a slot, and what waited for it when that was last looked at.

    `events_…` are None where a function counts none. Lags are in ms, durations and `busy_us` in µs.
    """

    calls: int = 0
    failures: int = 0
    events_in: int | None = None
    events_out: int | None = None
    busy_us: int = 0
    durations: Bins = {}
    event_lag: Bins = {}
    received_lag: Bins = {}
    backlog: Backlog | None = None


class Failure(msgspec.Struct, array_like=True, frozen=True):
    """When a call last failed, in ms since epoch, and why."""

    at: int
    reason: str


class Pulse(msgspec.Struct, array_like=True, frozen=True):
    """What an instance tells of one function in one slot; a later one of the same slot takes its place.

    `since` is when the instance began and `pulsed_at` when this was told, in ms since epoch. `next_within_ms`
    promises the next pulse; None when it comes with the next call, whenever that is.
    """

    function: str
    instance: str
    slot: int
    since: int
    pulsed_at: int
    next_within_ms: int | None
    counts: Counts
    last_error: Failure | None = None
    last_failed: bool = False
    """Whether the newest call failed."""


class Meter:
    """One function's counts in this process."""

    def __init__(
        self, function: str, instance: str, since: int, now_ms: Callable[[], int], timer_ns: Callable[[], int]
    ) -> None:
        self._function = function
        self._instance = instance
        self._since = since
        self._now_ms = now_ms
        self._timer_ns = timer_ns
        self._lock = threading.Lock()
        self._slots: dict[int, Counts] = {}
        self.took_ns = 0
        """How long all calls took together."""
        self._counts_events = False
        self._began_ns: int | None = None
        self._accounted_ns = 0
        self._last_error: Failure | None = None
        self._last_failed = False

    def count(self, *, events_in: int = 0, events_out: int = 0) -> None:
        """Events that were handed to the function, and those of which it made what it is there for."""
        with self._lock:
            self._counts_events = True
            counts = self._open()
            counts.events_in = (counts.events_in or 0) + events_in
            counts.events_out = (counts.events_out or 0) + events_out

    def lag(self, event_to_visible: Mapping[int, int], received_to_visible: Mapping[int, int]) -> None:
        """How long after they happened, and after they came in, events became visible: how many by bin of ms."""
        with self._lock:
            counts = self._open()
            add_bins(counts.event_lag, event_to_visible)
            add_bins(counts.received_lag, received_to_visible)

    def begin(self) -> None:
        """A call that has its thread to itself begins; `end` must follow."""
        with self._lock:
            self._open()
            self._began_ns = self._accounted_ns = self._timer_ns()

    def end(self, error: str | None = None) -> None:
        """The call that was begun has ended, with an error where it failed."""
        with self._lock:
            counts = self._open()
            self._account(counts)
            took_ns = 0 if self._began_ns is None else self._timer_ns() - self._began_ns
            self._began_ns = None
            self._add(counts, took_ns, error)

    def add(self, took_ns: int, error: str | None = None) -> None:
        """A call among others, as requests are, is over."""
        with self._lock:
            self._add(self._open(), took_ns, error)

    def fail(self, reason: str) -> None:
        """What should have led to a call failed."""
        with self._lock:
            counts = self._open()
            counts.calls += 1
            self._failed(counts, reason)

    def spend(self, busy_us: int) -> None:
        """Processor time of calls that overlap, which only their process knows."""
        with self._lock:
            self._open().busy_us += busy_us

    def tell(self, backlog: Backlog) -> None:
        """What waits now."""
        with self._lock:
            self._open().backlog = backlog

    def pulses(self, next_within_ms: int | None) -> list[Pulse]:
        """What is still to be written, that is the running slot and those before it, oldest first.

        A call in hand counts as busy up to now, so that one which never ends is seen.
        """
        with self._lock:
            self._account(self._open())
            now = self._now_ms()
            return [
                Pulse(
                    self._function,
                    self._instance,
                    slot,
                    self._since,
                    now,
                    next_within_ms,
                    msgspec.structs.replace(
                        counts,
                        durations=dict(counts.durations),
                        event_lag=dict(counts.event_lag),
                        received_lag=dict(counts.received_lag),
                    ),
                    self._last_error,
                    self._last_failed,
                )
                for slot, counts in sorted(self._slots.items())
            ]

    def written(self, pulse: Pulse) -> None:
        """A pulse is stored; its slot is forgotten once it is over."""
        with self._lock:
            if pulse.slot < self._now_ms() // SLOT_MS and self._slots.get(pulse.slot) == pulse.counts:
                del self._slots[pulse.slot]

    def _open(self) -> Counts:
        slot = self._now_ms() // SLOT_MS
        counts = self._slots.get(slot)
        return self._enter(slot) if counts is None else counts

    def _enter(self, slot: int) -> Counts:
        nothing = 0 if self._counts_events else None
        counts = self._slots[slot] = Counts(events_in=nothing, events_out=nothing)
        if len(self._slots) > MAX_SLOTS:
            del self._slots[min(self._slots)]
        return counts

    def _account(self, counts: Counts) -> None:
        """Count the call in hand as busy up to now, in the running slot (its are `counts`) and the one before."""
        if self._began_ns is None:
            return
        now_ns, slot = self._timer_ns(), self._now_ms() // SLOT_MS
        busy_us = (now_ns - self._accounted_ns) // 1_000
        here_us = min(busy_us, (self._now_ms() - slot * SLOT_MS) * 1_000)
        self._accounted_ns = now_ns
        counts.busy_us += here_us
        if slot - 1 in self._slots:
            self._slots[slot - 1].busy_us += busy_us - here_us

    def _add(self, counts: Counts, took_ns: int, error: str | None) -> None:
        self.took_ns += took_ns
        number = bin_of(took_ns / 1_000)
        counts.calls += 1
        counts.durations[number] = counts.durations.get(number, 0) + 1
        self._last_failed = False
        if error is not None:
            self._failed(counts, error)

    def _failed(self, counts: Counts, reason: str) -> None:
        counts.failures += 1
        self._last_failed = True
        self._last_error = Failure(self._now_ms(), reason[:MAX_REASON])


class Meters:
    """One process's meters, by function; `instance` is its random name."""

    def __init__(
        self,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        timer_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.instance = secrets.token_hex(8)
        self._since = now_ms()
        self._now_ms = now_ms
        self._timer_ns = timer_ns
        self._meters: dict[str, Meter] = {}

    def __call__(self, function: str) -> Meter:
        meter = self._meters.get(function)
        if meter is None:
            made = Meter(function, self.instance, self._since, self._now_ms, self._timer_ns)
            meter = self._meters.setdefault(function, made)
        return meter

    def all(self) -> list[Meter]:
        """Every meter that was asked for."""
        return list(self._meters.values())


def add_bins(bins: Bins, more: Mapping[int, int]) -> None:
    """Add one histogram to another."""
    for number, count in more.items():
        bins[number] = bins.get(number, 0) + count
