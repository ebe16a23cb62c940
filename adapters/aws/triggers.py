"""What Lambda hands to a function that a stream or a queue starts, as calls; and their answers as Lambda's.

Kinesis: Lambda stops a shard at a batch that fails. Where some of a batch is settled we name the first record that is
not, and Lambda goes on from there. Where nothing is, we raise: only an error makes Lambda split a batch in two, until
a record that fails every time is alone. What Lambda gives up comes back by `adapters/aws/failed.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Protocol

from adapters.aws.messages import body_of, due_of
from adapters.common.envelope import open_record
from shared.errors import GrandstandError
from shared.stream import Deadline, Message, Record

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

    from adapters.common.hosting import Hosted
    from adapters.common.settling import Settler
    from shared.ports import Clock

Event = Mapping[str, Any]
KEPT_REASONS: Final = 1_000
BURIED_AT_ONCE: Final = 8


class NothingSettled(GrandstandError):
    """No record of a batch is settled, so that Lambda is to split it and try again."""


class NotSettled(GrandstandError):
    """A message is to come again."""


class Streamed:
    """A stream's consumer behind Lambda's event-source mapping."""

    def __init__(self, settler: Settler, clock: Clock) -> None:
        self._settler = settler
        self._clock = clock
        self._reasons: OrderedDict[bytes, str] = OrderedDict()

    def handle(self, event: Event, deadline: Deadline) -> dict[str, Any]:
        """Lambda's answer: the first record that is not settled, if any. Raises NothingSettled."""
        records, unreadable = read(event, self._clock.now_ms())
        left = self._settler.settle(records, deadline, stop=True, unreadable=unreadable)
        if not left:
            return {"batchItemFailures": []}
        self._remember(left[0].record_id, self._settler.reason)
        if len(left) == len(records):
            raise NothingSettled(
                f"{self._settler.name}: none of {len(records)} records is settled: {self._settler.reason}"
            )
        return {"batchItemFailures": [{"itemIdentifier": str(left[0].position)}]}

    def bury(self, event: Event, given_up: str, otherwise: str) -> bool:
        """Put every record of a batch that Lambda has given up to the dead letters; whether all are safe there.

        The reason tells why its last attempt failed where this instance saw it, else `otherwise`.
        """
        records, unreadable = read(event, self._clock.now_ms())

        def bury(numbered: tuple[int, Record]) -> bool:
            index, record = numbered
            why = unreadable.get(index) or self._reasons.get(record.record_id, otherwise)
            return self._settler.bury(record, f"{given_up}: {why}")

        # a thousand one after the other may take longer than the function has, and nobody would halve the batch
        with ThreadPoolExecutor(BURIED_AT_ONCE) as threads:
            return all(list(threads.map(bury, enumerate(records))))

    def oldest_ms(self, event: Event) -> int:
        """How long the oldest record of the batch has been in the stream, in ms."""
        arrived = [int(1_000 * each["kinesis"]["approximateArrivalTimestamp"]) for each in event["Records"]]
        return max(0, self._clock.now_ms() - min(arrived))

    def _remember(self, record_id: bytes, reason: str) -> None:
        self._reasons[record_id] = reason
        self._reasons.move_to_end(record_id)
        while len(self._reasons) > KEPT_REASONS:
            self._reasons.popitem(last=False)


def read(event: Event, now_ms: int) -> tuple[list[Record], dict[int, str]]:
    """The records of a Kinesis event, and which of them cannot be handled and why."""
    from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamEvent

    records: list[Record] = []
    unreadable: dict[int, str] = {}
    for index, each in enumerate(KinesisStreamEvent(dict(event)).records):
        shard, _, _ = each.event_id.partition(":")
        record, problem = open_record(
            each.kinesis.data_as_bytes(),
            partition=shard,
            position=each.kinesis.sequence_number,
            attempt=None,
            now_ms=now_ms,
        )
        records.append(record)
        if problem is not None:
            unreadable[index] = problem
    return records, unreadable


class Postponing(Protocol):
    """A queue that takes a message back as it lies in it."""

    def send_text(self, text: str, due: int) -> None: ...


class Queued:
    """A queue's consumer behind Lambda's event-source mapping."""

    def __init__(self, hosted: Hosted, queue: Postponing, clock: Clock) -> None:
        self._hosted = hosted
        self._queue = queue
        self._clock = clock

    def handle(self, event: Event, deadline: Deadline) -> Any:
        """Lambda's answer: the messages that are to come again."""
        from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

        def one(record: SQSRecord) -> None:
            self._one(record, deadline)

        processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        return process_partial_response(event=dict(event), record_handler=one, processor=processor)

    def _one(self, record: SQSRecord, deadline: Deadline) -> None:
        due = due_of(record.raw_event.get("messageAttributes") or {})
        if due > self._clock.now_ms():
            self._queue.send_text(record.body, due)  # a crash from here on leaves it twice: at least once
            return
        message = Message(body_of(record.body), int(record.attributes.approximate_receive_count))
        if deadline.near() or not self._hosted.message(message, deadline):
            raise NotSettled(f"{self._hosted.function.name}: the message is to come again")


def sources(event: Event) -> Sequence[str]:
    """Which services the records of an event come from."""
    records = event.get("Records")
    if not isinstance(records, list):
        return []
    return sorted({str(each.get("eventSource", "")) for each in records if isinstance(each, Mapping)})
