"""A stream function behind our trigger, with memory in place of the cloud's stores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock

from adapters.azure.parking import STORE, Parking
from adapters.azure.replaying import ParkedReplay
from adapters.azure.triggers import StreamTrigger, Terms
from adapters.common.envelope import seal
from adapters.common.settling import Settler
from lab.memory import MemorySuite
from shared.dead_letters import DeadLetters
from shared.errors import Unavailable
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE, Answer, Deadline, NewRecord, Record
from tests.emulators.azure_functions_host import EventHubsHost, HubEvent, Progress

Rule = Callable[[Record], Answer | None]
SECOND = 1_000


class Refusing:
    """Objects whose writes fail while `broken`."""

    def __init__(self, suite: MemorySuite) -> None:
        self._objects = suite.ports.objects(STORE)
        self.broken = False
        self.list = self._objects.list
        self.get = self._objects.get
        self.delete = self._objects.delete

    def put(self, name: str, data: bytes) -> None:
        if self.broken:
            raise Unavailable("no objects today")
        self._objects.put(name, data)


class Hub:
    """One partition's events."""

    def __init__(self) -> None:
        self.events: list[HubEvent] = []

    def partitions(self) -> Sequence[str]:
        return ["0"]

    def read(self, partition: str, after: int, limit: int) -> Sequence[HubEvent]:
        return self.events[after + 1 : after + 1 + limit]

    def append(self, *bodies: bytes) -> None:
        for body in bodies:
            self.events.append(HubEvent(len(self.events), body))


@dataclass
class World:
    """The stores, the hub and what the host remembers; functions come and go."""

    suite: MemorySuite = field(default_factory=MemorySuite)
    hub: Hub = field(default_factory=Hub)
    progress: dict[str, Progress] = field(default_factory=dict)
    rule: Rule = lambda _: DONE
    retries_forever: bool = True
    deadline: Deadline = NO_DEADLINE
    terms: Terms = field(default_factory=lambda: Terms(max_attempts=5))
    batches: list[list[int]] = field(default_factory=list)
    attempts: list[int | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.objects = Refusing(self.suite)
        self.clock = self.suite.clock
        self.letters = DeadLetters(self.suite.ports, Settings())
        self.start()

    def start(self) -> None:
        """A process of the function, in place of one that there was."""
        settler = Settler("counter", self._handle, self.letters)
        self.parking = Parking(self.objects, "counter")
        turns = Lock()
        trigger = StreamTrigger(
            settler, lambda: self.parking, self.clock, self.terms, turns=turns, sleep=lambda _: None
        )
        self.replay = ParkedReplay(
            settler, lambda: self.parking, self.clock, self.terms, turns=turns, sleep=self._sleep
        )
        self.host = EventHubsHost(
            self.hub,
            "counter",
            lambda events, retries: trigger.deliver(events, self.deadline, retries=retries),
            10,
            self.progress,
            self.retries_forever,
        )

    def goals(self, *numbers: int) -> None:
        self.hub.append(*[seal(goal(number), self.clock.now_ms()) for number in numbers])

    def parked(self) -> list[list[int]]:
        """The records of each parked tail, in the order in which they are due."""
        tails = self.parking.due(1 << 50, 1 << 50)
        return [[number(waiting.record) for waiting in each.tail.waiting] for each in tails]

    def dead(self) -> dict[int, str]:
        return {int(letter.record_id, 16): letter.reason for letter in self.letters.all()}

    def replay_all(self, rounds: int = 12) -> None:
        """The timer, minute after minute."""
        for _ in range(rounds):
            self.clock.advance(600 * SECOND)
            self.replay.once(NO_DEADLINE)

    def _handle(self, records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        self.batches.append([number(record) for record in records])
        self.attempts += [record.attempt for record in records]
        return [self.rule(record) for record in records]

    def _sleep(self, seconds: float) -> None:
        self.clock.advance(int(seconds * SECOND))


def goal(number: int) -> NewRecord:
    return NewRecord(number.to_bytes(16, "big"), "match#0", b"goal %d" % number)


def number(record: Record) -> int:
    return int.from_bytes(record.record_id, "big")


def only(wanted: int, answer: Answer | None) -> Rule:
    return lambda record: answer if number(record) == wanted else DONE
