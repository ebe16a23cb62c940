"""Queues in one SQLite file, `queue.db`."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from adapters.common.limits import check_message
from adapters.local.store import Database
from shared.ports import Clock
from shared.stream import Message

SCHEMA: Final = (
    """CREATE TABLE messages(
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        body BLOB NOT NULL
    )""",
    "CREATE INDEX messages_due ON messages(queue, due_at)",
)


@dataclass(frozen=True, slots=True)
class Leased(Message):
    """A message in the hands of a receiver."""

    id: int


class LocalQueue:
    """`shared.ports.Queue`, and what a consumer receives by: a message not settled in time is delivered again."""

    def __init__(self, database: Database, name: str, clock: Clock) -> None:
        self._database = database
        self._name = name
        self._clock = clock

    def send(self, body: bytes, *, delay_seconds: int = 0) -> None:
        check_message(body)
        row = (self._name, self._clock.now_ms() + 1_000 * delay_seconds, body)
        self._database.write(
            lambda connection: connection.execute("INSERT INTO messages(queue, due_at, body) VALUES (?, ?, ?)", row)
        )

    def receive(self, limit: int = 10, lease_ms: int = 30_000) -> list[Leased]:
        """Due messages, kept from other receivers until the lease ends."""
        now = self._clock.now_ms()

        def work(connection: sqlite3.Connection) -> list[Leased]:
            rows = connection.execute(
                "SELECT body, attempts + 1, id FROM messages WHERE queue=? AND due_at<=? ORDER BY due_at, id LIMIT ?",
                (self._name, now, limit),
            ).fetchall()
            connection.executemany(
                "UPDATE messages SET due_at=?, attempts=attempts+1 WHERE id=?",
                [(now + lease_ms, row[2]) for row in rows],
            )
            return [Leased(*row) for row in rows]

        return self._database.write(work)

    def postpone(self, message: Leased, delay_ms: int) -> None:
        """The message comes again after the delay."""
        row = (self._clock.now_ms() + delay_ms, message.id)
        self._database.write(lambda connection: connection.execute("UPDATE messages SET due_at=? WHERE id=?", row))

    def settle(self, message: Leased) -> None:
        """The message is handled and never delivered again."""
        self._database.write(lambda connection: connection.execute("DELETE FROM messages WHERE id=?", (message.id,)))
