"""What the Functions host hands over, as calls; and what becomes of what a function leaves.

Event Hubs' checkpoint moves on whatever became of a batch, an exception included. So a batch is

1. tried, and what is left of it tried again, a few times;
2. parked, the rest of it in one object with its records' ids and bytes, before the function returns;
3. only where that fails, left to the host: an exception under a retry policy without limit keeps the checkpoint.

A timer replays what is parked (adapters/azure/replaying.py). Every write comes before the delete that it stands in
for, so a crash anywhere delivers some records again, and loses none.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from adapters.azure.parking import Parking, Tail, Waiting
from adapters.common.backoff import pause_seconds
from adapters.common.envelope import open_record
from adapters.common.settling import Settler
from shared.ports import Clock
from shared.stream import Deadline

if TYPE_CHECKING:
    import azure.functions as func

log = logging.getLogger("grandstand.triggers")

SUSPECT_RETRIES: Final = 2
"""A batch that its host brings so many times again is parked untried: it may be what ends the process."""
MARGIN_MS: Final = 5_000
"""What is left of an invocation's time must be enough to park."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a stream's consumer is promised. Times in ms."""

    timeout_ms: int = 60_000
    tries_in_process: int = 3
    max_attempts: int = 100
    max_age_ms: int = 24 * 3_600_000
    first_wait_ms: int = 1_000
    longest_wait_ms: int = 60_000

    def wait_ms(self, attempts: int) -> int:
        """How long to wait after so many failed attempts."""
        return min(self.longest_wait_ms, self.first_wait_ms << min(attempts - 1, 20))


class StreamTrigger:
    """One stream function's batches."""

    def __init__(
        self,
        settler: Settler,
        parking: Callable[[], Parking],
        clock: Clock,
        terms: Terms,
        *,
        turns: "Lock | None" = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`turns` is shared by all that hand records to the function: the host brings the batches of several
        partitions to one process at the same time, and a function keeps what it knows for one call at a time.
        """
        self._turns = turns or Lock()
        self._settler = settler
        self._parking = parking
        self._clock = clock
        self._terms = terms
        self._sleep = sleep
        self._unparked: set[bytes] = set()

    def deliver(self, events: "Sequence[func.EventHubEvent]", deadline: Deadline, *, retries: int = 0) -> None:
        """Settle a batch, or park what is left of it. Raises what the parking raises: then the host must keep it.

        `retries` is how often the host has brought this very batch before.
        """
        waiting = _opened(events, self._clock.now_ms())
        suspect = retries >= SUSPECT_RETRIES and not self._known(waiting)
        left = waiting if suspect else self._tried(waiting, deadline)
        if left:
            self._park(Tail(attempt=1, alone=suspect, waiting=left), waiting)

    def _park(self, tail: Tail, batch: Sequence[Waiting]) -> None:
        first = batch[0].record.record_id
        self._unparked.add(first)
        self._parking().park(tail, self._clock.now_ms() + self._terms.wait_ms(1))
        self._unparked.discard(first)
        log.warning("%s: %d records are parked: %s", self._settler.name, len(tail.waiting), self._settler.reason)

    def _known(self, batch: Sequence[Waiting]) -> bool:
        """Whether the batch comes again because it could not be parked, which its process has survived."""
        return bool(batch) and batch[0].record.record_id in self._unparked

    def _tried(self, waiting: Sequence[Waiting], deadline: Deadline) -> list[Waiting]:
        """What is left after a few tries, in the order of the batch."""
        left = list(waiting)
        for attempt in range(self._terms.tries_in_process):
            if attempt:
                self._sleep(pause_seconds(attempt - 1))
            with self._turns:
                left = settle(self._settler, left, deadline, stop=True)
            if not left or deadline.near(MARGIN_MS):
                break
        return left


def settle(settler: Settler, waiting: Sequence[Waiting], deadline: Deadline, *, stop: bool) -> list[Waiting]:
    """Hand records over; those that must come again. With `stop`, all that follow the first of them do too."""
    records = [each.record for each in waiting]
    problems = {index: each.problem for index, each in enumerate(waiting) if each.problem is not None}
    left = {id(record) for record in settler.settle(records, deadline, stop=stop, unreadable=problems)}
    return [each for each in waiting if id(each.record) in left]


def _opened(events: "Sequence[func.EventHubEvent]", now_ms: int) -> list[Waiting]:
    """Events as records; partition and position serve people who look for them in the hub."""
    partition = _partition(events[0]) if events else ""
    return [
        Waiting(
            *open_record(
                event.get_body(), partition=partition, position=event.sequence_number, attempt=1, now_ms=now_ms
            )
        )
        for event in events
    ]


def _partition(event: "func.EventHubEvent") -> str:
    """Asked once a batch: each event's metadata are those of all, and are parsed anew for each that is asked."""
    metadata: Any = event.metadata or {}
    context = metadata.get("PartitionContext")
    return str(context.get("PartitionId", "")) if isinstance(context, dict) else ""
