"""Records in, window states out: every record exactly once (design, section 4)."""

from collections.abc import Sequence
from typing import Final

from functions.aggregate.batch import Batch, Unpacked, join, unpack
from functions.aggregate.lag import measure
from functions.aggregate.merge import Merge
from functions.aggregate.states import States
from shared.errors import CorruptData
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import Answer, BatchHandler, Deadline, Record, Reject
from shared.units import MINUTE_MS

BATCH_RECORDS: Final = 1_000
"""Merged at once: what one write may add to a state's marks."""
MAX_CELLS: Final = 1 << 24
"""States times values that may be counted at once; a batch that would take more is handled in halves."""
WARM_BYTES: Final = 128 * 1024 * 1024


def make(ports: Ports, settings: Settings) -> BatchHandler:
    """The consumer of stream `events` that keeps the audience's window states."""
    return _Aggregate(ports, settings)


class _Aggregate:
    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._clock = ports.clock
        self._meter = ports.meter("aggregate")
        self._states = States(ports, settings.state_days, WARM_BYTES)
        self._horizon_ms = settings.horizon_seconds * 1_000

    def __call__(self, records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        answers: list[Answer | None] = [None] * len(records)
        oldest = self._clock.now_ms() - self._horizon_ms
        readable: list[tuple[int, Unpacked]] = []
        for index, record in enumerate(records):
            if record.first_appended_at < oldest:
                answers[index] = Reject("beyond_horizon")
                continue
            try:
                readable.append((index, unpack(record.body)))
            except CorruptData as error:
                answers[index] = Reject(f"unreadable: {error}")
        for start in range(0, len(readable), BATCH_RECORDS):
            part = readable[start : start + BATCH_RECORDS]
            self._merge(part, records, answers, oldest // MINUTE_MS, deadline)
        return answers

    def _merge(
        self,
        part: list[tuple[int, Unpacked]],
        records: Sequence[Record],
        answers: list[Answer | None],
        oldest_minute: int,
        deadline: Deadline,
    ) -> None:
        """Merge some records and fill in their answers; near the deadline they stay unanswered."""
        if deadline.near():
            return
        try:
            batch = join([unpacked for _, unpacked in part])
        except (CorruptData, ValueError, OverflowError, TypeError) as error:
            if len(part) == 1:
                answers[part[0][0]] = Reject(f"unreadable: {error}")
                return
            batch = None
        if batch is None or (len(part) > 1 and _cells(batch) > MAX_CELLS):
            middle = len(part) // 2
            for half in (part[:middle], part[middle:]):
                self._merge(half, records, answers, oldest_minute, deadline)
            return
        chosen = [records[index] for index, _ in part]
        merge = Merge(self._states, batch, chosen, oldest_minute)
        for (index, _), answer in zip(part, merge.run(deadline), strict=True):
            answers[index] = answer
        measure(self._meter, batch, merge.written, self._clock.now_ms())


def _cells(batch: Batch) -> int:
    return len(batch.places) * max(len(batch.values), 200)
