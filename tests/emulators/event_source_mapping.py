"""Lambda's event-source mappings, simulated: moto keeps shards and queues, and hands them to no function.

What is kept of the real one: events of the real shape, one batch of a shard at a time, `batchItemFailures` (the least
sequence number counts; what Lambda takes for success and for failure), splitting a batch after an error, waiting
longer after each, attempts and age that end, the object that is then written to S3 and told to the same function.
Time is the test's. A mapping outlives the function that it calls.
"""

import json
import logging
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, Protocol

from adapters.local.triggers import Terms
from shared.ports import Clock

log = logging.getLogger(__name__)

MAX_EVENT_BYTES: Final = 6 * 1024 * 1024
REGION: Final = "eu-west-1"
ACCOUNT: Final = "123456789012"
MAPPING: Final = "8f1c2f0e-5a4e-4c6c-9c58-2b9f0f2f7f7d"

Invoke = Callable[[Any], Any]
"""The function: from an event to its answer; an exception is a function error."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A record as a shard keeps it."""

    sequence: str
    key: str
    data: bytes


class Shards(Protocol):
    """What a mapping reads."""

    def names(self) -> Sequence[str]: ...

    def read(self, shard: str, after: str | None, limit: int) -> Sequence[Raw]: ...


class Destination(Protocol):
    """Where batches go that are given up; `bucket` is its name."""

    bucket: str

    def put(self, key: str, body: bytes) -> None: ...


@dataclass
class Shard:
    """How far a mapping has come in a shard."""

    position: str | None = None
    attempts: int = 0
    """Invocations in a row that settled nothing."""
    batch: int | None = None
    """At most so many records, while a batch that failed is being split."""
    wait_until: int | None = None
    seen: dict[str, int] = field(default_factory=dict)
    """When each record past the position was first seen, in ms since epoch."""


