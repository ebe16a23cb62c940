"""Pulses put together: sums of what instances did, in any order, and the newest that each instance told."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.health.meter import SLOT_MS, Backlog, Bins, Counts, Failure, Pulse, add_bins
from shared.health.pulses import GRACE_MS, PULSE_MS, overdue
from shared.log_bins import quantile

RECENT_SLOTS: Final = 3
"""Rates are over the running slot and the two before it: 20 to 30 s."""
QUIET_MS: Final = PULSE_MS + GRACE_MS
"""After so long without a pulse one that should have told is silent."""


def merged(parts: Iterable[Counts]) -> Counts:
    """Counts of several instances or slots as one; of what waits the most, since each tells of all that it knows."""
    total = Counts()
    for part in parts:
        total.calls += part.calls
        total.failures += part.failures
        total.events_in = _sum(total.events_in, part.events_in)
        total.events_out = _sum(total.events_out, part.events_out)
        total.busy_us += part.busy_us
        add_bins(total.durations, part.durations)
        add_bins(total.event_lag, part.event_lag)
        add_bins(total.received_lag, part.received_lag)
        total.backlog = _most(total.backlog, part.backlog)
    return total


@dataclass
class Instance:
    """What one instance of a function told in the recent slots, and its newest pulse."""

    newest: Pulse
    recent: list[Counts] = field(default_factory=list)

    def alive(self, now_ms: int) -> bool:
        """Whether it goes on as it said, or was called lately where it promised nothing."""
        if self.newest.next_within_ms is None:
            return now_ms - self.newest.pulsed_at <= RECENT_SLOTS * SLOT_MS
        return not overdue(self.newest, now_ms)

    def seconds(self, now_ms: int) -> float:
        """How long its recent slots cover: since it began, and up to its newest pulse while it goes on pulsing."""
        pulsing = self.newest.next_within_ms is not None and self.alive(now_ms)
        until = self.newest.pulsed_at if pulsing else now_ms
        since = max(self.newest.since, (now_ms // SLOT_MS - RECENT_SLOTS + 1) * SLOT_MS)
        return max(1.0, (until - since) / 1_000)


@dataclass
class Told:
    """All that is known of one function within the time that pulses are kept."""

    instances: dict[str, Instance] = field(default_factory=dict)
    slots: dict[int, Counts] = field(default_factory=dict)

    def alive(self, now_ms: int) -> list[Instance]:
        return [each for each in self.instances.values() if each.alive(now_ms)]

    def newest(self) -> Pulse | None:
        """The newest pulse of any instance."""
        return max((each.newest for each in self.instances.values()), key=_age, default=None)

    def last_error(self) -> Failure | None:
        errors = [each.newest.last_error for each in self.instances.values() if each.newest.last_error]
        return max(errors, key=lambda failure: failure.at, default=None)

    def recent(self) -> Counts:
        """What all instances did in the recent slots."""
        return merged(counts for each in self.instances.values() for counts in each.recent)

    def per_second(self, now_ms: int, amount: Callable[[Counts], int | None]) -> float:
        """A rate over the recent slots: the sum of the instances' own."""
        rates = (
            sum(amount(counts) or 0 for counts in each.recent) / each.seconds(now_ms)
            for each in self.instances.values()
        )
        return sum(rates)

    def backlog(self, now_ms: int) -> Backlog | None:
        """What waits, as the instances that go on have last told; None when none of them tells."""
        return merged(each.newest.counts for each in self.alive(now_ms)).backlog

    def counts_events(self) -> bool:
        return any(counts.events_in is not None for counts in self.slots.values())

    def copy(self) -> "Told":
        """The same, to add to; what is recent is left out, as that changes with the time."""
        return Told({name: Instance(each.newest) for name, each in self.instances.items()}, dict(self.slots))

    def forget(self, before: int) -> None:
        """Leave out slots before this one."""
        self.slots = {slot: counts for slot, counts in self.slots.items() if slot >= before}
        self.instances = {name: each for name, each in self.instances.items() if each.newest.slot >= before}


NOTHING: Final[Mapping[str, Told]] = {}


def gather(pulses: Iterable[Pulse], now_ms: int, onto: Mapping[str, Told] = NOTHING) -> dict[str, Told]:
    """By function what is known of it, in whatever order the pulses come; of a slot told twice the later counts.

    `onto` is what is known of other slots; it stays as it is.
    """
    known = {name: told.copy() for name, told in onto.items()}
    by_slot: defaultdict[tuple[str, int], list[Counts]] = defaultdict(list)
    for pulse in _newest_of_each_slot(pulses):
        told = known.setdefault(pulse.function, Told())
        by_slot[pulse.function, pulse.slot].append(pulse.counts)
        instance = told.instances.setdefault(pulse.instance, Instance(pulse))
        if _age(pulse) > _age(instance.newest):
            instance.newest = pulse
        if pulse.slot > now_ms // SLOT_MS - RECENT_SLOTS:
            instance.recent.append(pulse.counts)
    for (function, slot), parts in by_slot.items():
        known[function].slots[slot] = merged(parts)
    return known


def _newest_of_each_slot(pulses: Iterable[Pulse]) -> Iterable[Pulse]:
    unique: dict[tuple[str, str, int], Pulse] = {}
    for pulse in pulses:
        key = pulse.function, pulse.instance, pulse.slot
        if key not in unique or _age(unique[key]) < _age(pulse):
            unique[key] = pulse
    return unique.values()


def percentile(bins: Bins, share: float) -> int | None:
    """The value, rounded, that a share of those in `bins` did not exceed."""
    value = quantile(bins, share)
    return None if value is None else round(value)


def _age(pulse: Pulse) -> tuple[int, int]:
    return pulse.slot, pulse.pulsed_at


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other


def _most(one: Backlog | None, other: Backlog | None) -> Backlog | None:
    if one is None or other is None:
        return one or other
    return Backlog(
        max(one.waiting, other.waiting), max(one.oldest_ms, other.oldest_ms), max(one.parked, other.parked)
    )
