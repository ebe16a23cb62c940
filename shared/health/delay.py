"""How far what the audience API shows is behind what was received."""

import threading
from typing import Final

from shared.health.meter import SLOT_MS, Pulse
from shared.health.pulses import KEPT_MS, PULSES_TABLE, overdue, read_pulses, read_pulses_of
from shared.ports import Ports

AGGREGATE: Final = "aggregate"
"""The function that makes events visible."""
CACHED_MS: Final = 1_000


class DelayReader:
    """Safe for threads; reads at most once in CACHED_MS."""

    def __init__(self, ports: Ports) -> None:
        self._clock = ports.clock
        self._pulses = ports.table(PULSES_TABLE)
        self._lock = threading.Lock()
        self._known: tuple[int, int | None] | None = None

    def delay_ms(self) -> int | None:
        """The age in ms of the oldest record that waits for `aggregate`, as last told; 0 when none does.

        When `aggregate` has fallen silent, that age and the time since it last told. None when it has told nothing
        within a quarter of an hour.
        """
        with self._lock:
            now = self._clock.now_ms()
            if self._known is None or not 0 <= now - self._known[0] < CACHED_MS:
                self._known = now, self._read(now)
            return self._known[1]

    def _read(self, now: int) -> int | None:
        slot = now // SLOT_MS
        told = [pulse for each in (slot - 1, slot) for pulse in read_pulses_of(self._pulses, AGGREGATE, each)]
        if not told:
            kept = read_pulses(self._pulses, (now - KEPT_MS) // SLOT_MS, slot - 2)
            told = [pulse for pulse in kept if pulse.function == AGGREGATE]
        newest: dict[str, Pulse] = {}
        for pulse in sorted(told, key=lambda one: one.slot):
            newest[pulse.instance] = pulse
        if not newest:
            return None
        alive = [pulse for pulse in newest.values() if not overdue(pulse, now)]
        if alive:
            return max(_oldest_ms(pulse) for pulse in alive)
        last = max(newest.values(), key=lambda pulse: pulse.pulsed_at)
        return _oldest_ms(last) + max(0, now - last.pulsed_at)


def _oldest_ms(pulse: Pulse) -> int:
    return pulse.counts.backlog.oldest_ms if pulse.counts.backlog else 0
