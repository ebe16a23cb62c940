"""From a stream to a function, as faithful to the clouds' failure rules as their own triggers.

What a batch's answers mean is one rule (adapters/common/settling.py); what becomes of the records it leaves is each
cloud's:

- ORDERED, as Kinesis: the checkpoint stays before the first of them, the batch is bisected until one record is alone,
  and one that has used up its attempts or its age goes to the dead letters, with its bytes.
- PARKED, as Event Hubs: the checkpoint moves on whatever happens, so they are tried again in process, then parked
  in the same write that moves the checkpoint; they come back later and out of order.
- EACH, as Pub/Sub: every record is acknowledged by itself; one that is not comes back later.

A delivery is: read, hand over, write what was rejected to the dead letters, save the checkpoint. A crash between any
two of these delivers again what was not saved.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, Protocol

from adapters.common.settling import DeadLetterOffice, Settler
from adapters.local.stream import Heads
from shared.errors import GrandstandError
from shared.ports import Clock
from shared.stream import BatchHandler, Deadline, Record

MAX_BATCH_BYTES: Final = 6 * 1024 * 1024
"""What AWS Lambda takes in one invocation."""
MAX_PARKED: Final = 100
"""Parked records that are tried again together."""


class Delivery(Enum):
    """Whose rules a consumer keeps."""

    ORDERED = "ordered"
    PARKED = "parked"
    EACH = "each"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a group has come in a partition of the log `epoch`: all up to `position` is settled or parked."""

    epoch: str
    position: int
    attempts: int = 0
    """Deliveries in a row that settled nothing."""
    batch: int | None = None
    """At most so many records, while a batch that failed is being bisected."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that waits for another attempt; `id` is None until it is stored."""

    record: Record
    attempt: int
    due_at: int
    id: int | None = None


class Log(Protocol):
    """What a consumer reads."""

    def heads(self) -> Heads: ...

    def read(self, partition: str, after: int, limit: int, max_bytes: int) -> Sequence[Record]: ...


class Progress(Protocol):
    """What a group remembers. Each call that writes is one transaction."""

    def load(self, group: str) -> Mapping[str, Checkpoint]: ...

    def save(self, group: str, partition: str, checkpoint: Checkpoint, park: Sequence[Parked] = ()) -> None: ...

    def due(self, group: str, now_ms: int, limit: int) -> Sequence[Parked]:
        """Parked records whose time has come, longest waiting first."""
        ...

    def unpark(self, group: str, gone: Sequence[Parked], later: Sequence[Parked]) -> None:
        """Forget some, and move others to their new time."""
        ...


class Faults:
    """Where a test may interfere with a delivery; this one never does."""

    def reach(self, step: str) -> None:
        """Called between the steps of a delivery; may raise."""

    def start(self, position: int) -> int:
        """Where to read from: an earlier position delivers a larger batch again."""
        return position

    def size(self, limit: int) -> int:
        """How many records to deliver at most."""
        return limit


@dataclass(frozen=True, slots=True)
class Terms:
    """What a consumer is promised. Times in ms."""

    batch_records: int = 1_000
    window_ms: int = 0
    """How long to wait for a batch to fill."""
    timeout_ms: int = 60_000
    delivery: Delivery = Delivery.ORDERED
    tries_in_process: int = 3
    """PARKED only: before the tail is parked."""
    max_attempts: int = 100
    max_age_ms: int = 24 * 3_600_000
    first_wait_ms: int = 100
    longest_wait_ms: int = 10_000

    def wait_ms(self, attempts: int) -> int:
        """How long to wait after so many failed attempts."""
        return min(self.longest_wait_ms, self.first_wait_ms << min(attempts - 1, 20))


def _nothing() -> None:
    """Every write was durable when it returned."""


