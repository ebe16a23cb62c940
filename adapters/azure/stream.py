"""Streams in Event Hubs: records framed by `adapters/common/envelope.py`, sent in batches of one partition key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from adapters.azure.hubs import Producer
from adapters.common.backoff import retry
from adapters.common.envelope import refusal, seal
from adapters.common.environment import needs_extra
from shared.errors import GrandstandError, Unavailable
from shared.ports import Clock
from shared.stream import NewRecord

if TYPE_CHECKING:
    from azure.eventhub import EventDataBatch

KEY_CHARACTERS: Final = 128
"""What a partition key has at most."""

TOO_LARGE: Final = "the record is larger than a message may be in the hub's tier; Standard takes 1 MiB"

Batch = tuple["EventDataBatch | None", list[int]]
"""Events of one key, and which of the records they are; None for a record that no batch holds."""


class EventHubsStream:
    """`shared.ports.Stream`. Records of one key land on one partition.

    A batch is stored whole or not at all. One whose answer was lost is sent again, and may be stored twice.
    """

    def __init__(self, environ: Mapping[str, str], name: str, clock: Clock) -> None:
        """Raises Misconfigured. The connection is made when the first record is appended."""
        self._producer = Producer(environ, name)
        self._clock = clock

    def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        results = [refusal(record) for record in records]
        waiting = {index for index, reason in enumerate(results) if reason is None}
        any_sent = False
        try:
            for batch, inside in self._batches(records, waiting):
                if batch is None:
                    results[inside[0]] = TOO_LARGE
                else:
                    retry(partial(self._producer.send, batch), Unavailable)
                    any_sent = True
                waiting.difference_update(inside)
        except GrandstandError as error:
            if not any_sent:
                raise
            for index in waiting:  # some of the others are durable, and their callers must know
                results[index] = str(error)
        return results

    def close(self) -> None:
        """End the connection; the next append makes another."""
        self._producer.close()

    def _batches(self, records: Sequence[NewRecord], wanted: Iterable[int]) -> Iterator[Batch]:
        """The records that are wanted, by their keys, in as few batches as hold them."""
        now = self._clock.now_ms()
        by_key: dict[str, list[int]] = {}
        for index in sorted(wanted):
            by_key.setdefault(partition_key(records[index].key), []).append(index)
        for key, indices in by_key.items():
            yield from self._batches_of(key, [(index, seal(records[index], now)) for index in indices])

    def _batches_of(self, key: str, sealed: Iterable[tuple[int, bytes]]) -> Iterator[Batch]:
        batch: EventDataBatch | None = None
        inside: list[int] = []
        for index, data in sealed:
            if batch is not None and not _takes(batch, data):
                yield batch, inside
                batch = None
            elif batch is not None:
                inside.append(index)
                continue
            batch, inside = retry(partial(self._producer.batch, key), Unavailable), [index]
            if not _takes(batch, data):
                yield None, inside
                batch = None
        if batch is not None:
            yield batch, inside


def partition_key(key: str) -> str:
    """A record's key as Event Hubs takes it: 1 to 128 characters."""
    if 1 <= len(key.encode()) <= KEY_CHARACTERS:
        return key
    return blake2b(key.encode(), digest_size=16).hexdigest()


def _takes(batch: EventDataBatch, data: bytes) -> bool:
    """Whether an event is in the batch now; False where it is full."""
    with needs_extra("azure"):
        from azure.eventhub import EventData

    try:
        batch.add(EventData(data))
    except ValueError:
        return False
    return True
