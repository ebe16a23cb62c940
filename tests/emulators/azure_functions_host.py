"""The Azure Functions host's part in a stream: it reads event hubs, hands batches over and keeps checkpoints.

As the real one it saves a checkpoint whatever became of a batch, an exception included; under a retry policy without
limit it brings the same batch again instead, and says how often it did. A process that dies saves nothing.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any, Final, Protocol

import azure.functions as func
from azure.eventhub import EventData, EventHubConsumerClient, PartitionContext
from azure.functions.eventhub import EventHubTriggerConverter
from azure.functions.meta import Datum

RECEIVE_SECONDS: Final = 30.0
START: Final = -1
"""The checkpoint before anything was read."""


@dataclass(frozen=True, slots=True)
class HubEvent:
    """An event as its hub keeps it."""

    sequence_number: int
    body: bytes
    offset: str = "0"
    partition_key: str | None = None
    enqueued_time: datetime = datetime(2026, 1, 1, tzinfo=UTC)


class Source(Protocol):
    """Where a host reads."""

    def partitions(self) -> Sequence[str]: ...

    def read(self, partition: str, after: int, limit: int) -> Sequence[HubEvent]:
        """Events past a sequence number."""
        ...


def as_triggered(events: Sequence[HubEvent], partition: str, group: str) -> list[func.EventHubEvent]:
    """A batch as the library makes it of what the host sends to its worker."""
    properties = [
        {
            "SequenceNumber": each.sequence_number,
            "Offset": each.offset,
            "PartitionKey": each.partition_key,
            "EnqueuedTimeUtc": each.enqueued_time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        for each in events
    ]
    context = {"EventHubName": "events", "ConsumerGroup": group, "PartitionId": partition}
    metadata = {
        "SystemPropertiesArray": Datum(type="json", value=json.dumps(properties)),
        "PartitionContext": Datum(type="json", value=json.dumps(context)),
    }
    bodies = Datum(type="collection_bytes", value=SimpleNamespace(bytes=[each.body for each in events]))
    decoded = EventHubTriggerConverter.decode(bodies, trigger_metadata=metadata)
    assert isinstance(decoded, list)
    return decoded


class HubReader:
    """Reads what a hub gets from now on by the SDK, with a thread for each partition that has anything.

    Sequence numbers are counted from there. `heads` says which number the next event of each partition will have.
    """

    def __init__(self, client: EventHubConsumerClient, heads: Callable[[], Mapping[str, int]]) -> None:
        self._client = client
        self._heads = heads
        self._first = dict(heads())
        self._read: dict[str, list[HubEvent]] = {}
        self._threads: list[Thread] = []
        self._arrived = Event()

    def partitions(self) -> Sequence[str]:
        return list(self._first)

    def size(self, partition: str) -> int:
        """How many events the partition has."""
        return self._heads()[partition] - self._first[partition]

    def read(self, partition: str, after: int, limit: int) -> Sequence[HubEvent]:
        """Waits until all that is in the partition now has arrived."""
        there = self.size(partition)
        if there <= after + 1:
            return []
        events = self._receiving(partition)
        until = time.monotonic() + RECEIVE_SECONDS
        while len(events) < there:
            self._arrived.clear()
            if len(events) < there and not self._arrived.wait(until - time.monotonic()):
                raise TimeoutError(f"{len(events)} of {there} events of partition {partition} have arrived")
        return events[after + 1 : after + 1 + limit]

    def close(self) -> None:
        """End the threads and their connections."""
        self._client.close()
        for thread in self._threads:
            thread.join()

    def _receiving(self, partition: str) -> list[HubEvent]:
        if partition not in self._read:
            self._read[partition] = []
            thread = Thread(target=self._receive, args=(partition,), name=f"hub-reader-{partition}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return self._read[partition]

    def _receive(self, partition: str) -> None:
        before = self._first[partition] - 1
        self._client.receive_batch(self._take, partition_id=partition, starting_position=before)

    def _take(self, context: PartitionContext, events: list[EventData]) -> None:
        first = self._first[context.partition_id]
        self._read[context.partition_id].extend(_event(event, first) for event in events)
        self._arrived.set()


@dataclass
class Progress:
    """What a host remembers of one function in one partition."""

    checkpoint: int = START
    retries: int = 0
    batch: int | None = None
    """How many events the batch has that comes again."""


@dataclass
class EventHubsHost:
    """One function's trigger. `progress` outlives a host, as the blobs do in which the real one keeps it."""

    source: Source
    group: str
    call: Callable[[list[func.EventHubEvent], int], object]
    """The function: a batch, and how often that very batch was brought before."""
    batch_events: int
    progress: dict[str, Progress] = field(default_factory=dict)
    retries_forever: bool = True

    def poll(self) -> int:
        """Hand over at most one batch of each partition; how many events."""
        return sum(self._poll(partition) for partition in self.source.partitions())

    def _poll(self, partition: str) -> int:
        known = self.progress.setdefault(partition, Progress())
        batch = self.source.read(partition, known.checkpoint, known.batch or self.batch_events)
        if not batch:
            return 0
        failed = Progress(known.checkpoint, known.retries + 1, len(batch))
        try:
            self.call(as_triggered(batch, partition, self.group), known.retries)
        except Exception:
            if self.retries_forever:
                self.progress[partition] = failed
                return len(batch)
        except BaseException:
            self.progress[partition] = failed
            raise
        self.progress[partition] = Progress(batch[-1].sequence_number)
        return len(batch)


def _event(data: EventData, first: int) -> HubEvent:
    key: Any = data.partition_key
    assert data.sequence_number is not None and data.enqueued_time is not None
    return HubEvent(
        data.sequence_number - first,
        b"".join(data.body),  # type: ignore[arg-type]
        str(data.offset),
        key.decode() if isinstance(key, bytes) else key,
        data.enqueued_time,
    )
