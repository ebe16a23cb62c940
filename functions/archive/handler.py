"""archive: the stream's records to staged files, from which `commit` adds them to the history."""

from collections.abc import Sequence

from shared.errors import CorruptData, Unavailable
from shared.health.meter import Meter
from shared.history.staging import Part, part_of, stage, staged_name
from shared.history.tables import STAGING
from shared.ports import ObjectStore, Ports
from shared.settings import Settings
from shared.stream import DONE, Answer, BatchHandler, Deadline, Record, Reject, Retry


def make(ports: Ports, _: Settings) -> BatchHandler:
    """The consumer of stream `events` that stages what it is handed."""

    def handle(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        return archive(ports.objects(STAGING), ports.meter("archive"), records, deadline)

    return handle


def archive(staging: ObjectStore, meter: Meter, records: Sequence[Record], deadline: Deadline) -> list[Answer | None]:
    """Stage a batch as one file. A record is Done when that file is durable, Reject when it can never be read."""
    answers: list[Answer | None] = [None] * len(records)
    parts: dict[bytes, Part] = {}
    staged: list[int] = []
    for index, record in enumerate(records):
        if deadline.near():
            break
        try:
            part = part_of(record)
        except CorruptData as error:
            answers[index] = Reject(str(error))
            continue
        if part is None:
            answers[index] = DONE
            continue
        parts.setdefault(record.record_id, part)
        staged.append(index)
    outcome: Answer = DONE
    if parts:
        batch = list(parts.values())
        rows = sum(part.columns.n for part in batch)
        meter.count(events_in=rows)
        try:
            staging.put(staged_name(batch), stage(batch))
            meter.count(events_out=rows)
        except Unavailable as error:
            outcome = Retry(f"the batch could not be staged: {error}")
    for index in staged:
        answers[index] = outcome
    return answers
