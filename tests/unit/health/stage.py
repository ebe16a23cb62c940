"""A suite in memory and instances of its functions, each a process of its own."""

from dataclasses import dataclass, field

from lab.memory import MemoryClock, MemorySuite
from shared.health.meter import Backlog, Meters
from shared.health.pulses import PULSES_TABLE, Pulses
from shared.ports import Ports


@dataclass
class Timer:
    """A stopwatch that a test moves."""

    time_ns: int = 0

    def __call__(self) -> int:
        return self.time_ns

    def pass_ms(self, milliseconds: float) -> None:
        self.time_ns += int(milliseconds * 1_000_000)


class Process:
    """One instance: its meters and what writes them."""

    def __init__(self, clock: MemoryClock, ports: Ports, *, resident: bool = True) -> None:
        self.timer = Timer()
        self.meter = Meters(clock.now_ms, self.timer)
        self.pulses = Pulses(ports.table(PULSES_TABLE), self.meter, clock, resident=resident)

    def waits(self, oldest_ms: int, *, function: str = "aggregate", records: int = 1, parked: int = 0) -> None:
        """So much waits for a function, and it is written."""
        self.meter(function).tell(Backlog(records if oldest_ms else 0, oldest_ms, parked))
        self.pulses.flush()


@dataclass
class Stage:
    suite: MemorySuite = field(default_factory=MemorySuite)

    @property
    def clock(self) -> MemoryClock:
        return self.suite.clock

    @property
    def ports(self) -> Ports:
        return self.suite.ports

    def process(self, *, resident: bool = True) -> Process:
        return Process(self.clock, self.ports, resident=resident)
