"""A process's pulse: a thread that tells health what its functions do, whether or not they do anything."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from adapters.local.suite import Suite
from shared.health.meter import Meter, Meters
from shared.health.pulses import PULSE_MS, Pulses

log = logging.getLogger("grandstand.health")

END_SECONDS: Final = 5.0


class Pulsing:
    """Writes a pulse at once, then every PULSE_MS, and one as it stops. `look` completes the meters before each."""

    def __init__(self, suite: Suite, look: Callable[[], None]) -> None:
        self._pulses = Pulses(suite.pulses, suite.ports.meter, suite.clock, resident=True)
        self._look = look
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin to pulse."""
        self._thread.start()

    def stop(self) -> None:
        """Pulse once more and end; a store that hangs is not waited for long."""
        self._stop.set()
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        self._beat()
        while not self._stop.wait(PULSE_MS / 1_000):
            self._beat()
        self._beat()

    def _beat(self) -> None:
        try:
            self._look()
        except Exception as error:  # a pulse that ended would tell of functions that had
            log.exception("what waits cannot be told: %s", error)
        self._pulses.flush()


class ProcessorTime:
    """Splits a process's processor time over its functions by how long their requests took.

    Requests overlap and share threads, so that more cannot be known of each.
    """

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._used_ns = time.process_time_ns()
        self._took_ns: dict[Meter, int] = {}

    def split(self) -> None:
        """Tell each meter its part of what was used since the last time."""
        used_ns = time.process_time_ns()
        spent_ns, self._used_ns = used_ns - self._used_ns, used_ns
        took = {meter: meter.took_ns - self._took_ns.get(meter, 0) for meter in self._meters.all()}
        total = sum(took.values())
        for meter, part in took.items():
            self._took_ns[meter] = self._took_ns.get(meter, 0) + part
            if part:
                meter.spend(spent_ns * part // total // 1_000)
