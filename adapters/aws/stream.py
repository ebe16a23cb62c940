"""Streams in Kinesis: records framed by `adapters/common/envelope.py`, put in as few calls as it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from adapters.aws.errors import about
from adapters.common.envelope import refusal, seal
from shared.errors import GrandstandError
from shared.ports import Clock
from shared.stream import NewRecord

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient

BATCH_RECORDS: Final = 500
BATCH_BYTES: Final = 5 * 1024 * 1024
"""What one PutRecords takes, its partition keys counted."""
KEY_CHARACTERS: Final = 256

Entry = dict[str, Any]


class AwsStream:
    """`shared.ports.Stream`. Records of one key land on one shard."""

    def __init__(self, client: Callable[[], KinesisClient], name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._told = f"the stream {name}"

    def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        results = [refusal(record) for record in records]
        now = self._clock.now_ms()
        good = [(index, _entry(record, now)) for index, record in enumerate(records) if results[index] is None]
        tried = False
        for batch in _batches(good):
            try:
                answers = self._put([entry for _, entry in batch])
            except GrandstandError as error:
                if not tried:
                    raise
                answers = [str(error)] * len(batch)  # some of the others are durable, and their callers must know
            tried = True
            for (index, _), answer in zip(batch, answers, strict=True):
                results[index] = answer
        return results

    def _put(self, entries: list[Entry]) -> list[str | None]:
        with about(self._told):
            answer = self._client().put_records(StreamName=self._name, Records=entries)  # type: ignore[arg-type]
        return [_reason(each) for each in answer["Records"]]


def _entry(record: NewRecord, now_ms: int) -> Entry:
    return {"Data": seal(record, now_ms), "PartitionKey": partition_key(record.key)}


def partition_key(key: str) -> str:
    """A record's key as Kinesis takes it: 1 to 256 characters."""
    if 1 <= len(key) <= KEY_CHARACTERS:
        return key
    return blake2b(key.encode(), digest_size=16).hexdigest()


def _batches(entries: Sequence[tuple[int, Entry]]) -> Iterator[list[tuple[int, Entry]]]:
    batch: list[tuple[int, Entry]] = []
    size = 0
    for index, entry in entries:
        more = len(entry["Data"]) + len(entry["PartitionKey"].encode())
        if batch and (len(batch) == BATCH_RECORDS or size + more > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((index, entry))
        size += more
    if batch:
        yield batch


def _reason(answer: Any) -> str | None:
    code = answer.get("ErrorCode")
    return f"{code}: {answer.get('ErrorMessage', '')}" if code else None
