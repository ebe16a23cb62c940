"""Tables in Azure Table storage.

Partition and sort keys are the hex digits of their UTF-8 bytes: no character is refused that way, their order is that
of the bytes under any collation, and 256 bytes fill the 512 characters (1 KiB) that a key may have. An entity holds
`e`, when it expires (ms since epoch, `NEVER` for never), and the value in Binary properties `v0`, `v1`, … of 64 KiB.

A version is the entity's ETag, which is the service's time of the write to 100 ns and so differs after a delete too,
and `e`: the service does not know that an item has expired, so a conditional write looks at its own version first.

Table storage has no TTL and nothing like a batch get. adapters/azure/purging.py deletes what has expired; `batch_get`
is point reads in parallel, since a filter of many keys makes the service walk the whole partition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from adapters.azure.errors import Resource, asked, code_of
from shared.errors import VersionConflict
from shared.ports import ABSENT, MAX_BATCH_GET, MAX_KEY_BYTES, MAX_VALUE_BYTES, Clock, Item, Key, Page

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError
    from azure.data.tables import TableClient

NEVER: Final = (1 << 63) - 1
EXPIRES: Final = "e"
MAX_PROPERTY_BYTES: Final = 64 * 1024
MAX_PAGE_BYTES: Final = 4 * 1024 * 1024
MAX_PAGE_ITEMS: Final = 1_000
"""Entities in one answer of the service."""
READS_AT_ONCE: Final = 16
ETAG_START: Final = 'W/"'

Entity = Mapping[str, Any]


class AzureTable:
    """`shared.ports.Table`. The service's reads are consistent; threads may share one."""

    def __init__(self, client: Callable[[], TableClient], resource: Resource, clock: Clock) -> None:
        self._client = client
        self._resource = resource
        self._clock = clock

    def get(self, partition: str, sort: str) -> Item | None:
        return self._alive(asked(self._resource, partial(self._read, escaped(partition), escaped(sort))))

    def batch_get(self, keys: Sequence[Key]) -> dict[Key, Item]:
        if len(keys) > MAX_BATCH_GET:
            raise ValueError(f"{len(keys)} keys; batch_get takes at most {MAX_BATCH_GET}")
        wanted = list(dict.fromkeys(keys))
        if len(wanted) <= 1:
            items = [self.get(*key) for key in wanted]
        else:
            with ThreadPoolExecutor(min(len(wanted), READS_AT_ONCE)) as threads:
                items = list(threads.map(lambda key: self.get(*key), wanted))
        return {(item.partition, item.sort): item for item in items if item is not None}

    def put(
        self,
        partition: str,
        sort: str,
        value: bytes,
        *,
        if_version: str | None = None,
        expires_at: int | None = None,
    ) -> str:
        entity = _entity(partition, sort, value, expires_at)
        if if_version is None:
            metadata = asked(self._resource, partial(self._upsert, entity))
        elif if_version == ABSENT:
            metadata = asked(self._resource, partial(self._create, entity))
        else:
            metadata = asked(self._resource, partial(self._replace, entity, self._etag(if_version)))
        return _version(metadata["etag"], entity[EXPIRES][0])

    def delete(self, partition: str, sort: str, *, if_version: str | None = None) -> None:
        key = escaped(partition), escaped(sort)
        if if_version == ABSENT:
            if self.get(partition, sort) is not None:
                raise self._conflict()
        elif if_version is None:
            asked(self._resource, lambda: self._client().delete_entity(*key))
        else:
            asked(self._resource, partial(self._remove, *key, self._etag(if_version)))

    def query(
        self,
        partition: str,
        *,
        start: str = "",
        end: str | None = None,
        limit: int = 1_000,
        cursor: str | None = None,
    ) -> Page:
        if limit < 1:
            raise ValueError(f"limit={limit}; a page has at least one item")
        terms = [
            f"PartitionKey eq '{escaped(partition)}'",
            f"RowKey ge '{_hex(start)}'" if cursor is None else f"RowKey gt '{_hex(cursor)}'",
            f"{EXPIRES} gt {self._clock.now_ms()}L",
        ]
        if end is not None:
            terms.append(f"RowKey lt '{_hex(end)}'")
        return asked(self._resource, partial(self._page, " and ".join(terms), limit))

    def _page(self, condition: str, limit: int) -> Page:
        """One item more than asked for tells whether there is a next page."""
        items: list[Item] = []
        size = 0
        for entity in self._client().query_entities(condition, results_per_page=min(limit + 1, MAX_PAGE_ITEMS)):
            if len(items) == limit or size > MAX_PAGE_BYTES:
                return Page(items, items[-1].sort)
            items.append(_item(entity))
            size += len(items[-1].value)
        return Page(items, None)

    def _read(self, partition: str, sort: str) -> Entity | None:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return self._client().get_entity(partition, sort)
        except ResourceNotFoundError as error:
            if _table_is_missing(error):
                raise
            return None

    def _upsert(self, entity: Entity) -> Entity:
        from azure.data.tables import UpdateMode

        return self._client().upsert_entity(entity, mode=UpdateMode.REPLACE)

    def _create(self, entity: Entity) -> Entity:
        from azure.core.exceptions import ResourceExistsError

        try:
            return self._client().create_entity(entity)
        except ResourceExistsError:
            there = self._read(entity["PartitionKey"], entity["RowKey"])
        if there is None or self._alive(there) is not None:
            raise self._conflict()
        return self._replace(entity, _etag_of(there))

    def _replace(self, entity: Entity, etag: str) -> Entity:
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
        from azure.data.tables import UpdateMode

        try:
            return self._client().update_entity(
                entity, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
            )
        except ResourceModifiedError:
            raise self._conflict() from None
        except ResourceNotFoundError as error:
            if _table_is_missing(error):
                raise
            raise self._conflict() from None

    def _remove(self, partition: str, sort: str, etag: str) -> None:
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceModifiedError

        answers: list[int] = []
        try:
            self._client().delete_entity(
                partition,
                sort,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
                raw_response_hook=lambda response: answers.append(response.http_response.status_code),
            )
        except ResourceModifiedError:
            raise self._conflict() from None
        if answers[-1:] == [404]:  # the SDK is silent about it
            raise self._conflict()

    def _alive(self, entity: Entity | None) -> Item | None:
        if entity is None or _expires(entity) <= self._clock.now_ms():
            return None
        return _item(entity)

    def _etag(self, version: str) -> str:
        """The ETag inside a version. Raises VersionConflict when the version's item has expired, or never was."""
        expires, _, etag = version.partition(":")
        if not (etag.startswith(ETAG_START) and expires.isdigit()) or int(expires) <= self._clock.now_ms():
            raise self._conflict()
        return etag

    def _conflict(self) -> VersionConflict:
        return VersionConflict(f"{self._resource.what}: another version of the item is there")


