"""What a provider gives the contract suite: its ports, and what its cloud would do around a function.

A rig is a context manager in `tests/contract/rigs/`; its emulators are started once a process, and each rig has names
of its own in them, so that tests do not meet.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from adapters.local.triggers import Delivery, Terms
from lab.memory import MemoryClock
from shared.dead_letters import DeadLetters
from shared.ports import Mail, Ports
from shared.settings import Settings
from shared.stream import BatchHandler, Message, NewRecord, Record


class Receiver(Protocol):
    """How a provider hands out a queue's messages."""

    def receive(self, limit: int = 10, lease_ms: int = 30_000) -> Sequence[Message]: ...

    def settle(self, message: Message) -> None: ...


class Poller(Protocol):
    """A consumer with its host around it."""

    def poll(self) -> int:
        """Deliver once what is due; how many records were handed over."""
        ...


@dataclass(frozen=True)
class HttpAnswer:
    """What an HTTP function answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Entry(Protocol):
    """A function of the manifest behind its provider's own entry point and event shapes."""

    def http(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        """An HTTP function's answer; `target` is the path as it is sent, with its query."""
        ...

    def deliver(self) -> int:
        """A stream consumer is handed what is due; how many records."""
        ...

    def work(self) -> int:
        """A queue's consumer is handed what is due; how many messages."""
        ...

    def tick(self) -> None:
        """A schedule is started."""
        ...


class Fault(Protocol):
    """What a store or stream may be made to do to the requests that follow."""

    def __call__(self, kind: str) -> AbstractContextManager[None]:
        """`throttled`: it refuses, for too much is asked; `down`: it does not answer; `broken`: it answers 500."""
        ...


@dataclass
class Rig:
    """A provider with a clock of the test's, and what a function's host would do around it."""

    name: str
    ports: Ports
    clock: MemoryClock
    """Ours. Time that a provider keeps itself passes by `pass_time` alone."""
    deliveries: tuple[Delivery, ...]
    """Whose rules its consumers keep."""
    appended: Callable[[], list[Record]]
    """Every record in the stream `events`, read back."""
    host: Callable[[BatchHandler, Terms], Poller]
    """A function called "counter" on the stream `events`."""
    receiver: Callable[[str], Receiver]
    entry: Callable[[str], Entry]
    """By the name of a manifest function; made anew at each call, as a fresh instance is."""
    mailbox: Callable[[], Sequence[Mail]]
    """What the mailer's service has taken."""
    reopen: Callable[[], "Rig"]
    """The same data as a process started anew sees it."""
    set_secret: Callable[[str, bytes], None]
    """A secret is made or rotated, as an operator would."""
    pass_time: Callable[[int], None]
    """Milliseconds go by for the provider's queues, and for our clock."""
    smuggle: Callable[[bytes], None] | None = None
    """Bytes that are no record of ours are appended to the stream `events`; None where nobody else can."""
    fault: Fault | None = None
    """None where nothing stands between us and the store."""

    @property
    def dead_letters(self) -> DeadLetters:
        return DeadLetters(self.ports, Settings())

    def consumer(self, handler: BatchHandler, delivery: Delivery | None = None, **terms: int) -> Poller:
        """A consumer with its host; by the only rules of the provider, where it has one set."""
        return self.host(handler, Terms(delivery=delivery or self.deliveries[0], **terms))

    def append(self, *records: NewRecord) -> None:
        assert list(self.ports.stream("events").append(records)) == [None] * len(records)
