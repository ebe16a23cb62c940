"""watch: what the stream's records say of single viewers, in bulk by bucket."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

from events.columns import read
from shared.errors import CorruptData, Unavailable
from shared.health.meter import Meter
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import DONE, Answer, BatchHandler, Deadline, Record, Reject, Retry
from shared.viewing.facts import Facts, concatenated, facts_of
from shared.viewing.log import ViewerLog

VIEWER_LOG: Final = "viewer-log"


class Taken(NamedTuple):
    """What a record says: so many events, and the watched stretches among them."""

    events: int
    facts: Facts


def make(ports: Ports, _: Settings) -> BatchHandler:
    """The consumer of stream `events` that keeps per-viewer facts."""

    def handle(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        log = ViewerLog(ports.objects(VIEWER_LOG), ports.table(VIEWER_LOG))
        return watch(log, ports.meter("watch"), records, deadline)

    return handle


def watch(log: ViewerLog, meter: Meter, records: Sequence[Record], deadline: Deadline) -> list[Answer | None]:
    """Keep a batch's facts. A record is Done when they are durable, Reject when it can never be read."""
    answers: list[Answer | None] = [None] * len(records)
    taken: dict[bytes, Taken] = {}
    for index, record in enumerate(records):
        if deadline.near():
            break
        answers[index] = _take(record, taken)
    facts = concatenated([each.facts for each in taken.values()])
    meter.count(events_in=sum(each.events for each in taken.values()))
    try:
        log.add(_name(list(taken)), facts)
        meter.count(events_out=len(facts))
    except Unavailable as error:
        retry = Retry(f"the batch's watch time could not be stored: {error}")
        return [retry if answer == DONE else answer for answer in answers]
    return answers


def _take(record: Record, taken: dict[bytes, Taken]) -> Answer:
    try:
        if record.record_id not in taken:
            columns = read(record.body)
            taken[record.record_id] = Taken(columns.n, facts_of(record.record_id, columns))
    except CorruptData as error:
        return Reject(str(error))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return Reject(f"the record cannot be read: {error}")
    return DONE


def _name(record_ids: list[bytes]) -> str:
    """The same records give the same name, so that a retry overwrites."""
    return blake2b(b"".join(sorted(record_ids)), digest_size=16).hexdigest()