def escaped(key: str) -> str:
    """A key as the service may have it. Raises ValueError past the limits."""
    encoded = key.encode()
    if not 1 <= len(encoded) <= MAX_KEY_BYTES:
        raise ValueError(f"a key has 1 to {MAX_KEY_BYTES} bytes in UTF-8, this one {len(encoded)}")
    return encoded.hex()


def expired_before(now_ms: int) -> str:
    """The filter for what may be deleted."""
    return f"{EXPIRES} le {now_ms}L"


def _hex(bound: str) -> str:
    """An end of a range, which may be empty or longer than a key."""
    return bound.encode()[: MAX_KEY_BYTES + 1].hex()


def _unescaped(key: str) -> str:
    return bytes.fromhex(key).decode()


def _entity(partition: str, sort: str, value: bytes, expires_at: int | None) -> dict[str, Any]:
    if len(value) > MAX_VALUE_BYTES:
        raise ValueError(f"a value has at most {MAX_VALUE_BYTES} bytes, this one {len(value)}")
    pieces = (value[at : at + MAX_PROPERTY_BYTES] for at in range(0, len(value), MAX_PROPERTY_BYTES))
    return {
        "PartitionKey": escaped(partition),
        "RowKey": escaped(sort),
        EXPIRES: (NEVER if expires_at is None else max(expires_at, 0), "Edm.Int64"),
        **{f"v{number}": piece for number, piece in enumerate(pieces)},
    }


def _item(entity: Entity) -> Item:
    pieces: list[bytes] = []
    while (piece := entity.get(f"v{len(pieces)}")) is not None:
        pieces.append(piece)
    expires = _expires(entity)
    return Item(
        _unescaped(entity["PartitionKey"]),
        _unescaped(entity["RowKey"]),
        b"".join(pieces),
        _version(_etag_of(entity), expires),
        None if expires == NEVER else expires,
    )


def _expires(entity: Entity) -> int:
    return int(entity[EXPIRES][0])


def _etag_of(entity: Entity) -> str:
    etag: str = entity.metadata["etag"]  # type: ignore[attr-defined]
    return etag


def _version(etag: str, expires: int) -> str:
    return f"{expires}:{etag}"


def _table_is_missing(error: HttpResponseError) -> bool:
    """Rather than one entity."""
    return code_of(error) == "TableNotFound"
