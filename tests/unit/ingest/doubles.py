"""Ports that ingest's tests hand over: all in memory, with a clock that stands still."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from events.columns import Columns, read
from lab.memory import MemoryClock, MemoryTable
from shared.ports import Item, Key, Ports
from shared.stream import NewRecord
from tests.builders import KICK_OFF

NOW = KICK_OFF + 600_000


class Cabinet(MemoryTable):
    """A table; `reads` counts the calls that read an item or a batch."""

    def __init__(self) -> None:
        super().__init__(MemoryClock(NOW))
        self.reads = 0

    def get(self, partition: str, sort: str) -> Item | None:
        self.reads += 1
        return super().get(partition, sort)

    def batch_get(self, keys: Sequence[Key]) -> dict[Key, Item]:
        before = self.reads
        found = super().batch_get(keys)
        self.reads = before + 1
        return found


@dataclass
class Shelf:
    """A stream that keeps what it takes. `refuse` names why it does not take a record, if it does not."""

    records: list[NewRecord] = field(default_factory=list)
    refuse: Callable[[NewRecord], str | None] = lambda record: None
    appends: int = 0

    def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        self.appends += 1
        answers = [self.refuse(record) for record in records]
        self.records += [record for record, why in zip(records, answers, strict=True) if why is None]
        return answers

    def columns(self) -> list[Columns]:
        return [read(record.body) for record in self.records]


class Drawer:
    """Secrets."""

    def __init__(self, *keys: tuple[str, int, str]) -> None:
        named = keys or (("k1", 0, "11" * 32),)
        self.keys = json.dumps(
            [{"id": each, "from_ms": start, "key_hex": key} for each, start, key in named]
        ).encode()

    def get(self, name: str) -> bytes:
        return self.keys if name == "pseudonym-keys" else b'{"web": "k"}'


@dataclass
class Desk:
    """Everything at hand, as `ports`."""

    clock: MemoryClock = field(default_factory=lambda: MemoryClock(NOW))
    stream: Shelf = field(default_factory=Shelf)
    secrets: Drawer = field(default_factory=Drawer)
    tables: dict[str, Cabinet] = field(default_factory=dict)

    def table(self, name: str) -> Cabinet:
        return self.tables.setdefault(name, Cabinet())

    @property
    def ports(self) -> Ports:
        return Ports(
            clock=self.clock,
            secrets=self.secrets,
            stream=lambda name: self.stream,
            table=self.table,
            objects=unused,
            queue=unused,
            mailer=unused,
            warehouse=unused,
            history_uri=unused,
        )


def unused(*_: object) -> Any:
    raise AssertionError("ingest has no business there")


def told(count: int = 1, **fields: Any) -> list[dict[str, Any]]:
    """Heartbeats as a player would write them, one a second from kick-off on."""
    common = {"event_type": "heartbeat", "content_id": "match", "viewer_id": "ada", "session_id": "ada-tv"}
    return [
        {**common, "event_id": f"e{i}", "event_timestamp": KICK_OFF + i * 1_000, "watched_ms": 1_000, **fields}
        for i in range(count)
    ]


def as_json(events: Iterable[dict[str, Any]], **envelope: Any) -> bytes:
    return json.dumps({"events": list(events), **envelope} if envelope else list(events)).encode()
