"""Tables in Firestore: an item is a document (adapters/gcp/documents.py), its update time the version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from adapters.common.backoff import retry
from adapters.common.limits import check_batch, check_page, check_value
from adapters.gcp.documents import (
    BEHIND,
    Version,
    fill,
    id_of,
    is_conflict,
    item_of,
    micros,
    nonce_of,
    prefix_of,
    sort_of,
    version_of,
)
from adapters.gcp.errors import about
from adapters.gcp.firestore import Firestore
from shared.errors import Throttled, Unavailable, VersionConflict
from shared.ports import ABSENT, Clock, Item, Key, Page

GET_DOCUMENTS: Final = 250
MAX_PAGE_BYTES: Final = 4 * 1024 * 1024
ABSENT_TRIES: Final = 5


class _Conflict(VersionConflict):
    """A write's condition did not hold. `unsure`: an earlier try of it, whose answer was lost, may have been why."""

    def __init__(self, message: str, *, unsure: bool) -> None:
        super().__init__(message)
        self.unsure = unsure


class GcpTable:
    """`shared.ports.Table`."""

    def __init__(self, firestore: Callable[[], Firestore], name: str, clock: Clock) -> None:
        self._firestore = firestore
        self._name = name
        self._clock = clock
        self._told = f"the table {name}"

    def get(self, partition: str, sort: str) -> Item | None:
        return self.batch_get([(partition, sort)]).get((partition, sort))

    def batch_get(self, keys: Sequence[Key]) -> dict[Key, Item]:
        check_batch(keys)
        root = self._root()
        wanted = {root + id_of(*key): key for key in keys}
        names = list(wanted)
        found: dict[str, Any] = {}
        for start in range(0, len(names), GET_DOCUMENTS):
            found |= self._read(names[start : start + GET_DOCUMENTS])
        now = self._clock.now_ms()
        items = {wanted[name]: item_of(*wanted[name], document) for name, document in found.items()}
        return {key: item for key, item in items.items() if item.expires_at is None or item.expires_at > now}

    def put(
        self,
        partition: str,
        sort: str,
        value: bytes,
        *,
        if_version: str | None = None,
        expires_at: int | None = None,
    ) -> str:
        check_value(value)
        write = self._new_write()
        write.update.name = self._root() + id_of(partition, sort)
        fill(write.update.fields, value, expires_at)
        updated = self._put_absent(write) if if_version == ABSENT else self._put(write, if_version)
        return str(Version(updated, expires_at))

    def delete(self, partition: str, sort: str, *, if_version: str | None = None) -> None:
        name = self._root() + id_of(partition, sort)
        if if_version == ABSENT:
            if self.get(partition, sort) is not None:
                raise VersionConflict(f"{self._name}: an item is at {(partition, sort)!r}")
            return
        write = self._new_write()
        write.delete = name
        try:
            self._commit(write, self._expected(if_version))
        except _Conflict as conflict:
            if not conflict.unsure or self._read([name]):
                raise

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
        root = self._root() + prefix_of(partition)
        if end is not None and end.encode() <= start.encode():
            return Page([], None)
        low = ("GREATER_THAN_OR_EQUAL", root + start.encode().hex())
        if cursor is not None and cursor.encode() >= start.encode():
            low = ("GREATER_THAN", root + cursor.encode().hex())
        high = ("LESS_THAN", root + (BEHIND if end is None else end.encode().hex()))
        return self._page(partition, low, high, limit)

    def _page(self, partition: str, low: tuple[str, str], high: tuple[str, str], limit: int) -> Page:
        """One page, of as many queries as it takes: what has expired is still there until Firestore deletes it."""
        items: list[Item] = []
        size = 0
        while True:
            asked = limit - len(items)
            documents, cut = self._run(low, high, asked, MAX_PAGE_BYTES - size)
            now = self._clock.now_ms()
            for document in documents:
                item = item_of(partition, sort_of(document.name), document)
                if item.expires_at is None or item.expires_at > now:
                    items.append(item)
                    size += len(item.value)
            if len(documents) < asked and not cut:
                return Page(items, None)
            if len(items) == limit or (items and size >= MAX_PAGE_BYTES):
                return Page(items, sort_of(documents[-1].name))
            low = ("GREATER_THAN", documents[-1].name)

    def _run(self, low: tuple[str, str], high: tuple[str, str], limit: int, max_bytes: int) -> tuple[list[Any], bool]:
        """Up to `limit` documents of a range, and whether they were cut off after so many bytes."""

        def once() -> tuple[list[Any], bool]:
            found: list[Any] = []
            size = 0
            with about(self._told):
                for document in self._firestore().query(self._name, (low, high), limit):
                    found.append(document)
                    size += len(document.fields["value"].bytes_value)
                    if size >= max_bytes:
                        return found, True
            return found, False

        return retry(once, Unavailable)

    def _read(self, names: Sequence[str]) -> dict[str, Any]:
        """The documents that are there, expired ones too. What a broken answer left out is asked for again."""
        found: dict[str, Any] = {}
        left = dict.fromkeys(names)

        def once() -> None:
            with about(self._told):
                for name, document in self._firestore().get(list(left)):
                    left.pop(name, None)
                    if document is not None:
                        found[name] = document

        retry(once, Unavailable)
        return found

    def _put(self, write: Any, if_version: str | None) -> int:
        """Write under a version, or always; when it was written."""
        try:
            return self._commit(write, self._expected(if_version))
        except _Conflict as conflict:
            ours = self._ours(write) if conflict.unsure else None
            if ours is None:
                raise
            return ours

    def _put_absent(self, write: Any) -> int:
        """Write where nothing is:

        1. Write on condition that there is no document; that is nearly always all.
        2. Otherwise read it. It may be this very write, whose answer was lost.
        3. Where it has expired, write on condition that it is still the same; where it has gone since, begin again.
        """
        message = ""
        for _ in range(ABSENT_TRIES):
            write.current_document.exists = False
            try:
                return self._commit(write, None)
            except _Conflict as conflict:
                message = str(conflict)
                there = self._read([write.update.name]).get(write.update.name)
                if there is None:
                    continue
                if nonce_of(there) == nonce_of(write.update):
                    return micros(there.update_time)
                if not version_of(there).expired(self._clock.now_ms()):
                    raise
            try:
                return self._put(write, str(Version(micros(there.update_time), None)))
            except VersionConflict:
                continue
        raise VersionConflict(message)

    def _ours(self, write: Any) -> int | None:
        """When this very write was done, if what is there now is of it."""
        there = self._read([write.update.name]).get(write.update.name)
        return micros(there.update_time) if there is not None and nonce_of(there) == nonce_of(write.update) else None

    def _expected(self, if_version: str | None) -> Version | None:
        """The version that a write expects. Raises VersionConflict where none that can be there is so called."""
        if if_version is None:
            return None
        version = Version.parse(if_version)
        if version is None or version.expired(self._clock.now_ms()):
            raise VersionConflict(f"{self._name}: another version than {if_version!r} is there, or none")
        return version

    def _commit(self, write: Any, expected: Version | None) -> int:
        """One write in one commit; when it was done. Raises _Conflict, Unavailable, Misconfigured."""
        from grpc import RpcError, StatusCode

        if expected is not None:
            write.current_document.update_time.FromMicroseconds(expected.updated)
        conditional = write.HasField("current_document")
        unsure = False
        code: StatusCode | None = None

        def once() -> int:
            nonlocal unsure, code
            with about(self._told):
                try:
                    return micros(self._firestore().commit(write).update_time)
                except RpcError as error:
                    answer: Any = error
                    code = answer.code()
                    if conditional and is_conflict(code, str(answer.details())):
                        message = f"{self._name}: another version of {write.update.name or write.delete} is there"
                        raise _Conflict(message, unsure=unsure) from None
                    unsure = unsure or code not in (StatusCode.RESOURCE_EXHAUSTED, StatusCode.ABORTED)
                    raise

        try:
            return retry(once, Unavailable)
        except Throttled:
            if conditional and code is StatusCode.ABORTED:
                raise _Conflict(
                    f"{self._name}: others write {write.update.name} all the time", unsure=unsure
                ) from None
            raise

    def _root(self) -> str:
        return self._firestore().collection(self._name)

    def _new_write(self) -> Any:
        return self._firestore().new_write()
