"""Streams as a partitioned log in one SQLite file, `stream.db`.

A record's row number holds its stream, partition and position, so the table itself is the only index.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Final

from adapters.common.envelope import refusal
from adapters.local.store import Database
from shared.ports import Clock
from shared.stream import NewRecord, Record

SCHEMA: Final = (
    # a log made anew starts its positions again; its epoch tells
    "CREATE TABLE logs(epoch TEXT NOT NULL)",
    "INSERT INTO logs VALUES (lower(hex(randomblob(8))))",
    "CREATE TABLE streams(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL)",
    """CREATE TABLE heads(
        stream INTEGER NOT NULL, partition INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY(stream, partition)
    ) WITHOUT ROWID""",
    """CREATE TABLE log(
        row INTEGER PRIMARY KEY,
        appended_at INTEGER NOT NULL,
        first_appended_at INTEGER NOT NULL,
        key TEXT NOT NULL,
        record_id BLOB NOT NULL,
        body BLOB NOT NULL
    )""",
)
PAGE_SIZE: Final = 8192
PARTITIONS: Final = 4
TRIM_ROWS: Final = 500
_POSITION_BITS: Final = 44
_PARTITION_BITS: Final = 12


@dataclass(frozen=True, slots=True)
class Heads:
    """Each partition's newest position, 0 where nothing was ever appended."""

    epoch: str
    positions: Mapping[str, int]


class LocalStream:
    """`shared.ports.Stream`, and what a consumer reads it by (`adapters.local.triggers.Log`).

    The number of partitions is fixed when the stream is first used.
    """

    def __init__(self, database: Database, name: str, clock: Clock, partitions: int = PARTITIONS) -> None:
        if not 1 <= partitions < 1 << _PARTITION_BITS:
            raise ValueError(f"partitions={partitions}; a stream has 1 to {(1 << _PARTITION_BITS) - 1}")
        self._database = database
        self._name = name
        self._clock = clock
        self._wanted = partitions
        self._identity: tuple[int, int] | None = None

    def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        results = [refusal(record) for record in records]
        good = [record for record, fault in zip(records, results, strict=True) if fault is None]
        if good:
            stream, partitions = self._known()
            placed = [(partition_of(record.key, partitions), record) for record in good]
            self._database.write(lambda connection: self._insert(connection, stream, placed))
        return results

    def heads(self) -> Heads:
        stream, partitions = self._known()

        def work(connection: sqlite3.Connection) -> Heads:
            (epoch,) = connection.execute("SELECT epoch FROM logs").fetchone()
            rows = dict(connection.execute("SELECT partition, position FROM heads WHERE stream=?", (stream,)))
            return Heads(epoch, {str(partition): rows.get(partition, 0) for partition in range(partitions)})

        return self._database.read(work)

    def read(self, partition: str, after: int, limit: int, max_bytes: int) -> list[Record]:
        """Up to `limit` records past a position, at least one where there is one, else up to `max_bytes`."""
        stream, _ = self._known()
        base = _row(stream, int(partition), 0)

        def work(connection: sqlite3.Connection) -> list[Record]:
            rows = connection.execute(
                "SELECT row, key, record_id, first_appended_at, body FROM log"
                " WHERE row>? AND row<? ORDER BY row LIMIT ?",
                (base + after, base + (1 << _POSITION_BITS), limit),
            )
            records: list[Record] = []
            size = 0
            for row, key, record_id, first_appended_at, body in rows:
                size += len(body)
                if records and size > max_bytes:
                    break
                records.append(Record(record_id, key, partition, row - base, first_appended_at, None, body))
            return records

        return self._database.read(work)

    def waiting_since(self, passed: Mapping[str, int]) -> int | None:
        """When the oldest record past these positions was appended, in ms since epoch; None when there is none."""
        stream, _ = self._known()
        bases = [(_row(stream, int(partition), 0), position) for partition, position in passed.items()]

        def work(connection: sqlite3.Connection) -> list[int]:
            rows = (
                connection.execute(
                    "SELECT appended_at FROM log WHERE row>? AND row<? ORDER BY row LIMIT 1",
                    (base + position, base + (1 << _POSITION_BITS)),
                ).fetchone()
                for base, position in bases
            )
            return [appended_at for (appended_at,) in filter(None, rows)]

        return min(self._database.read(work), default=None)

    def trim(self, passed: Mapping[str, int], before_ms: int) -> int:
        """Delete what every consumer has passed and what was appended before a time; how many records."""
        stream, _ = self._known()
        total = 0
        for partition, position in passed.items():
            base = _row(stream, int(partition), 0)
            work = partial(_trim_some, base=base, last=base + position, before_ms=before_ms)
            while (trimmed := self._database.write(work)) > 0:
                total += trimmed
        return total

    def _insert(self, connection: sqlite3.Connection, stream: int, placed: Sequence[tuple[int, NewRecord]]) -> None:
        heads = dict(connection.execute("SELECT partition, position FROM heads WHERE stream=?", (stream,)))
        now = self._clock.now_ms()
        rows = []
        for partition, record in placed:
            position = heads[partition] = heads.get(partition, 0) + 1
            first = now if record.first_appended_at is None else record.first_appended_at
            rows.append((_row(stream, partition, position), now, first, record.key, record.record_id, record.body))
        connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.executemany(
            "INSERT OR REPLACE INTO heads VALUES (?, ?, ?)",
            [(stream, partition, heads[partition]) for partition in {partition for partition, _ in placed}],
        )

    def _known(self) -> tuple[int, int]:
        """This stream's number and its partitions; it is entered on first use."""
        if self._identity is None:
            self._identity = self._database.read(self._find) or self._database.write(self._enter)
        return self._identity

    def _find(self, connection: sqlite3.Connection) -> tuple[int, int] | None:
        found: tuple[int, int] | None = connection.execute(
            "SELECT id, partitions FROM streams WHERE name=?", (self._name,)
        ).fetchone()
        return found

    def _enter(self, connection: sqlite3.Connection) -> tuple[int, int]:
        entered: tuple[int, int] = connection.execute(
            "INSERT INTO streams(name, partitions) VALUES (?, ?) ON CONFLICT DO UPDATE SET name=name"
            " RETURNING id, partitions",
            (self._name, self._wanted),
        ).fetchone()
        return entered


def partition_of(key: str, partitions: int) -> int:
    """Which partition a key's records land on."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little") % partitions


def _row(stream: int, partition: int, position: int) -> int:
    return (stream << _PARTITION_BITS | partition) << _POSITION_BITS | position


def _trim_some(connection: sqlite3.Connection, base: int, last: int, before_ms: int) -> int:
    (keep,) = connection.execute(
        "SELECT min(row) FROM (SELECT row, appended_at FROM log WHERE row>? AND row<=? ORDER BY row LIMIT ?)"
        " WHERE appended_at>=?",
        (base, last, TRIM_ROWS, before_ms),
    ).fetchone()
    bound = last + 1 if keep is None else keep
    return connection.execute(
        "DELETE FROM log WHERE row IN (SELECT row FROM log WHERE row>? AND row<? ORDER BY row LIMIT ?)",
        (base, bound, TRIM_ROWS),
    ).rowcount
