"""What becomes of a stream's messages once they are here, pulled or pushed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adapters.common.envelope import open_record
from adapters.common.settling import Settler
from adapters.gcp.pubsub import Received
from shared.ports import Clock
from shared.stream import Deadline, Record
from shared.units import DAY_MS

MAX_ATTEMPTS: Final = 99
"""One fewer than after which Pub/Sub itself forwards a message, with less to say of why."""
MARGIN_MS: Final = 3_000
"""What acknowledging and answering may take."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a consumer is promised. Times in ms."""

    batch_records: int = 1_000
    window_ms: int = 0
    """How long a batch may be gathered, once it has a record."""
    timeout_ms: int = 60_000
    """How long one batch may take."""
    max_attempts: int = MAX_ATTEMPTS
    max_age_ms: int = DAY_MS


class Opened:
    """A message as a record; `problem` says why it cannot be handled, None that it can."""

    __slots__ = ("ack_id", "attempt", "problem", "record")

    def __init__(self, received: Received, stream: str, now_ms: int) -> None:
        self.ack_id = received.ack_id
        self.attempt = received.attempt or 1
        self.record, self.problem = open_record(
            received.data,
            partition=stream,
            position=received.message_id,
            attempt=received.attempt,
            now_ms=now_ms,
        )


class Delivery:
    """One function's rules: what is settled, what comes again, what is given up."""

    def __init__(self, settler: Settler, stream: str, clock: Clock, terms: Terms) -> None:
        self.settler = settler
        self.terms = terms
        self._stream = stream
        self._clock = clock

    def open(self, received: Sequence[Received]) -> list[Opened]:
        now = self._clock.now_ms()
        return [Opened(each, self._stream, now) for each in received]

    def deliver(self, batch: Sequence[Opened], deadline: Deadline) -> list[Opened]:
        """Hand a batch over; those that must come again."""
        end = self._clock.now_ms() + self.terms.timeout_ms
        within = Deadline(lambda: min(end - self._clock.now_ms(), deadline.remaining_ms() - MARGIN_MS))
        unreadable = {index: each.problem for index, each in enumerate(batch) if each.problem is not None}
        left = self.settler.settle([each.record for each in batch], within, stop=False, unreadable=unreadable)
        waiting = {id(record) for record in left if not self._gives_up(record)}
        return [each for each in batch if id(each.record) in waiting]

    def is_spent(self, message: Opened) -> bool:
        """Whether a message had its last attempt, which must have ended its process: it is not handed over again."""
        return message.attempt > self.terms.max_attempts

    def bury_spent(self, message: Opened) -> bool:
        """Whether the record is now safe among the dead letters."""
        return self.bury(message, f"gave up after {self.terms.max_attempts} attempts: its process ended")

    def bury(self, message: Opened, reason: str) -> bool:
        """Whether the record is now safe among the dead letters."""
        return self.settler.bury(message.record, message.problem or reason)

    def _gives_up(self, record: Record) -> bool:
        attempts, reason = record.attempt or 1, self.settler.reason
        if attempts >= self.terms.max_attempts:
            return self.settler.bury(record, f"gave up after {attempts} attempts: {reason}")
        if self._clock.now_ms() - record.first_appended_at >= self.terms.max_age_ms:
            return self.settler.bury(record, f"gave up after {self.terms.max_age_ms // 1_000} s: {reason}")
        return False
