"""Tables in DynamoDB: one table each, keys `p` and `s` as strings, which DynamoDB orders by their UTF-8 bytes.

An item holds its value `v`, its version `r`, and where it expires `e` (ms since epoch, ours to heed) and `ttl`
(seconds; DynamoDB deletes it some time after that, days perhaps).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, Final

from adapters.aws.errors import about
from adapters.common.backoff import retry
from adapters.common.limits import check_batch, check_page, check_value, key_bytes
from shared.errors import Throttled, VersionConflict
from shared.ports import ABSENT, Clock, Item, Key, Page

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from types_boto3_dynamodb import DynamoDBClient

BATCH_KEYS: Final = 100
"""What one BatchGetItem takes."""
BATCHES_AT_ONCE: Final = 4
UNPROCESSED_TRIES: Final = 8
MAX_PAGE_BYTES: Final = 4 * 1024 * 1024
VERSION_BYTES: Final = 16
ALIVE: Final = "(attribute_not_exists(e) OR e > :now)"
GONE: Final = "(attribute_not_exists(p) OR e <= :now)"

Attributes = Mapping[str, Any]


class AwsTable:
    """`shared.ports.Table`. Every read is consistent."""

    def __init__(self, client: Callable[[], DynamoDBClient], name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._told = f"the table {name}"

    def get(self, partition: str, sort: str) -> Item | None:
        key = _key(partition, sort)
        with about(self._told):
            answer = self._client().get_item(TableName=self._name, Key=key, ConsistentRead=True)
        return self._alive(answer.get("Item"))

    def batch_get(self, keys: Sequence[Key]) -> dict[Key, Item]:
        check_batch(keys)
        raw = [_key(partition, sort) for partition, sort in dict.fromkeys(keys)]
        batches = [raw[start : start + BATCH_KEYS] for start in range(0, len(raw), BATCH_KEYS)]
        if len(batches) > 1:
            with ThreadPoolExecutor(min(len(batches), BATCHES_AT_ONCE)) as threads:
                answers = list(threads.map(self._batch, batches))
        else:
            answers = [self._batch(batch) for batch in batches]
        alive = filter(None, (self._alive(found) for answer in answers for found in answer))
        return {(item.partition, item.sort): item for item in alive}

    def put(
        self,
        partition: str,
        sort: str,
        value: bytes,
        *,
        if_version: str | None = None,
        expires_at: int | None = None,
    ) -> str:
        key = _key(partition, sort)
        check_value(value)
        version = token_urlsafe(VERSION_BYTES)
        item: dict[str, Any] = {**key, "v": {"B": bytes(value)}, "r": {"S": version}}
        if expires_at is not None:
            item |= {"e": {"N": str(expires_at)}, "ttl": {"N": str(-(-expires_at // 1_000))}}
        self._write(
            lambda: self._client().put_item(TableName=self._name, Item=item, **self._condition(if_version)),
            already=lambda: self._is(partition, sort, version),
            key=(partition, sort),
        )
        return version

    def delete(self, partition: str, sort: str, *, if_version: str | None = None) -> None:
        key = _key(partition, sort)
        self._write(
            lambda: self._client().delete_item(TableName=self._name, Key=key, **self._condition(if_version)),
            already=lambda: self.get(partition, sort) is None,
            key=(partition, sort),
        )

    def query(
        self,
        partition: str,
        *,
        start: str = "",
        end: str | None = None,
        limit: int = 1_000,
        cursor: str | None = None,
    ) -> Page:
        check_page(limit)
        key_bytes(partition)
        if cursor is not None:
            start = max(start, cursor + "\0", key=str.encode)  # the first string that follows the cursor
        if end is not None and end.encode() <= start.encode():
            return Page([], None)
        return self._page(_range(partition, start, end), end, limit)

    def _page(self, asked: Attributes, end: str | None, limit: int) -> Page:
        """One page, of as many answers of DynamoDB as it takes: it leaves out what has expired after counting it."""
        items: list[Item] = []
        size = 0
        after: Attributes | None = None
        while True:
            answer = self._ask(asked, limit - len(items), after)
            for found in answer["Items"]:
                item = _item(found)
                if end is None or item.sort != end:  # BETWEEN takes its end in
                    items.append(item)
                    size += len(item.value)
            after = answer.get("LastEvaluatedKey")
            if not after:
                return Page(items, None)
            if len(items) >= limit or size > MAX_PAGE_BYTES:
                return Page(items, str(after["s"]["S"]))

    def _ask(self, asked: Attributes, limit: int, after: Attributes | None) -> Any:
        now = {":now": {"N": str(self._clock.now_ms())}}
        onward: dict[str, Any] = {"ExclusiveStartKey": after} if after else {}
        with about(self._told):
            return self._client().query(
                TableName=self._name,
                KeyConditionExpression=asked["condition"],
                ExpressionAttributeValues=asked["values"] | now,
                FilterExpression=ALIVE,
                ConsistentRead=True,
                Limit=limit,
                **onward,
            )

    def _write(self, write: Callable[[], object], *, already: Callable[[], bool], key: Key) -> None:
        """A conditional write. A try whose answer was lost may have done it, and the next conflicts with that."""
        from botocore.exceptions import ClientError

        with about(self._told):
            try:
                write()
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                    raise
                if not (_tried_again(error) and already()):
                    raise VersionConflict(f"{self._name}: another version of {key!r} is there") from None

    def _condition(self, if_version: str | None) -> dict[str, Any]:
        if if_version is None:
            return {}
        values: dict[str, Any] = {":now": {"N": str(self._clock.now_ms())}}
        if if_version == ABSENT:
            return {"ConditionExpression": GONE, "ExpressionAttributeValues": values}
        values[":version"] = {"S": if_version}
        return {"ConditionExpression": f"r = :version AND {ALIVE}", "ExpressionAttributeValues": values}

    def _is(self, partition: str, sort: str, version: str) -> bool:
        item = self.get(partition, sort)
        return item is not None and item.version == version

    def _batch(self, keys: Sequence[Attributes]) -> list[Attributes]:
        """Up to 100 items. DynamoDB hands back keys past 16 MB, and those it is too busy for."""
        found: list[Attributes] = []
        waiting = list(keys)

        def ask() -> None:
            nonlocal waiting
            while waiting:
                before = len(waiting)
                request: Any = {self._name: {"Keys": waiting, "ConsistentRead": True}}
                with about(self._told):
                    answer = self._client().batch_get_item(RequestItems=request)
                found.extend(answer["Responses"].get(self._name, ()))
                left: Any = answer.get("UnprocessedKeys", {}).get(self._name, {})
                waiting = list(left.get("Keys", ()))
                if len(waiting) == before:
                    raise _Busy(f"{self._told} leaves {before} keys unread. Raise its capacity, or wait.")

        retry(ask, _Busy, attempts=UNPROCESSED_TRIES)
        return found

    def _alive(self, found: Attributes | None) -> Item | None:
        if found is None:
            return None
        item = _item(found)
        expired = item.expires_at is not None and item.expires_at <= self._clock.now_ms()
        return None if expired else item


class _Busy(Throttled):
    """DynamoDB read none of the keys it was asked for."""


def _range(partition: str, start: str, end: str | None) -> Attributes:
    """A key condition, which may bound the sort key once only."""
    values: dict[str, Any] = {":p": {"S": partition}}
    if start:
        values[":start"] = {"S": start}
    if end is not None:
        values[":end"] = {"S": end}
    if start and end is not None:
        return {"condition": "p = :p AND s BETWEEN :start AND :end", "values": values}
    bound = " AND s >= :start" if start else " AND s < :end" if end is not None else ""
    return {"condition": f"p = :p{bound}", "values": values}


def _item(found: Attributes) -> Item:
    expires_at = found.get("e")
    return Item(
        found["p"]["S"],
        found["s"]["S"],
        bytes(found["v"]["B"]),
        found["r"]["S"],
        None if expires_at is None else int(expires_at["N"]),
    )


def _tried_again(error: ClientError) -> bool:
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))


def _key(partition: str, sort: str) -> Attributes:
    for part in (partition, sort):
        key_bytes(part)
    return {"p": {"S": partition}, "s": {"S": sort}}
