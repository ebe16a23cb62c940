"""Tables in one SQLite file, `tables.db`."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.common.limits import check_batch, check_page, check_value, key_bytes
from adapters.local.store import Database
from shared.errors import VersionConflict
from shared.ports import ABSENT, Clock, Item, Key, Page

SCHEMA: Final = (
    # AUTOINCREMENT never hands out a number twice, not even after deletes: it is the version
    """CREATE TABLE items(
        version INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        partition BLOB NOT NULL,
        sort BLOB NOT NULL,
        expires_at INTEGER,
        value BLOB NOT NULL
    )""",
    "CREATE UNIQUE INDEX items_key ON items(name, partition, sort)",
    "CREATE INDEX items_expiry ON items(expires_at) WHERE expires_at IS NOT NULL",
)
MAX_PAGE_BYTES: Final = 4 * 1024 * 1024
PURGE_ROWS: Final = 500

_GET: Final = "SELECT version, expires_at, value FROM items WHERE name=? AND partition=? AND sort=?"
_FIND: Final = "SELECT version, expires_at FROM items WHERE name=? AND partition=? AND sort=?"
_PUT: Final = "INSERT OR REPLACE INTO items(name, partition, sort, expires_at, value) VALUES (?, ?, ?, ?, ?)"
_DELETE: Final = "DELETE FROM items WHERE name=? AND partition=? AND sort=?"
_RANGE: Final = """SELECT sort, version, expires_at, value FROM items
    WHERE name=:name AND partition=:partition AND sort>=:start AND (:end IS NULL OR sort<:end)
    AND (:cursor IS NULL OR sort>:cursor) AND (expires_at IS NULL OR expires_at>:now) ORDER BY sort"""

RawKey = tuple[str, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Put:
    """One write of `LocalTable.put_many`, as `Table.put` takes it."""

    partition: str
    sort: str
    value: bytes
    if_version: str | None = None
    expires_at: int | None = None


class LocalTable:
    """`shared.ports.Table`, one of many in the same file."""

    def __init__(self, database: Database, name: str, clock: Clock) -> None:
        self._database = database
        self._name = name
        self._clock = clock

    def get(self, partition: str, sort: str) -> Item | None:
        return self.batch_get([(partition, sort)]).get((partition, sort))

    def batch_get(self, keys: Sequence[Key]) -> dict[Key, Item]:
        check_batch(keys)
        raw = [(key, self._key(*key)) for key in keys]

        def work(connection: sqlite3.Connection) -> dict[Key, Item]:
            found: dict[Key, Item] = {}
            now = self._clock.now_ms()
            for (partition, sort), raw_key in raw:
                row = connection.execute(_GET, raw_key).fetchone()
                if row is not None and not _expired(row[1], now):
                    found[partition, sort] = Item(partition, sort, row[2], str(row[0]), row[1])
            return found

        return self._database.read(work)

    def put(
        self,
        partition: str,
        sort: str,
        value: bytes,
        *,
        if_version: str | None = None,
        expires_at: int | None = None,
    ) -> str:
        (version,) = self.put_many([Put(partition, sort, value, if_version, expires_at)])
        if version is None:
            raise VersionConflict(f"{self._name}: another version of ({partition!r}, {sort!r}) is there")
        return version

    def put_many(self, puts: Sequence[Put]) -> list[str | None]:
        """Many writes in one commit, each on its own condition: its new version, or None for a conflict."""
        for put in puts:
            check_value(put.value)
        raw = [(put, self._key(put.partition, put.sort), put.value) for put in puts]

        def work(connection: sqlite3.Connection) -> list[str | None]:
            versions: list[str | None] = []
            for put, key, value in raw:
                if self._version_holds(connection, key, put.if_version):
                    versions.append(str(connection.execute(_PUT, (*key, put.expires_at, value)).lastrowid))
                else:
                    versions.append(None)
            return versions

        return self._database.write(work)

    def delete(self, partition: str, sort: str, *, if_version: str | None = None) -> None:
        key = self._key(partition, sort)

        def work(connection: sqlite3.Connection) -> None:
            if not self._version_holds(connection, key, if_version):
                raise VersionConflict(f"{self._name}: another version of ({partition!r}, {sort!r}) is there")
            connection.execute(_DELETE, key)

        self._database.write(work)

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
        parameters = {
            "name": self._name,
            "partition": key_bytes(partition),
            "start": start.encode(),
            "end": None if end is None else end.encode(),
            "cursor": None if cursor is None else cursor.encode(),
        }

        def work(connection: sqlite3.Connection) -> Page:
            rows = connection.execute(_RANGE, {**parameters, "now": self._clock.now_ms()})
            return _page(partition, rows, limit)

        return self._database.read(work)

    def _key(self, partition: str, sort: str) -> RawKey:
        return self._name, key_bytes(partition), key_bytes(sort)

    def _version_holds(self, connection: sqlite3.Connection, key: RawKey, if_version: str | None) -> bool:
        if if_version is None:
            return True
        row = connection.execute(_FIND, key).fetchone()
        current = ABSENT if row is None or _expired(row[1], self._clock.now_ms()) else str(row[0])
        return current == if_version


def purge(database: Database, now_ms: int) -> int:
    """Delete what has expired, a little at a time so that writers need not wait; how many items."""
    total = 0
    while True:
        purged = database.write(lambda connection: _purge_some(connection, now_ms))
        total += purged
        if purged < PURGE_ROWS:
            return total


def _purge_some(connection: sqlite3.Connection, now_ms: int) -> int:
    return connection.execute(
        "DELETE FROM items WHERE version IN (SELECT version FROM items WHERE expires_at<=? LIMIT ?)",
        (now_ms, PURGE_ROWS),
    ).rowcount


def _page(partition: str, rows: Iterable[tuple[bytes, int, int | None, bytes]], limit: int) -> Page:
    items: list[Item] = []
    size = 0
    for raw_sort, version, expires_at, value in rows:
        if len(items) == limit or size > MAX_PAGE_BYTES:
            return Page(items, items[-1].sort)
        items.append(Item(partition, raw_sort.decode(), value, str(version), expires_at))
        size += len(value)
    return Page(items, None)


def _expired(expires_at: int | None, now_ms: int) -> bool:
    return expires_at is not None and expires_at <= now_ms
