"""A pull subscription, drained in batches for as long as an invocation may last.

Every invocation pulls until its time is up, and the next one begins before that, so there is no gap. A delivery is:

1. pull up to a batch, and keep its messages from other consumers while it is handled;
2. hand it over; write what was rejected, or has had its attempts or its time, to the dead letters;
3. acknowledge what is settled; give back what is not, to come again after the subscription's backoff.

A crash anywhere lets the leases of what was not acknowledged end: those messages come again.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from random import shuffle
from threading import Lock
from typing import Final

from adapters.common.backoff import pause_seconds
from adapters.gcp.delivery import MARGIN_MS, Delivery, Opened
from adapters.gcp.lease import Lease
from adapters.gcp.pubsub import Received, Subscription
from shared.errors import Unavailable
from shared.stream import Deadline

log = logging.getLogger("grandstand.triggers")

TRUSTED_ATTEMPTS: Final = 3
"""A message that has failed so often is tried apart from others: it may be what ended their batch, or the process."""
PATIENCE: Final = 3
"""So many failures in a row among those, and the rest waits for its next time: something else is wrong."""
MAX_BATCH_BYTES: Final = 6 * 1024 * 1024
LONGEST_WAIT_SECONDS: Final = 20.0
"""Of a pull while there is nothing: an idle stream costs three requests a minute."""
SHORTEST_WAIT_SECONDS: Final = 1.0
"""A pull that is given up sooner may be given up just as it is answered: its messages then wait for their lease."""
REST_MS: Final = 15_000
"""A function that gathers its batches ends its drain after so long without a record; the next one looks again."""
LONGEST_PAUSE_SECONDS: Final = 5.0


class Drain:
    """One function's pull subscription. One drain at a time in a process; a second one waits for the first to end."""

    def __init__(
        self,
        delivery: Delivery,
        subscription: Subscription,
        *,
        rest: Callable[[], None] = lambda: None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`rest` is called between batches (adapters/common/hosting.py)."""
        self._delivery = delivery
        self._subscription = subscription
        self._rest = rest
        self._sleep = sleep
        self._now = now
        self._turn = Lock()

    def run(self, deadline: Deadline) -> int:
        """Deliver batch after batch until there is no time for another; how many records.

        Raises Misconfigured; Unavailable when the drain before this one does not end.
        """
        if not self._turn.acquire(timeout=max(0.0, self._seconds_left(deadline))):
            raise Unavailable(f"{self._delivery.settler.name}: the drain before this one does not end; see its log")
        try:
            return self._run(deadline)
        finally:
            self._turn.release()

    def _run(self, deadline: Deadline) -> int:
        total = failures = 0
        busy_at = self._now()
        while (left := self._seconds_left(deadline)) >= SHORTEST_WAIT_SECONDS:
            try:
                delivered = self.once(deadline, min(LONGEST_WAIT_SECONDS, left))
                failures = 0
            except Unavailable as error:
                log.warning("%s cannot pull; it is tried again: %s", self._delivery.settler.name, error)
                delivered, failures = 0, failures + 1
                self._sleep(min(left, pause_seconds(failures, longest=LONGEST_PAUSE_SECONDS)))
            self._rest()
            total += delivered
            busy_at = self._now() if delivered else busy_at
            if self._delivery.terms.window_ms and (self._now() - busy_at) * 1_000 >= REST_MS:
                break
        return total

    def _seconds_left(self, deadline: Deadline) -> float:
        """How long one may still pull, and then handle what comes."""
        terms = self._delivery.terms
        return (deadline.remaining_ms() - terms.timeout_ms - terms.window_ms - MARGIN_MS) / 1_000

    def once(self, deadline: Deadline, wait_seconds: float) -> int:
        """Deliver at most one batch; how many records were in it. Raises Unavailable, Misconfigured."""
        messages = self._delivery.open(self._gather(wait_seconds))
        if messages:
            name = self._delivery.settler.name
            with Lease(name, self._subscription, [each.ack_id for each in messages], deadline) as lease:
                self._deliver(messages, deadline, lease)
        return len(messages)

    def _gather(self, wait_seconds: float) -> list[Received]:
        """A batch: what one pull brings, and where the function has a window, what others bring within it."""
        terms = self._delivery.terms
        gathered = list(self._subscription.pull(terms.batch_records, wait_seconds))
        end = self._now() + terms.window_ms / 1_000
        size = sum(len(each.data) for each in gathered)
        while gathered and len(gathered) < terms.batch_records and size < MAX_BATCH_BYTES:
            left = end - self._now()
            if left < SHORTEST_WAIT_SECONDS:
                break
            try:
                more = self._subscription.pull(terms.batch_records - len(gathered), left)
            except Unavailable:
                break
            gathered += more
            size += sum(len(each.data) for each in more)
        return gathered

    def _deliver(self, messages: Sequence[Opened], deadline: Deadline, lease: Lease) -> None:
        """Settle what can be; what has failed often comes last, and apart."""
        trusted = min(TRUSTED_ATTEMPTS, self._delivery.terms.max_attempts - 1)
        spent = [each for each in messages if self._delivery.is_spent(each)]
        lease.settle([each.ack_id for each in spent if self._delivery.bury_spent(each)])
        for batch in _cut([each for each in messages if each.attempt <= trusted]):
            if deadline.near(MARGIN_MS):
                return
            self._settle(batch, deadline, lease)
        suspects = [each for each in messages if each.attempt > trusted and not self._delivery.is_spent(each)]
        self._settle_apart(suspects, deadline, lease)

    def _settle_apart(self, suspects: list[Opened], deadline: Deadline, lease: Lease) -> None:
        """In any order, since the first may end the process: one, then twice as many as long as all goes well."""
        shuffle(suspects)
        size, failures = 1, 0
        while suspects and failures < PATIENCE and not deadline.near(MARGIN_MS):
            batch, suspects = suspects[:size], suspects[size:]
            settled = self._settle(batch, deadline, lease)
            size, failures = (size * 2, 0) if settled else (1, failures + 1)

    def _settle(self, batch: Sequence[Opened], deadline: Deadline, lease: Lease) -> bool:
        """Whether any of a batch is settled."""
        again = {each.ack_id for each in self._delivery.deliver(batch, deadline)}
        lease.settle([each.ack_id for each in batch if each.ack_id not in again])
        return len(again) < len(batch)


def _cut(messages: Sequence[Opened]) -> Iterator[Sequence[Opened]]:
    """In batches of no more bytes than a function's memory is made for."""
    batch: list[Opened] = []
    size = 0
    for each in messages:
        size += len(each.record.body)
        if batch and size > MAX_BATCH_BYTES:
            yield batch
            batch, size = [], len(each.record.body)
        batch.append(each)
    if batch:
        yield batch
