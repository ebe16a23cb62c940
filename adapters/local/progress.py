"""What consumers remember, in `consumers.db`: checkpoints, and parked records with their bytes.

The file is synced less often than the others: after a power cut it may be a little behind, all of it together, which
delivers some records again. A crash of the process loses nothing.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from adapters.local.store import Database
from adapters.local.triggers import Checkpoint, Parked
from shared.stream import Record

SYNCHRONOUS: Final = "NORMAL"
SCHEMA: Final = (
    """CREATE TABLE checkpoints(
        consumer TEXT NOT NULL,
        partition TEXT NOT NULL,
        epoch TEXT NOT NULL,
        position INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        batch INTEGER,
        PRIMARY KEY(consumer, partition)
    ) WITHOUT ROWID""",
    """CREATE TABLE parked(
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        consumer TEXT NOT NULL,
        due_at INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        record BLOB NOT NULL
    )""",
    "CREATE INDEX parked_due ON parked(consumer, due_at)",
)


class LocalProgress:
    """`adapters.local.triggers.Progress` for the consumers of one stream."""

    def __init__(self, database: Database, stream: str) -> None:
        self._database = database
        self._stream = stream

    def load(self, group: str) -> Mapping[str, Checkpoint]:
        def work(connection: sqlite3.Connection) -> dict[str, Checkpoint]:
            rows = connection.execute(
                "SELECT partition, epoch, position, attempts, batch FROM checkpoints WHERE consumer=?",
                (self._consumer(group),),
            )
            return {partition: Checkpoint(*rest) for partition, *rest in rows}

        return self._database.read(work)

    def save(self, group: str, partition: str, checkpoint: Checkpoint, park: Sequence[Parked] = ()) -> None:
        consumer = self._consumer(group)
        row = (consumer, partition, checkpoint.epoch, checkpoint.position, checkpoint.attempts, checkpoint.batch)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?)", row)
            connection.executemany(
                "INSERT INTO parked(consumer, due_at, attempt, record) VALUES (?, ?, ?, ?)",
                [(consumer, each.due_at, each.attempt, msgspec.msgpack.encode(each.record)) for each in park],
            )

        self._database.write(work)

    def due(self, group: str, now_ms: int, limit: int) -> Sequence[Parked]:
        def work(connection: sqlite3.Connection) -> list[Parked]:
            rows = connection.execute(
                "SELECT id, due_at, attempt, record FROM parked WHERE consumer=? AND due_at<=?"
                " ORDER BY due_at, id LIMIT ?",
                (self._consumer(group), now_ms, limit),
            )
            return [
                Parked(msgspec.msgpack.decode(record, type=Record), attempt, due_at, row)
                for row, due_at, attempt, record in rows
            ]

        return self._database.read(work)

    def unpark(self, group: str, gone: Sequence[Parked], later: Sequence[Parked]) -> None:
        consumer = self._consumer(group)

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "DELETE FROM parked WHERE consumer=? AND id=?", [(consumer, each.id) for each in gone]
            )
            connection.executemany(
                "UPDATE parked SET attempt=?, due_at=? WHERE consumer=? AND id=?",
                [(each.attempt, each.due_at, consumer, each.id) for each in later],
            )

        self._database.write(work)

    def parked(self, group: str) -> int:
        """How many records are parked."""

        def work(connection: sqlite3.Connection) -> int:
            (count,) = connection.execute(
                "SELECT count(*) FROM parked WHERE consumer=?", (self._consumer(group),)
            ).fetchone()
            return int(count)

        return self._database.read(work)

    def passed(self, groups: Iterable[str], epoch: str, partitions: Iterable[str]) -> dict[str, int]:
        """How far all of `groups` have come in each partition of a log; 0 where one has not begun."""
        known = [self.load(group) for group in groups]
        return {
            partition: min(
                (
                    one[partition].position if partition in one and one[partition].epoch == epoch else 0
                    for one in known
                ),
                default=0,
            )
            for partition in partitions
        }

    def _consumer(self, group: str) -> str:
        return f"{self._stream}/{group}"
