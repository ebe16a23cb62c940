"""The connection to an event hub, and its errors as our own. One producer a hub, made when first used."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from adapters.azure.identity import credential
from adapters.common.environment import needs_extra, require
from shared.errors import GrandstandError, Misconfigured, Throttled, Unavailable

if TYPE_CHECKING:
    from azure.eventhub import EventDataBatch, EventHubProducerClient

NAMESPACE: Final = "GRANDSTAND_EVENT_HUBS"
CONNECTION: Final = "GRANDSTAND_EVENT_HUBS_CONNECTION"
"""An emulator's connection string. In the cloud the host of the functions reads settings whose names begin so."""
SEND_SECONDS: Final = 10.0
_EXAMPLE: Final = "grandstand.servicebus.windows.net"
_ONE_TRY: Final[Mapping[str, Any]] = {"retry_total": 0, "retry_backoff_factor": 0.0}
"""The SDK waits seconds between its tries, without jitter; `append` has its own."""
_BUSY: Final = frozenset({"server-busy", "resource-limit-exceeded"})
_DENIED: Final = frozenset({"unauthorized-access", "auth-failed", "client-error"})
_MISSING: Final = frozenset({"not-found", "entity-disabled", "resource-deleted"})


class Producer:
    """What sends to one hub. Safe for threads; a connection that ended is made anew by the next send."""

    def __init__(self, environ: Mapping[str, str], hub: str) -> None:
        """Raises Misconfigured where nothing says which namespace it is."""
        self._connection = environ.get(CONNECTION, "").strip()
        self._namespace = "" if self._connection else require(environ, NAMESPACE, _EXAMPLE)
        self._environ = environ
        self._hub = hub
        self._lock = threading.Lock()
        self._made: EventHubProducerClient | None = None

    def batch(self, partition_key: str) -> EventDataBatch:
        """A batch without events yet, as large as the hub takes it. Raises Unavailable, Throttled, Misconfigured."""
        with self._lent() as client:
            return client.create_batch(partition_key=partition_key)

    def send(self, batch: EventDataBatch) -> None:
        """Store a batch, whole or not at all. After an error it may be stored nevertheless."""
        with self._lent() as client:
            client.send_batch(batch, timeout=SEND_SECONDS)

    def close(self) -> None:
        """End the connection; the next send makes another."""
        with self._lock:
            client, self._made = self._made, None
        if client is not None:
            client.close()

    @contextmanager
    def _lent(self) -> Iterator[EventHubProducerClient]:
        """The connection. One that failed is not used again: what has ended or expired is made anew."""
        client = self._client()
        try:
            yield client
        except Exception as error:
            translated = self._translated(error)
            if not isinstance(translated, Throttled):
                self._drop(client)
            raise translated from error

    def _drop(self, failed: EventHubProducerClient) -> None:
        with self._lock:
            if self._made is not failed:
                return  # by another thread, already
            self._made = None
        failed.close()

    def _client(self) -> EventHubProducerClient:
        with self._lock:
            if self._made is None:
                self._made = self._connected()
            return self._made

    def _connected(self) -> EventHubProducerClient:
        with needs_extra("azure"):
            from azure.eventhub import EventHubProducerClient

        if self._connection:
            return EventHubProducerClient.from_connection_string(
                self._connection, eventhub_name=self._hub, **_ONE_TRY
            )
        return EventHubProducerClient(self._namespace, self._hub, credential(self._environ), **_ONE_TRY)

    def _translated(self, error: Exception) -> GrandstandError:
        """Ours for one of the SDK's, whose conditions are those of AMQP and of Event Hubs, after their colon."""
        from azure.core.exceptions import ClientAuthenticationError
        from azure.eventhub.exceptions import AuthenticationError, EventHubError

        told = f"the event hub {self._hub}"
        said = " ".join(str(error).split())[:300]
        condition = getattr(error, "error", None) if isinstance(error, EventHubError) else None
        if condition in _BUSY:
            return Throttled(f"{told} asks us to slow down ({said}). Raise its throughput units, or wait.")
        if condition in _MISSING or "not-found" in said or "NotFound" in said:
            return Misconfigured(f"{told} is not there, or disabled ({said}). Deploy it, or correct {NAMESPACE}.")
        if isinstance(error, AuthenticationError | ClientAuthenticationError) or condition in _DENIED:
            return Misconfigured(
                f"{told}: the credential is refused ({said}). Renew it, or give its identity the role "
                "Azure Event Hubs Data Sender."
            )
        return Unavailable(f"{told} cannot be reached ({type(error).__name__}: {said}). Try again.")
