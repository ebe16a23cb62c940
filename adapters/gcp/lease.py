"""Messages in hand: kept from other consumers while their batch is handled, and given back where it was not."""

import logging
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Final

from adapters.gcp.pubsub import Subscription
from shared.errors import GrandstandError
from shared.stream import Deadline

log = logging.getLogger("grandstand.triggers")

ACK_DEADLINE_SECONDS: Final = 60
"""What the subscription gives at first, and what each extension gives: after so long a crash lets others begin."""
EXTEND_SECONDS: Final = 20.0
"""How often a lease is extended: two extensions may fail before it ends."""


class Lease:
    """Of some messages, until the block ends. Nothing that fails here loses any: what is not settled comes again."""

    def __init__(
        self,
        name: str,
        subscription: Subscription,
        ack_ids: Sequence[str],
        deadline: Deadline,
        *,
        every_seconds: float = EXTEND_SECONDS,
    ) -> None:
        """Past the deadline it is extended no more: whoever holds the messages then has been given up."""
        self._name = name
        self._subscription = subscription
        self._held = dict.fromkeys(ack_ids)
        self._deadline = deadline
        self._every_seconds = every_seconds
        self._lock = Lock()
        self._ended = Event()
        self._thread = Thread(target=self._extend, name=f"lease-{name}", daemon=True)

    def __enter__(self) -> "Lease":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back what is not settled; a process that dies does not, and its leases end by themselves."""
        self._ended.set()
        self._thread.join()
        held = list(self._held)
        if held and (error is None or isinstance(error, Exception)):
            self._try("given back", self._subscription.release, held)

    def settle(self, ack_ids: Sequence[str]) -> None:
        """These need not come again."""
        with self._lock:
            for ack_id in ack_ids:
                self._held.pop(ack_id, None)
        if ack_ids:
            self._try("acknowledged", self._subscription.acknowledge, ack_ids)

    def _extend(self) -> None:
        while not self._ended.wait(self._every_seconds) and self._deadline.remaining_ms() > 0:
            with self._lock:
                held = list(self._held)
            if held:
                self._try("kept", lambda ids: self._subscription.extend(ids, ACK_DEADLINE_SECONDS), held)

    def _try(self, told: str, call: Callable[[Sequence[str]], None], ack_ids: Sequence[str]) -> None:
        try:
            call(ack_ids)
        except GrandstandError as error:
            log.warning("%s: %d messages cannot be %s; they come again: %s", self._name, len(ack_ids), told, error)
