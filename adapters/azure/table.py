"""Tables in Azure Table storage.

adapters/azure/entities.py says how items are stored. The service does not know that an item has expired: reads leave
such items out, and a conditional write first looks at when its own version's item expires.

Table storage has no TTL and nothing like a batch get. adapters/azure/purging.py deletes what has expired. `batch_get`
reads several keys of one partition by one range query, as long as the range holds little else, and the others one by
one in parallel; a filter that lists keys would make the service walk the whole partition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from adapters.azure.entities import (
    EXPIRES,
    NONCE,
    Entity,
    entity_of,
    escaped,
    escaped_bound,
    etag_in,
    etag_of,
    expires_of,
    item_of,
    version_of,
)
from adapters.azure.errors import Resource, asked, code_of
from adapters.common.limits import check_batch, check_page
from shared.errors import VersionConflict
from shared.ports import ABSENT, Clock, Item, Key, Page

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError
    from azure.data.tables import TableClient

MAX_PAGE_BYTES: Final = 4 * 1024 * 1024
MAX_PAGE_ITEMS: Final = 1_000
"""Entities in one answer of the service."""
READS_AT_ONCE: Final = 16
RANGE_KEYS: Final = 3
"""So many keys of one partition are worth a range query ..."""
RANGE_SLACK: Final = 2
"""... of so many times as many items. What lies past them is read one by one."""


class AzureTable:
    """`shared.ports.Table`. The service's reads are consistent; threads may share one."""

    def __init__(self, client: Callable[[], TableClient], resource: Resource, clock: Clock) -> None:
        self._client = client
        self._resource = resource
        self._clock = clock

    def get(self, partition: str, sort: str) -> Item | None:
        return self._alive(asked(self._resource, partial(self._read, escaped(partition), escaped(sort))))

    def batch_get(self, keys: Sequence[Key]) -> dict[Key, Item]:
        check_batch(keys)
        wanted: dict[str, list[str]] = {}
        for partition, sort in sorted({(escaped(partition), escaped(sort)) for partition, sort in keys}):
            wanted.setdefault(partition, []).append(sort)
        with ThreadPoolExecutor(READS_AT_ONCE) as threads:
            groups = list(threads.map(lambda group: self._together(*group), wanted.items()))
            left = [(partition, sort) for partition, (_, sorts) in zip(wanted, groups, strict=True) for sort in sorts]
            singles = list(threads.map(lambda key: asked(self._resource, partial(self._read, *key)), left))
        found = [self._alive(entity) for entity in [*(each for group, _ in groups for each in group), *singles]]
        return {(item.partition, item.sort): item for item in found if item is not None}

    def put(
        self,
        partition: str,
        sort: str,
        value: bytes,
        *,
        if_version: str | None = None,
        expires_at: int | None = None,
    ) -> str:
        entity = entity_of(partition, sort, value, expires_at)
        if if_version is None:
            metadata = asked(self._resource, partial(self._upsert, entity))
        elif if_version == ABSENT:
            metadata = self._surely(partial(self._create, entity), partial(self._written, entity))
        else:
            replace = partial(self._replace, entity, self._etag(if_version))
            metadata = self._surely(replace, partial(self._written, entity))
        return version_of(entity, metadata["etag"])

    def delete(self, partition: str, sort: str, *, if_version: str | None = None) -> None:
        key = escaped(partition), escaped(sort)
        if if_version == ABSENT:
            if self.get(partition, sort) is not None:
                raise self._conflict()
        elif if_version is None:
            asked(self._resource, lambda: self._client().delete_entity(*key))
        else:
            self._surely(
                partial(self._remove, *key, self._etag(if_version)), lambda: None if self._read(*key) else {}
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
        terms = [
            f"PartitionKey eq '{escaped(partition)}'",
            f"RowKey ge '{escaped_bound(start)}'" if cursor is None else f"RowKey gt '{escaped_bound(cursor)}'",
            f"{EXPIRES} gt {self._clock.now_ms()}L",
        ]
        if end is not None:
            terms.append(f"RowKey lt '{escaped_bound(end)}'")
        return asked(self._resource, partial(self._page, " and ".join(terms), limit))

    def _together(self, partition: str, sorts: list[str]) -> tuple[list[Entity], list[str]]:
        """Entities of one partition by one request, and the keys (of those asked for, in order) that it left out."""
        if len(sorts) < RANGE_KEYS:
            return [], sorts
        condition = f"PartitionKey eq '{partition}' and RowKey ge '{sorts[0]}' and RowKey le '{sorts[-1]}'"
        size = min(RANGE_SLACK * len(sorts), MAX_PAGE_ITEMS)

        def first_page() -> tuple[list[Entity], bool]:
            pages: Any = self._client().query_entities(condition, results_per_page=size).by_page()
            return list(next(pages, ())), pages.continuation_token is not None

        entities, more = asked(self._resource, first_page)
        reached = entities[-1]["RowKey"] if entities and more else ""
        asked_for = set(sorts)
        return (
            [entity for entity in entities if entity["RowKey"] in asked_for],
            [sort for sort in sorts if sort > reached] if more else [],
        )

    def _page(self, condition: str, limit: int) -> Page:
        """One item more than asked for tells whether there is a next page."""
        items: list[Item] = []
        size = 0
        for entity in self._client().query_entities(condition, results_per_page=min(limit + 1, MAX_PAGE_ITEMS)):
            if len(items) == limit or size > MAX_PAGE_BYTES:
                return Page(items, items[-1].sort)
            items.append(item_of(entity))
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

    def _surely(self, write: Callable[[], Entity], done: Callable[[], Entity | None]) -> Entity:
        """A conditional write. A try whose answer was lost may have done it, and the next conflicts with that."""
        tries = 0

        def once() -> Entity:
            nonlocal tries
            tries += 1
            try:
                return write()
            except VersionConflict:
                ours = done() if tries > 1 else None
                if ours is None:
                    raise
                return ours

        return asked(self._resource, once)

    def _written(self, entity: Entity) -> Entity | None:
        """What the service tells of this very write, if what is there now is of it."""
        there = self._read(entity["PartitionKey"], entity["RowKey"])
        if there is None or there.get(NONCE) != entity[NONCE]:
            return None
        return {"etag": etag_of(there)}

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
        return self._replace(entity, etag_of(there))

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

    def _remove(self, partition: str, sort: str, etag: str) -> Entity:
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
        return {}

    def _alive(self, entity: Entity | None) -> Item | None:
        if entity is None or expires_of(entity) <= self._clock.now_ms():
            return None
        return item_of(entity)

    def _etag(self, version: str) -> str:
        """Raises VersionConflict where no item can have this version."""
        etag = etag_in(version, self._clock.now_ms())
        if etag is None:
            raise self._conflict()
        return etag

    def _conflict(self) -> VersionConflict:
        return VersionConflict(f"{self._resource.what}: another version of the item is there")


def _table_is_missing(error: HttpResponseError) -> bool:
    """Rather than one entity."""
    return code_of(error) == "TableNotFound"
