"""watch: what the stream's records say of single viewers, in bulk by bucket."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from events.columns import read
from shared.errors import CorruptData, Unavailable
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import DONE, Answer, BatchHandler, Deadline, Record, Reject, Retry
from shared.viewing.facts import Facts, concatenated, facts_of
from shared.viewing.log import ViewerLog

VIEWER_LOG: Final = "viewer-log"


def make(ports: Ports, _: Settings) -> BatchHandler:
    """The consumer of stream `events` that keeps per-viewer facts."""

    def handle(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        return watch(ViewerLog(ports.objects(VIEWER_LOG), ports.table(VIEWER_LOG)), records, deadline)

    return handle


def watch(log: ViewerLog, records: Sequence[Record], deadline: Deadline) -> list[Answer | None]:
    """Keep a batch's facts. A record is Done when they are durable, Reject when it can never be read."""
    answers: list[Answer | None] = [None] * len(records)
    facts: dict[bytes, Facts] = {}
    for index, record in enumerate(records):
        if deadline.near():
            break
        answers[index] = _take(record, facts)
    try:
        log.add(_name(list(facts)), concatenated(list(facts.values())))
    except Unavailable as error:
        retry = Retry(f"the batch's watch time could not be stored: {error}")
        return [retry if answer == DONE else answer for answer in answers]
    return answers


def _take(record: Record, facts: dict[bytes, Facts]) -> Answer:
    try:
        if record.record_id not in facts:
            facts[record.record_id] = facts_of(record.record_id, read(record.body))
    except CorruptData as error:
        return Reject(str(error))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return Reject(f"record {record.record_id.hex()} cannot be read: {error}")
    return DONE


def _name(record_ids: list[bytes]) -> str:
    """The same records give the same name, so that a retry overwrites."""
    return blake2b(b"".join(sorted(record_ids)), digest_size=16).hexdigest()
