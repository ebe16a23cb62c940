"""Streams in Pub/Sub: records framed by `adapters/common/envelope.py`, published in as few requests as it takes.

Without ordering keys: they would bind a key's records to one consumer, and nothing relies on an order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from adapters.common.envelope import refusal, seal
from adapters.gcp.clients import REQUEST_SECONDS, Clients
from adapters.gcp.pubsub import PubSub, persistently
from shared.errors import Unavailable
from shared.ports import Clock
from shared.stream import NewRecord

if TYPE_CHECKING:
    from google.pubsub_v1 import PublishRequest

BATCH_RECORDS: Final = 1_000
BATCH_BYTES: Final = 9_000_000
"""A request takes 10 MB; each message costs some bytes beside its data."""
MESSAGE_BYTES: Final = 16

Sealed = tuple[int, bytes]
"""A record's place among those to be appended, and its bytes."""


class PubSubStream:
    """`shared.ports.Stream`. A request is taken whole or not at all, so its records share their answer."""

    def __init__(self, environ: Mapping[str, str], name: str, clock: Clock, clients: Clients | None = None) -> None:
        """Raises Misconfigured. The client is made when the first record is appended."""
        self._pubsub = PubSub(environ, clients)
        self._topic = self._pubsub.topic(name)
        self._told = f"the topic {self._topic}"
        self._clock = clock

    def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        results = [refusal(record) for record in records]
        now = self._clock.now_ms()
        good = [(index, seal(record, now)) for index, record in enumerate(records) if results[index] is None]
        tried = False
        for batch in _batches(good):
            try:
                self._publish(batch)
            except Unavailable as error:
                if not tried:
                    raise
                for index, _ in batch:  # some of the others are durable, and their callers must know
                    results[index] = error.detail
            tried = True
        return results

    def _publish(self, batch: Sequence[Sealed]) -> None:
        client = self._pubsub.publisher
        request = _request(self._topic, batch)
        persistently(self._told, lambda: client.publish(request, retry=None, timeout=REQUEST_SECONDS))


def _request(topic: str, batch: Sequence[Sealed]) -> PublishRequest:
    """Made of protobuf's own classes: those around them cost more than all the rest of an append."""
    from google.pubsub_v1 import PublishRequest, PubsubMessage

    message = PubsubMessage.pb()
    made = PublishRequest.pb()(topic=topic, messages=[message(data=data) for _, data in batch])
    request: PublishRequest = PublishRequest.wrap(made)
    return request


def _batches(sealed: Sequence[Sealed]) -> Iterator[list[Sealed]]:
    batch: list[Sealed] = []
    size = 0
    for index, data in sealed:
        more = len(data) + MESSAGE_BYTES
        if batch and (len(batch) == BATCH_RECORDS or size + more > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((index, data))
        size += more
    if batch:
        yield batch
