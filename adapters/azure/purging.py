"""Deleting what has expired, since Table storage has no TTL of its own.

A table is walked about once a day by a filter on when items expire, for keys alone. An index of expiries would find
them faster, but costs a second write for many a first one on the hot path; a walk disturbs nobody. When its time is
up, the next one goes on from there: where that is, and when a walk ended, stands in an entity of the table whose key
no item can have.

A crash at any point repeats some of the walk. An item that was written anew meanwhile has another ETag, and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from adapters.azure.entities import EXPIRES, Entity, etag_of
from adapters.azure.errors import Resource, asked
from functions.manifest import FUNCTIONS, Function
from shared.ports import Clock
from shared.stream import Deadline

if TYPE_CHECKING:
    from azure.data.tables import TableClient

REST_MS: Final = 20 * 3_600_000
"""Between the end of one walk and the beginning of the next."""
MARGIN_MS: Final = 10_000
"""So long before the deadline no further page is asked for."""
DELETES_AT_ONCE: Final = 16
PAGE: Final = 1_000
BOOKMARK: Final = {"PartitionKey": "purge", "RowKey": "bookmark"}
"""No hex digits."""
Token = dict[str, str | None]
"""Where a page ends, as the SDK has it."""

_KEYS: Final = ["PartitionKey", "RowKey", EXPIRES]


def purged_by(function: Function) -> tuple[str, ...]:
    """The tables that this function's deployment walks: those which no earlier function of the manifest writes."""
    earlier = FUNCTIONS[: FUNCTIONS.index(function)]
    taken = {resource for each in earlier for resource in each.hosted_writes}
    ours = (resource.partition(":") for resource in sorted(function.hosted_writes - taken))
    return tuple(name for kind, _, name in ours if kind == "table")


@dataclass(frozen=True)
class Purge:
    """The walk of one table."""

    client: Callable[[], TableClient]
    resource: Resource
    clock: Clock

    def run(self, deadline: Deadline) -> int:
        """Delete what has expired, if a walk is due; how many items. Raises Unavailable, Misconfigured."""
        bookmark = asked(self.resource, self._bookmark)
        now = self.clock.now_ms()
        if bookmark is not None and "ended" in bookmark and now < int(bookmark["ended"]) + REST_MS:
            return 0
        token = None if bookmark is None or "ended" in bookmark else _token(bookmark)
        purged = 0
        with ThreadPoolExecutor(DELETES_AT_ONCE) as threads:
            while deadline.remaining_ms() > MARGIN_MS:
                expired, token = asked(self.resource, partial(self._page, now, token))
                purged += sum(threads.map(self._delete, expired))
                if token is None:
                    self._mark({"ended": str(now)})
                    break
                self._mark({"partition": token["PartitionKey"], "row": token["RowKey"] or ""})
        return purged

    def _page(self, now: int, token: Token | None) -> tuple[Sequence[Entity], Token | None]:
        found: Any = self.client().query_entities(f"{EXPIRES} le {now}L", select=_KEYS, results_per_page=PAGE)
        pages = found.by_page(token)
        return list(next(pages, ())), pages.continuation_token

    def _delete(self, entity: Entity) -> bool:
        """Whether it was this call that deleted it."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceModifiedError

        def delete() -> bool:
            try:
                self.client().delete_entity(
                    entity["PartitionKey"],
                    entity["RowKey"],
                    etag=etag_of(entity),
                    match_condition=MatchConditions.IfNotModified,
                )
            except ResourceModifiedError:
                return False
            return True

        return asked(self.resource, delete)

    def _bookmark(self) -> Entity | None:
        pages: Any = self.client().query_entities(
            f"PartitionKey eq '{BOOKMARK['PartitionKey']}' and RowKey eq '{BOOKMARK['RowKey']}'"
        )
        return next(iter(pages), None)

    def _mark(self, where: dict[str, Any]) -> None:
        from azure.data.tables import UpdateMode

        asked(self.resource, lambda: self.client().upsert_entity({**BOOKMARK, **where}, mode=UpdateMode.REPLACE))


def _token(bookmark: Entity) -> Token:
    return {"PartitionKey": bookmark["partition"], "RowKey": bookmark["row"] or None}
