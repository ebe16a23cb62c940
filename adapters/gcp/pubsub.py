"""Pub/Sub's clients, made once each, when first asked for; and a subscription as its consumer needs it.

The generated client rather than the one with hand-made batches: that one publishes from a thread of its own, and
between requests a function's threads have no CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from adapters.common.backoff import retry
from adapters.common.environment import needs_extra, suite_name
from adapters.gcp.clients import REQUEST_SECONDS, Clients
from adapters.gcp.errors import about
from shared.errors import Unavailable

if TYPE_CHECKING:
    import grpc
    from google.pubsub_v1 import PublisherClient, SubscriberClient

T = TypeVar("T")

HOST: Final = "pubsub.googleapis.com"
EMULATOR: Final = "PUBSUB_EMULATOR_HOST"
ATTEMPTS: Final = 3
"""Of a request that Pub/Sub could not answer; ingest and the drains have their own patience beyond."""
ACK_IDS: Final = 1_000
"""In one request: it takes 512 KiB, and an id has about 200 bytes."""


class PubSub:
    """One process's clients, and what the suite's topics and subscriptions are called."""

    def __init__(self, environ: Mapping[str, str], clients: Clients | None = None) -> None:
        """Raises Misconfigured."""
        self._clients = clients or Clients(environ)
        self._project = self._clients.project
        self._name = suite_name(environ)
        self._lock = Lock()
        self._publisher: PublisherClient | None = None
        self._subscriber: SubscriberClient | None = None

    def topic(self, stream: str) -> str:
        return f"projects/{self._project}/topics/{self._name}-{stream}"

    def subscription(self, stream: str, function: str) -> str:
        return f"projects/{self._project}/subscriptions/{self._name}-{stream}-{function}"

    @property
    def publisher(self) -> PublisherClient:
        """Raises Misconfigured."""
        with self._lock:
            if self._publisher is None:
                with needs_extra("gcp"):
                    from google.pubsub_v1 import PublisherClient
                    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

                self._publisher = PublisherClient(transport=PublisherGrpcTransport(channel=self._channel()))
            return self._publisher

    @property
    def subscriber(self) -> SubscriberClient:
        """Raises Misconfigured."""
        with self._lock:
            if self._subscriber is None:
                with needs_extra("gcp"):
                    from google.pubsub_v1 import SubscriberClient
                    from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

                self._subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=self._channel()))
            return self._subscriber

    def _channel(self) -> grpc.Channel:
        return self._clients.channel(HOST, EMULATOR)


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery of a message. `attempt` counts from 1; None where the subscription has no dead-letter policy."""

    ack_id: str
    data: bytes
    message_id: str
    attempt: int | None


class Subscription(Protocol):
    """What a consumer asks of its subscription. Every method raises Unavailable or Misconfigured."""

    def pull(self, limit: int, wait_seconds: float) -> Sequence[Received]:
        """Up to `limit` messages, as soon as there is one; none when none comes in time."""
        ...

    def acknowledge(self, ack_ids: Sequence[str]) -> None:
        """They never come again, unless their lease has ended."""
        ...

    def release(self, ack_ids: Sequence[str]) -> None:
        """They come again, after the subscription's backoff."""
        ...

    def extend(self, ack_ids: Sequence[str], seconds: int) -> None:
        """They do not come again for so long from now."""
        ...


class PubSubSubscription:
    """`Subscription` at Pub/Sub."""

    def __init__(self, pubsub: PubSub, stream: str, function: str) -> None:
        self._pubsub = pubsub
        self._name = pubsub.subscription(stream, function)
        self._told = f"the subscription {self._name}"

    def pull(self, limit: int, wait_seconds: float) -> Sequence[Received]:
        from google.api_core.exceptions import DeadlineExceeded

        request = {"subscription": self._name, "max_messages": limit}
        with about(self._told):
            try:
                answer = self._pubsub.subscriber.pull(request, retry=None, timeout=wait_seconds)
            except DeadlineExceeded:
                return []
        received = type(answer).pb(answer).received_messages
        return [
            Received(each.ack_id, each.message.data, each.message.message_id, each.delivery_attempt or None)
            for each in received
        ]

    def acknowledge(self, ack_ids: Sequence[str]) -> None:
        for some in _chunks(ack_ids):
            self._ask("acknowledge", ack_ids=some)

    def release(self, ack_ids: Sequence[str]) -> None:
        self.extend(ack_ids, 0)

    def extend(self, ack_ids: Sequence[str], seconds: int) -> None:
        for some in _chunks(ack_ids):
            self._ask("modify_ack_deadline", ack_ids=some, ack_deadline_seconds=seconds)

    def _ask(self, method: str, **asked: object) -> None:
        ask = getattr(self._pubsub.subscriber, method)
        request = {"subscription": self._name, **asked}
        persistently(self._told, lambda: ask(request, retry=None, timeout=REQUEST_SECONDS))


def persistently(resource: str, call: Callable[[], T]) -> T:
    """What `call` returns, tried again where that may help. Raises what `about` does."""

    def once() -> T:
        with about(resource):
            return call()

    return retry(once, Unavailable, attempts=ATTEMPTS)


def _chunks(ack_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ack_ids), ACK_IDS):
        yield ack_ids[start : start + ACK_IDS]
