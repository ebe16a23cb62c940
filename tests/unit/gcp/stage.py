"""A stream, a function called "counter" on it, and a clock that all of them go by."""

from collections.abc import Callable, Iterable, Sequence

from adapters.common.envelope import seal
from adapters.common.settling import Settler
from adapters.gcp.delivery import Delivery, Terms
from adapters.gcp.drain import Drain
from adapters.gcp.pubsub import Received
from lab.memory import MemoryClock, MemorySuite
from shared.dead_letters import DeadLetters
from shared.settings import Settings
from shared.stream import DONE, Answer, Deadline, NewRecord, Record
from tests.emulators.pubsub.broker import MESSAGE, Broker
from tests.emulators.pubsub.direct import DirectSubscription, make_subscription, make_topic

TOPIC = "projects/p/topics/grandstand-events"
SUBSCRIPTION = "projects/p/subscriptions/grandstand-events-counter"
DEAD_TOPIC = f"{TOPIC}-counter-dead"
DEAD_SUBSCRIPTION = f"{SUBSCRIPTION}-dead"
Rule = Callable[[Record], Answer | None]


class Crash(BaseException):
    """The process ends here."""


def goal(number: int, body: bytes = b"goal") -> NewRecord:
    return NewRecord(number.to_bytes(16, "big"), "match#0", body)


def number(record: Record) -> int:
    return int.from_bytes(record.record_id, "big")


class Function:
    """Answers by a rule, and remembers what it was handed."""

    def __init__(self, rule: Rule = lambda _: DONE) -> None:
        self.rule = rule
        self.batches: list[list[int]] = []
        self.seen: list[Record] = []
        self.left_ms: list[int] = []

    def __call__(self, records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        self.batches.append([number(record) for record in records])
        self.seen += records
        self.left_ms.append(deadline.remaining_ms())
        return [self.rule(record) for record in records]


class PatientSubscription(DirectSubscription):
    """One whose clock goes on while a pull waits in vain."""

    def __init__(self, broker: Broker, clock: MemoryClock) -> None:
        super().__init__(broker, SUBSCRIPTION)
        self._clock = clock

    def pull(self, limit: int, wait_seconds: float) -> Sequence[Received]:
        received = super().pull(limit, wait_seconds)
        if not received:
            self._clock.advance(int(wait_seconds * 1_000) + 1)
        return received


class Stage:
    """The stream with its subscription, and the dead letters of both Pub/Sub and the suite."""

    def __init__(self, most_attempts: int = 100) -> None:
        self.suite = MemorySuite()
        self.clock = self.suite.clock
        self.broker = Broker(lambda: self.clock.now_ms() / 1_000)
        self.letters = DeadLetters(self.suite.ports, Settings())
        self.subscription = PatientSubscription(self.broker, self.clock)
        for topic in (TOPIC, DEAD_TOPIC):
            make_topic(self.broker, topic)
        make_subscription(self.broker, SUBSCRIPTION, TOPIC, dead_letter_topic=DEAD_TOPIC, most_attempts=most_attempts)
        make_subscription(self.broker, DEAD_SUBSCRIPTION, DEAD_TOPIC)

    def append(self, *records: NewRecord) -> None:
        self.publish(*(seal(record, self.clock.now_ms()) for record in records))

    def publish(self, *data: bytes) -> None:
        self.broker.publish(TOPIC, [MESSAGE(data=each) for each in data])

    def delivery(self, function: Function, terms: Terms | None = None) -> Delivery:
        return Delivery(Settler("counter", function, self.letters), "events", self.clock, terms or Terms())

    def drain(self, function: Function, terms: Terms | None = None, rest: Callable[[], None] = lambda: None) -> Drain:
        return Drain(
            self.delivery(function, terms),
            self.subscription,
            rest=rest,
            sleep=lambda seconds: self.clock.advance(int(seconds * 1_000) + 1),
            now=lambda: self.clock.now_ms() / 1_000,
        )

    def within(self, seconds: float) -> Deadline:
        """A deadline so long from now."""
        end = self.clock.now_ms() + int(seconds * 1_000)
        return Deadline(lambda: end - self.clock.now_ms())

    def waiting(self) -> int:
        """How many messages are neither acknowledged nor given up."""
        subscription = self.broker.subscriptions[SUBSCRIPTION]
        return len(subscription.waiting) + len(subscription.leased)

    def leased(self) -> int:
        return len(self.broker.subscriptions[SUBSCRIPTION].leased)

    def buried(self) -> dict[int, str]:
        """Why each dead letter died."""
        return {int(letter.record_id, 16): letter.reason for letter in self.letters.all()}


def only(wanted: Iterable[int], answer: Answer | None) -> Rule:
    return lambda record: answer if number(record) in wanted else DONE
