"""The stream contract: what a consumer of a stream or a queue is handed, and what it answers.

A record carries its own identity. Positions serve checkpoints only: clouds redeliver whole batches, larger or
smaller ones, append twice when an answer is lost, and restart positions when a hub is rebuilt.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

RECORD_ID_BYTES = 16
MAX_BODY_BYTES: Final = 1_000_000
"""Of a record: every cloud's stream takes that much, with what frames it (Event Hubs and Kinesis end at 1 MiB)."""
EVENT_STREAM = "events"
"""The stream between ingest and everything that follows it."""


@dataclass(frozen=True, slots=True)
class NewRecord:
    """What ingest appends: `body` is a packed record (events/record.py) that names itself by `record_id`.

    A replay from the dead letters hands on `first_appended_at`, so that the horizon of the record's marks holds.
    """

    record_id: bytes
    key: str
    body: bytes
    first_appended_at: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What a consumer is handed. `first_appended_at` is ms since epoch and survives parking and replay."""

    record_id: bytes
    key: str
    partition: str
    position: int | str | None
    first_appended_at: int
    attempt: int | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery of a queue's message; `attempt` counts from 1."""

    body: bytes
    attempt: int


@dataclass(frozen=True, slots=True)
class Done:
    """Every effect of the record is written."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Nothing may be acknowledged; hand the record over again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reject:
    """The record can never be handled. Its bytes go to the dead letters before it is acknowledged."""

    reason: str


Answer = Done | Retry | Reject
DONE = Done()


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a handler must have answered. `remaining_ms` is asked between pieces of work."""

    remaining_ms: Callable[[], int]

    def near(self, margin_ms: int = 1_000) -> bool:
        """Whether it is time to stop cleanly and hand the rest back."""
        return self.remaining_ms() <= margin_ms


NO_DEADLINE = Deadline(lambda: 3_600_000)

Run = Callable[[Deadline], bool]
"""A schedule's work; whether there was anything to do, or may be in a moment. A run that fails raises."""


class BatchHandler(Protocol):
    """A stream consumer.

    Answers stand in the order of the records. A missing answer (a shorter list, or None) and an escaped exception
    are `Retry`; silence never means success.
    """

    def __call__(self, records: Sequence[Record], deadline: Deadline, /) -> Sequence[Answer | None]: ...


class MessageHandler(Protocol):
    """A queue's consumer. No answer and an escaped exception are `Retry`."""

    def __call__(self, message: Message, deadline: Deadline, /) -> Answer | None: ...
