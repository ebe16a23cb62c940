"""Event hubs: partitioned logs in memory, and what may go wrong with them."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from threading import RLock
from typing import Final

from tests.emulators.event_hubs.messages import stamped

DEFAULT_GROUP: Final = "$Default"
MAX_MESSAGE_BYTES: Final = 1 << 20
"""Of one publication, in the standard tier (Event Hubs quotas)."""
_OVERHEAD_BYTES: Final = 64
"""How much further the offset is after an event than its bytes: offsets are not sequence numbers."""


class Fault(Enum):
    """What may become of a publication."""

    BUSY = "refused: the namespace is throttled"
    DETACH = "the link is detached before it is stored"
    LOSE_ANSWER = "stored, and the link is detached before the sender knows"
    DISCONNECT = "the connection ends before it is stored"
    DISABLED = "refused: the hub is disabled"
    BROKEN = "refused: an error inside the service"


@dataclass(frozen=True, slots=True)
class Stored:
    """One event in its partition."""

    sequence_number: int
    offset: str
    enqueued_ms: int
    message: bytes


class Partition:
    """An ordered log. `listeners` are called after something was appended."""

    def __init__(self) -> None:
        self.events: list[Stored] = []
        self.listeners: list[Callable[[], None]] = []
        self._end = 0

    def append(self, event: bytes, key: str | None) -> None:
        """Store one event behind the others."""
        number, offset, now = len(self.events), str(self._end), time.time_ns() // 1_000_000
        message = stamped(event, sequence_number=number, offset=offset, enqueued_ms=now, key=key)
        self.events.append(Stored(number, offset, now, message))
        self._end += len(event) + _OVERHEAD_BYTES


@dataclass
class Hub:
    """An event hub with its partitions and consumer groups."""

    name: str
    partitions: list[Partition]
    groups: frozenset[str]
    created_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    _turn: int = 0

    def place(self, key: str | None) -> Partition:
        """Where events of a key go; without one, to each partition in turn."""
        if key is None:
            self._turn += 1
            return self.partitions[self._turn % len(self.partitions)]
        digest = blake2b(key.encode(), digest_size=8).digest()
        return self.partitions[int.from_bytes(digest, "little") % len(self.partitions)]

    def append(self, events: Sequence[bytes], key: str | None, partition: int | None) -> None:
        """Store the events of one publication, all in one partition, and tell who listens."""
        log = self.place(key) if partition is None else self.partitions[partition]
        for each in events:
            log.append(each, key)
        for listener in list(log.listeners):
            listener()

    @property
    def sizes(self) -> dict[str, int]:
        """How many events each partition holds."""
        return {str(number): len(partition.events) for number, partition in enumerate(self.partitions)}

    @property
    def size(self) -> int:
        """How many events it holds."""
        return sum(self.sizes.values())


class Namespace:
    """The hubs of one address, shared by its server's thread and the test's."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.refuse_tokens = False
        """Whether credentials are turned down, as expired ones are."""
        self.publications = 0
        """How many were tried, which is what one pays for."""
        self._hubs: dict[str, Hub] = {}
        self.weather: Fault | None = None
        """What becomes of every publication, but for those of which something else is planned."""
        self._faults: deque[Fault | None] = deque()

    def create(self, name: str, partitions: int = 4, groups: Sequence[str] = ()) -> Hub:
        """Make a hub, in place of one that has its name: then its positions start again."""
        hub = Hub(name, [Partition() for _ in range(partitions)], frozenset({DEFAULT_GROUP, *groups}))
        with self.lock:
            self._hubs[name] = hub
        return hub

    def hub(self, name: str) -> Hub:
        """Raises KeyError where there is none of that name."""
        with self.lock:
            return self._hubs[name]

    def plan(self, fault: Fault, times: int = 1) -> None:
        """What becomes of the next publications; those after them are stored again."""
        with self.lock:
            self._faults.extend([fault] * times)

    def spare(self, times: int) -> None:
        """Let so many publications through before what was planned."""
        with self.lock:
            self._faults.extendleft([None] * times)

    def calm(self) -> None:
        """Forget what was planned."""
        with self.lock:
            self._faults.clear()
            self.weather = None
            self.refuse_tokens = False

    def next_fault(self) -> Fault | None:
        """What becomes of the publication at hand."""
        with self.lock:
            self.publications += 1
            return self._faults.popleft() if self._faults else self.weather
