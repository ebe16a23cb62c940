"""The contract suite's providers. A new one is a line in `PROVIDERS`; it is done when the suite passes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from adapters.local.queue import Message
from adapters.local.suite import Suite
from adapters.local.triggers import Consumer, Delivery, Log, Progress, Terms
from lab.memory import MemoryClock, MemorySuite
from shared.dead_letters import DeadLetters
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import BatchHandler, NewRecord, Record


class Receiver(Protocol):
    """How a provider hands out a queue's messages."""

    def receive(self, limit: int = 10, lease_ms: int = 30_000) -> Sequence[Message]: ...

    def settle(self, message: Message) -> None: ...


@dataclass
class Rig:
    """A provider with a clock of the test's, and what a function's host would do around it."""

    name: str
    ports: Ports
    clock: MemoryClock
    source: Callable[[str], Log]
    progress: Callable[[str], Progress]
    receiver: Callable[[str], Receiver]
    reopen: Callable[[], "Rig"]
    """The same data as a process started anew sees it."""

    @property
    def dead_letters(self) -> DeadLetters:
        return DeadLetters(self.ports, Settings())

    def consumer(self, handler: BatchHandler, delivery: Delivery = Delivery.ORDERED, **terms: int) -> Consumer:
        """A function called "counter" on the stream "events"."""
        return Consumer(
            "counter",
            handler,
            source=self.source("events"),
            progress=self.progress("events"),
            dead_letters=self.dead_letters,
            clock=self.clock,
            terms=Terms(delivery=delivery, **terms),
        )

    def append(self, *records: NewRecord) -> None:
        assert list(self.ports.stream("events").append(records)) == [None] * len(records)

    def appended(self) -> list[Record]:
        """Every record in the stream."""
        log = self.source("events")
        return [record for each in log.heads().positions for record in log.read(each, 0, 10_000, 1 << 40)]


@contextmanager
def local(folder: Path) -> Iterator[Rig]:
    clock = MemoryClock()
    suites: list[Suite] = []

    def rig() -> Rig:
        suite = Suite(folder, Settings(), clock=clock)
        suites.append(suite)
        return Rig("local", suite.ports, clock, suite.stream, suite.progress, suite.queue, rig)

    yield rig()
    for suite in suites:
        suite.close()


@contextmanager
def memory(_: Path) -> Iterator[Rig]:
    suite = MemorySuite()

    def rig() -> Rig:
        return Rig("memory", suite.ports, suite.clock, suite.stream, suite.progress, suite.queue, rig)

    yield rig()


PROVIDERS: dict[str, Callable[[Path], AbstractContextManager[Rig]]] = {"local": local, "memory": memory}


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with PROVIDERS[request.param](tmp_path / "data") as rig:
        yield rig