class Consumer:
    """One function's deliveries from one stream. Not for use by two threads at once, nor two processes."""

    def __init__(
        self,
        group: str,
        handler: BatchHandler,
        *,
        source: Log,
        progress: Progress,
        dead_letters: DeadLetterOffice,
        clock: Clock,
        terms: Terms,
        flush: Callable[[], None] = _nothing,
        faults: Faults | None = None,
    ) -> None:
        """`flush` makes durable whatever the handler wrote; it is called before anything is acknowledged."""
        self._group = group
        self._settler = Settler(group, handler, dead_letters)
        self._log = source
        self._progress = progress
        self._clock = clock
        self._terms = terms
        self._flush = flush
        self._faults = faults or Faults()
        self._checkpoints = dict(progress.load(group))
        self._wait_until: dict[str, int] = {}

    def poll(self) -> int:
        """Deliver at most one batch of each partition, and parked records that are due; how many were handed over.

        Raises what the log or the progress raise, once every partition had its turn; nothing is lost by it.
        """
        heads = self._log.heads()
        delivered = 0
        failure: GrandstandError | None = None
        for partition in heads.positions:
            try:
                delivered += self._poll(heads, partition)
            except GrandstandError as error:
                failure = error
        delivered += self._poll_parked()
        if failure is not None:
            raise failure
        return delivered

    def _poll(self, heads: Heads, partition: str) -> int:
        checkpoint = self._checkpoint(heads, partition)
        head = heads.positions[partition]
        limit = checkpoint.batch or self._terms.batch_records
        if not self._ready(partition, head - checkpoint.position, limit):
            return 0
        start = self._faults.start(checkpoint.position)
        batch = self._log.read(partition, start, self._faults.size(limit), MAX_BATCH_BYTES)
        self._faults.reach("read")
        if not batch:  # the log was trimmed past a function that is new
            self._save(partition, Checkpoint(heads.epoch, head))
        elif self._terms.delivery is Delivery.ORDERED:
            self._deliver_ordered(partition, replace(checkpoint, position=start), batch)
        else:
            self._deliver_parking(partition, checkpoint, batch)
        return len(batch)

    def _checkpoint(self, heads: Heads, partition: str) -> Checkpoint:
        """Where to go on; from the start in a log whose positions are not those we knew."""
        known = self._checkpoints.get(partition)
        if known is None or known.epoch != heads.epoch or known.position > heads.positions[partition]:
            return Checkpoint(heads.epoch, 0)
        return known

    def _ready(self, partition: str, waiting: int, limit: int) -> bool:
        """Whether there is a full batch, or some of one whose time has come."""
        if waiting <= 0:
            return False
        now = self._clock.now_ms()
        until = self._wait_until.setdefault(partition, now + self._terms.window_ms)
        if now >= until or until - now > max(self._terms.window_ms, self._terms.longest_wait_ms):
            return True  # it is time, or the clock was set back
        failing = partition in self._checkpoints and self._checkpoints[partition].attempts > 0
        return waiting >= limit and not failing

    def _deliver_ordered(self, partition: str, checkpoint: Checkpoint, batch: Sequence[Record]) -> None:
        attempts = checkpoint.attempts + 1
        failed = replace(checkpoint, attempts=attempts, batch=max(1, len(batch) // 2))
        unsettled = self._attempt(partition, failed, batch)
        if len(unsettled) == len(batch):
            self._checkpoints[partition] = failed
            self._wait_until[partition] = self._clock.now_ms() + self._terms.wait_ms(attempts)
            return
        position = _position(unsettled[0]) - 1 if unsettled else _position(batch[-1])
        wider = None if checkpoint.batch is None or unsettled else checkpoint.batch * 2
        narrow = wider is not None and wider < self._terms.batch_records
        self._save(partition, Checkpoint(checkpoint.epoch, position, 0, wider if narrow else None))

    def _attempt(self, partition: str, failed: Checkpoint, batch: Sequence[Record]) -> Sequence[Record]:
        """Deliver a batch; what is left of it. It counts as `failed` from the start, for it may end the process."""
        alone = len(batch) == 1
        if alone and failed.attempts > self._terms.max_attempts and self._gives_up(batch[0], failed.attempts - 1):
            return []
        self._progress.save(self._group, partition, failed)
        unsettled = self._settle(batch, stop=True)
        if unsettled and alone and self._gives_up(batch[0], failed.attempts):
            return []
        return unsettled

    def _deliver_parking(self, partition: str, checkpoint: Checkpoint, batch: Sequence[Record]) -> None:
        in_order = self._terms.delivery is Delivery.PARKED
        unsettled = batch
        for _ in range(self._terms.tries_in_process if in_order else 1):
            unsettled = self._settle(unsettled, stop=in_order)
            if not unsettled:
                break
        due_at = self._clock.now_ms() + self._terms.wait_ms(1)
        park = [Parked(record, 1, due_at) for record in unsettled]
        self._save(partition, Checkpoint(checkpoint.epoch, _position(batch[-1])), park)

    def _poll_parked(self) -> int:
        """Parked records together, then each of those left by itself, so that one cannot hold up another."""
        parked = self._progress.due(self._group, self._clock.now_ms(), MAX_PARKED)
        if not parked:
            return 0
        records = [replace(each.record, attempt=each.attempt + 1) for each in parked]
        left = self._settle(records, stop=False)
        if len(records) > 1:
            left = [record for record in left if self._settle([record], stop=False)]
        gone: list[Parked] = []
        later: list[Parked] = []
        waiting = {id(record) for record in left}
        for each, record in zip(parked, records, strict=True):
            if id(record) not in waiting or self._gives_up(record, each.attempt + 1):
                gone.append(each)
            else:
                due_at = self._clock.now_ms() + self._terms.wait_ms(each.attempt + 1)
                later.append(replace(each, attempt=each.attempt + 1, due_at=due_at))
        self._faults.reach("settled")
        self._flush()
        self._progress.unpark(self._group, gone, later)
        self._faults.reach("unparked")
        return len(parked)

    def _settle(self, records: Sequence[Record], *, stop: bool) -> list[Record]:
        """Hand records over; those that must come again."""
        end = self._clock.now_ms() + self._terms.timeout_ms
        answers = self._settler.hand_over(records, Deadline(lambda: end - self._clock.now_ms()))
        self._faults.reach("handled")
        unsettled = self._settler.acknowledge(records, answers, stop=stop)
        self._faults.reach("settled")
        return unsettled

    def _gives_up(self, record: Record, attempts: int) -> bool:
        """Whether a record has had its attempts or its time, and is now safe among the dead letters."""
        if attempts >= self._terms.max_attempts:
            return self._settler.bury(record, f"gave up after {attempts} attempts: {self._settler.reason}")
        if self._clock.now_ms() - record.first_appended_at >= self._terms.max_age_ms:
            return self._settler.bury(
                record, f"gave up after {self._terms.max_age_ms // 1_000} s: {self._settler.reason}"
            )
        return False

    def _save(self, partition: str, checkpoint: Checkpoint, park: Sequence[Parked] = ()) -> None:
        self._flush()
        self._progress.save(self._group, partition, checkpoint, park)
        self._faults.reach("saved")
        self._checkpoints[partition] = checkpoint
        self._wait_until.pop(partition, None)


def _position(record: Record) -> int:
    if not isinstance(record.position, int):
        raise TypeError(f"a local record has a number for its position, not {record.position!r}")
    return record.position
