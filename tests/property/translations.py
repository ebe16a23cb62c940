"""Each cloud's translation of a batch and of its answer, between a consumer's host and its function.

The host keeps the failure rules (adapters/local/triggers.py); what the cloud's own code makes of what it is handed,
and what it says of it, is real. Crashes pass through as they do through any code.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import azure.functions as func
import msgspec

from adapters.aws.triggers import Streamed
from adapters.azure.parking import STORE as PARKED
from adapters.azure.parking import Parking
from adapters.azure.replaying import ParkedReplay
from adapters.azure.triggers import StreamTrigger
from adapters.azure.triggers import Terms as AzureTerms
from adapters.common.envelope import seal
from adapters.common.settling import Settler
from adapters.gcp.delivery import Delivery as Pushes
from adapters.gcp.delivery import Terms as GoogleTerms
from adapters.gcp.drain import Drain
from adapters.gcp.pubsub import Received
from adapters.gcp.push import pushed
from adapters.local.triggers import Delivery
from shared.ports import Ports
from shared.stream import DONE, NO_DEADLINE, Answer, BatchHandler, Deadline, NewRecord, Record

MAX_ATTEMPTS: Final = 4


class Translated(Protocol):
    """A function behind a cloud's own code."""

    def __call__(self, records: Sequence[Record], deadline: Deadline, /) -> Sequence[Answer | None]: ...

    def replay(self) -> int:
        """What the cloud's own code has kept comes again, if it is due; how many records."""
        ...


class Straight:
    """Nothing between host and function, as on one machine."""

    def __init__(self, settler: Settler, handler: BatchHandler, ports: Ports) -> None:
        self._handler = handler

    def __call__(self, records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        return self._handler(records, deadline)

    def replay(self) -> int:
        return 0


class ThroughLambda:
    """A Kinesis event, and `batchItemFailures` or an error."""

    def __init__(self, settler: Settler, handler: BatchHandler, ports: Ports) -> None:
        self._streamed = Streamed(settler, ports.clock)

    def __call__(self, records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        answer = self._streamed.handle({"Records": [_kinesis(record) for record in records]}, deadline)
        failures = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
        positions = [str(record.position) for record in records]
        settled = positions.index(failures[0]) if failures else len(records)
        return [DONE] * settled + [None] * (len(records) - settled)

    def replay(self) -> int:
        return 0


class ThroughEventHubs:
    """Event Hubs' events; what returns is checkpointed, and what is left of it parked by the function's own host."""

    def __init__(self, settler: Settler, handler: BatchHandler, ports: Ports) -> None:
        terms = AzureTerms(timeout_ms=5_000, max_attempts=MAX_ATTEMPTS, longest_wait_ms=5_000)

        def parking() -> Parking:
            return Parking(ports.objects(PARKED), settler.name)

        self._trigger = StreamTrigger(settler, parking, ports.clock, terms, sleep=_no_time)
        self._replay = ParkedReplay(settler, parking, ports.clock, terms, sleep=_no_time)

    def __call__(self, records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        self._trigger.deliver([_hub_event(record) for record in records], deadline)
        return [DONE] * len(records)

    def replay(self) -> int:
        return self._replay.once(NO_DEADLINE)


class ThroughPush:
    """A Pub/Sub push for each record: 2xx, or it comes again."""

    def __init__(self, settler: Settler, handler: BatchHandler, ports: Ports) -> None:
        self._pushes = Pushes(settler, "events", ports.clock, GoogleTerms(max_attempts=MAX_ATTEMPTS))

    def __call__(self, records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        return [self._push(record, deadline) for record in records]

    def replay(self) -> int:
        return 0

    def _push(self, record: Record, deadline: Deadline) -> Answer | None:
        message = {"data": b64encode(_sealed(record)).decode(), "messageId": str(record.position)}
        envelope: dict[str, Any] = {"message": message, "deliveryAttempt": record.attempt or 1}
        received = pushed(msgspec.json.encode(envelope)).received
        return None if self._pushes.deliver(self._pushes.open([received]), deadline) else DONE


class ThroughDrain:
    """A pull subscription that holds the batch, drained once."""

    def __init__(self, settler: Settler, handler: BatchHandler, ports: Ports) -> None:
        self._terms = GoogleTerms(max_attempts=MAX_ATTEMPTS)
        self._delivery = Pushes(settler, "events", ports.clock, self._terms)

    def __call__(self, records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        subscription = _Batch(records)
        Drain(self._delivery, subscription, sleep=_no_time).once(deadline, 0)
        return [DONE if str(index) in subscription.acknowledged else None for index in range(len(records))]

    def replay(self) -> int:
        return 0


class _Batch:
    """`adapters.gcp.pubsub.Subscription` of some records."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._waiting = [
            Received(str(index), _sealed(record), str(record.position), record.attempt or 1)
            for index, record in enumerate(records)
        ]
        self.acknowledged: set[str] = set()

    def pull(self, limit: int, wait_seconds: float) -> list[Received]:
        batch, self._waiting = self._waiting[:limit], self._waiting[limit:]
        return batch

    def acknowledge(self, ack_ids: Sequence[str]) -> None:
        self.acknowledged.update(ack_ids)

    def release(self, ack_ids: Sequence[str]) -> None:
        """They come again, as whatever is not acknowledged does."""

    def extend(self, ack_ids: Sequence[str], seconds: int) -> None:
        """A batch stays as long as it takes."""


@dataclass(frozen=True)
class Route:
    """By whose rules records are delivered, and through what."""

    name: str
    delivery: Delivery
    through: Callable[[Settler, BatchHandler, Ports], Translated] = Straight


ROUTES: Final = (
    *(Route(each.value, each) for each in Delivery),
    Route("lambda", Delivery.ORDERED, ThroughLambda),
    Route("event-hubs", Delivery.PARKED, ThroughEventHubs),
    Route("push", Delivery.EACH, ThroughPush),
    Route("drain", Delivery.EACH, ThroughDrain),
)


def _kinesis(record: Record) -> dict[str, Any]:
    return {
        "eventID": f"shardId-{record.partition}:{record.position}",
        "kinesis": {
            "partitionKey": record.key,
            "sequenceNumber": str(record.position),
            "data": b64encode(_sealed(record)).decode(),
            "approximateArrivalTimestamp": record.first_appended_at / 1_000,
        },
    }


def _hub_event(record: Record) -> func.EventHubEvent:
    return func.EventHubEvent(
        body=_sealed(record), sequence_number=int(record.position or 0), partition_key=record.key
    )


def _sealed(record: Record) -> bytes:
    """As it lies in the cloud's stream."""
    return seal(NewRecord(record.record_id, record.key, record.body, record.first_appended_at), 0)


def _no_time(_: float) -> None:
    """Pauses take no time here."""