@dataclass
class StreamMapping:
    """A Kinesis stream's mapping to one function."""

    source: Shards
    destination: Destination
    clock: Clock
    stream: str = "events"
    _shards: dict[str, Shard] = field(default_factory=dict)
    _undelivered: list[Any] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: count(1))

    def poll(self, function: Invoke, terms: Terms) -> int:
        """Hand over what is due once, of each shard; how many records."""
        self._tell(function)
        handed = sum(self._poll(name, function, terms) for name in self.source.names())
        self._tell(function)
        return handed

    def _poll(self, name: str, function: Invoke, terms: Terms) -> int:
        shard = self._shards.setdefault(name, Shard())
        now = self.clock.now_ms()
        if shard.attempts and shard.wait_until is not None and now < shard.wait_until:
            return 0
        limit = shard.batch or terms.batch_records
        batch = _fitting(self.source.read(name, shard.position, limit))
        for raw in batch:
            shard.seen.setdefault(raw.sequence, now)
        if not batch:
            return 0
        if shard.wait_until is None:
            shard.wait_until = now + terms.window_ms
        if now < shard.wait_until and len(batch) < limit:
            return 0
        self._invoke(name, shard, batch, function, terms)
        return len(batch)

    def _invoke(self, name: str, shard: Shard, batch: Sequence[Raw], function: Invoke, terms: Terms) -> None:
        event = self._event(name, shard, batch)
        settled, error = 0, "Unhandled"
        try:
            settled, error = _settled(batch, function(json.loads(json.dumps(event)))), ""
        except Exception as failure:
            log.info("the function failed: %s", failure)
        finally:  # also when the process ends
            if settled:
                self._go_on(shard, batch[:settled], terms, whole=settled == len(batch))
            else:
                condition = self._again(shard, batch, terms)
                if condition:
                    self._give_up(name, event, condition, shard.attempts, error)
                    shard.batch = None
                    self._pass(shard, batch)

    def _go_on(self, shard: Shard, done: Sequence[Raw], terms: Terms, *, whole: bool) -> None:
        narrow = shard.batch is not None and whole and shard.batch * 2 < terms.batch_records
        shard.batch = shard.batch * 2 if narrow and shard.batch else None
        self._pass(shard, done)

    def _again(self, shard: Shard, left: Sequence[Raw], terms: Terms) -> str | None:
        """A batch of which nothing is settled comes again, half of it; why not, when it does not."""
        shard.attempts += 1
        shard.batch = max(1, len(left) // 2)
        shard.wait_until = self.clock.now_ms() + terms.wait_ms(shard.attempts)
        return self._condition(shard, left, terms)

    def _pass(self, shard: Shard, done: Sequence[Raw]) -> None:
        shard.position, shard.attempts, shard.wait_until = done[-1].sequence, 0, None
        for raw in done:
            shard.seen.pop(raw.sequence, None)

    def _condition(self, shard: Shard, left: Sequence[Raw], terms: Terms) -> str | None:
        if len(left) > 1:
            return None
        if shard.attempts >= terms.max_attempts:
            return "RetryAttemptsExhausted"
        old = self.clock.now_ms() - shard.seen[left[0].sequence] >= terms.max_age_ms
        return "MaximumRecordAgeExceeded" if old else None

    def _give_up(self, name: str, event: Any, condition: str, attempts: int, error: str) -> None:
        """What Lambda writes for a batch that it gives up, and the event that tells of it."""
        number, now = next(self._numbers), datetime.fromtimestamp(self.clock.now_ms() / 1_000, UTC)
        sequences = [each["kinesis"]["sequenceNumber"] for each in event["Records"]]
        key = f"aws/lambda/{MAPPING}/{name}/{now:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{number:08d}"
        self.destination.put(
            key,
            json.dumps(
                {
                    "requestContext": {
                        "requestId": f"{number:08d}",
                        "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:counter",
                        "condition": condition,
                        "approximateInvokeCount": attempts,
                    },
                    "responseContext": {
                        "statusCode": 200,
                        "executedVersion": "$LATEST",
                        "functionError": error or None,
                    },
                    "version": "1.0",
                    "timestamp": now.isoformat(),
                    "KinesisBatchInfo": {
                        "shardId": name,
                        "startSequenceNumber": sequences[0],
                        "endSequenceNumber": sequences[-1],
                        "batchSize": len(sequences),
                        "streamArn": self._arn(),
                    },
                    "payload": json.dumps(event),
                }
            ).encode(),
        )
        self._undelivered.append(
            {
                "Records": [
                    {
                        "eventVersion": "2.1",
                        "eventSource": "aws:s3",
                        "awsRegion": REGION,
                        "eventTime": now.isoformat(),
                        "eventName": "ObjectCreated:Put",
                        "s3": {"bucket": {"name": self.destination.bucket}, "object": {"key": key}},
                    }
                ]
            }
        )

    def _tell(self, function: Invoke) -> None:
        """S3's events; one that the function fails on is told again."""
        waiting, self._undelivered = self._undelivered, []
        while waiting:
            try:
                function(waiting[0])
            except Exception as failure:
                log.warning("S3's event is told again: %s", failure)
                self._undelivered.append(waiting.pop(0))
            except BaseException:
                self._undelivered += waiting
                raise
            else:
                waiting.pop(0)

    def _event(self, name: str, shard: Shard, batch: Sequence[Raw]) -> Any:
        return {
            "Records": [
                {
                    "kinesis": {
                        "kinesisSchemaVersion": "1.0",
                        "partitionKey": raw.key,
                        "sequenceNumber": raw.sequence,
                        "data": b64encode(raw.data).decode(),
                        "approximateArrivalTimestamp": shard.seen[raw.sequence] / 1_000,
                    },
                    "eventSource": "aws:kinesis",
                    "eventVersion": "1.0",
                    "eventID": f"{name}:{raw.sequence}",
                    "eventName": "aws:kinesis:record",
                    "invokeIdentityArn": f"arn:aws:iam::{ACCOUNT}:role/counter",
                    "awsRegion": REGION,
                    "eventSourceARN": self._arn(),
                }
                for raw in batch
            ]
        }

    def _arn(self) -> str:
        return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{self.stream}"


def _fitting(batch: Sequence[Raw]) -> list[Raw]:
    """As many as one event holds, one at least."""
    fitting: list[Raw] = []
    size = 0
    for raw in batch:
        size += 4 * len(raw.data) // 3 + 600
        if fitting and size > MAX_EVENT_BYTES:
            break
        fitting.append(raw)
    return fitting


def _settled(batch: Sequence[Raw], answer: Any) -> int:
    """How many records of a batch an answer settles. None at all where it names what was not in the batch."""
    if not answer or not answer.get("batchItemFailures"):
        return len(batch)
    places = {raw.sequence: place for place, raw in enumerate(batch)}
    return min(_place(failure, places) for failure in answer["batchItemFailures"])


def _place(failure: Mapping[str, Any], places: Mapping[str, int]) -> int:
    return places.get(str(failure.get("itemIdentifier") or ""), 0)


@dataclass
class KinesisShards:
    """The shards of a real stream, or moto's."""

    client: Any
    name: str

    def names(self) -> Sequence[str]:
        return [each["ShardId"] for each in self.client.list_shards(StreamName=self.name)["Shards"]]

    def read(self, shard: str, after: str | None, limit: int) -> Sequence[Raw]:
        start = (
            {"ShardIteratorType": "TRIM_HORIZON"}
            if after is None
            else {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": after}
        )
        iterator = self.client.get_shard_iterator(StreamName=self.name, ShardId=shard, **start)["ShardIterator"]
        raws: list[Raw] = []
        while len(raws) < limit:
            page = self.client.get_records(ShardIterator=iterator, Limit=limit - len(raws))
            raws += [Raw(each["SequenceNumber"], each["PartitionKey"], each["Data"]) for each in page["Records"]]
            iterator = page.get("NextShardIterator")
            if not iterator or not page["MillisBehindLatest"]:
                break
        return raws


@dataclass
class S3Destination:
    """A bucket for what is given up."""

    client: Any
    bucket: str

    def put(self, key: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body)


@dataclass
class QueueMapping:
    """An SQS queue's mapping to one function: what it does not name as failed is deleted, the rest comes again."""

    client: Any
    url: str
    batch: int = 10

    def poll(self, function: Invoke) -> int:
        """Hand over what is due once; how many messages."""
        messages = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=self.batch,
            VisibilityTimeout=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            return 0
        try:
            answer = function({"Records": [_sqs_record(each) for each in messages]}) or {}
        except Exception:
            return len(messages)
        failed = {failure["itemIdentifier"] for failure in answer.get("batchItemFailures") or ()}
        for each in messages:
            if each["MessageId"] not in failed:
                self.client.delete_message(QueueUrl=self.url, ReceiptHandle=each["ReceiptHandle"])
        return len(messages)


def _sqs_record(message: Mapping[str, Any]) -> Any:
    attributes = {
        name: {
            "stringValue": value["StringValue"],
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": value["DataType"],
        }
        for name, value in (message.get("MessageAttributes") or {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message["Attributes"]),
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue",
        "awsRegion": REGION,
    }
