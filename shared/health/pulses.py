"""Pulses as they are stored: table `pulses`, one small item for each (slot, function, instance).

An instance lies in one of four partitions, by a hash: a thousand instances write 50 times a second into each, and the
last ten minutes of all functions are four range queries. Within a partition slots come first, then functions, so that
one function's newest pulses are a short range.
"""

import logging
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

import msgspec

from shared.errors import CorruptData, GrandstandError
from shared.health.meter import SLOT_MS, Meters, Pulse
from shared.ports import Clock, Item, Table, query_all
from shared.units import MINUTE_MS

PULSES_TABLE: Final = "pulses"
PULSE_MS: Final = 5_000
"""How often an instance writes at most; one that stays does so at least as often, busy or not."""
GRACE_MS: Final = 10_000
"""How late a pulse may be before its function counts as silent."""
KEPT_MS: Final = 15 * MINUTE_MS
SHARDS: Final = 4
FORMAT: Final = 1
"""Part of the partitions' names, so that a release never meets the pulses of one that wrote them otherwise."""
AFTER_BAR: Final = chr(ord("|") + 1)

log = logging.getLogger("grandstand.health")

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Pulse)


class Pulses:
    """Writes a process's meters. What cannot be written now is kept for the next time; the work never fails by it.

    `resident`: the process stays and calls `flush` every PULSE_MS. One that does not (a Lambda) calls `flush_if_due`
    at the end of each invocation.
    """

    def __init__(self, table: Table, meters: Meters, clock: Clock, *, resident: bool) -> None:
        self._table = table
        self._meters = meters
        self._clock = clock
        self._next_within_ms = PULSE_MS if resident else None
        self._partition = partition_of(meters.instance)
        self._flushed_at: int | None = None
        self._failing = False

    def flush(self) -> None:
        """Write what has not been written; the first of failures in a row is logged."""
        self._flushed_at = self._clock.now_ms()
        try:
            self._write()
        except Exception as error:  # whatever it is, no function's work ends by it
            if not self._failing:
                surprising = not isinstance(error, GrandstandError)
                log.error(
                    "health cannot be written; it is tried again every %d s: %s",
                    PULSE_MS // 1_000,
                    error,
                    exc_info=surprising,
                )
            self._failing = True
        else:
            self._failing = False

    def flush_if_due(self) -> None:
        """`flush`, unless that was done less than PULSE_MS ago."""
        now = self._clock.now_ms()
        if self._flushed_at is None or not 0 <= now - self._flushed_at < PULSE_MS:
            self.flush()

    def _write(self) -> None:
        for meter in self._meters.all():
            for pulse in meter.pulses(self._next_within_ms):
                expires_at = (pulse.slot + 1) * SLOT_MS + KEPT_MS
                sort = f"{pulse.slot:010d}|{pulse.function}|{pulse.instance}"
                self._table.put(self._partition, sort, _encode(pulse), expires_at=expires_at)
                meter.written(pulse)


def overdue(pulse: Pulse, now_ms: int) -> bool:
    """Whether the instance should have pulsed again by now."""
    return pulse.next_within_ms is not None and now_ms - pulse.pulsed_at > pulse.next_within_ms + GRACE_MS


def partition_of(instance: str) -> str:
    """Where an instance's pulses lie."""
    return _partition(blake2b(instance.encode(), digest_size=8).digest()[0] % SHARDS)


def read_pulses(table: Table, first: int, last: int) -> Iterator[Pulse]:
    """The pulses of all functions in the slots first to last."""
    yield from _between(table, f"{first:010d}", f"{last + 1:010d}")


def read_pulses_of(table: Table, function: str, slot: int) -> Iterator[Pulse]:
    """One function's pulses in one slot."""
    yield from _between(table, f"{slot:010d}|{function}|", f"{slot:010d}|{function}{AFTER_BAR}")


def _partition(shard: int) -> str:
    return f"pulses{FORMAT}#{shard}"


def _between(table: Table, start: str, end: str) -> Iterator[Pulse]:
    for shard in range(SHARDS):
        for item in query_all(table, _partition(shard), start=start, end=end):
            yield _decoded(item)


def _decoded(item: Item) -> Pulse:
    try:
        return _decoder.decode(item.value)
    except msgspec.MsgspecError as error:
        raise CorruptData(
            f"a pulse in table {PULSES_TABLE!r} cannot be read: {error}. It expires within a quarter of an hour."
        ) from None
