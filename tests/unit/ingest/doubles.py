"""Ports that ingest's tests hand over: all in memory, with a clock that stands still."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from events.columns import Columns, read
from shared.errors import VersionConflict
from shared.ports import ABSENT, Item, Page, Ports
from shared.stream import NewRecord
from tests.builders import KICK_OFF

NOW = KICK_OFF + 600_000


@dataclass
class StillClock:
    now: int = NOW

    def now_ms(self) -> int:
        return self.now


@dataclass
class Cabinet:
    """A table; `reads` counts the calls that read it."""

    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    writes: int = 0
    reads: int = 0

    def get(self, partition: str, sort: str) -> Item | None:
        self.reads += 1
        return self.items.get((partition, sort))

    def batch_get(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        self.reads += 1
        assert len(keys) <= 1_000
        return {key: self.items[key] for key in keys if key in self.items}

    def put(
        self,
        partition: str,
        sort: str,
        value: bytes,
        *,
        if_version: str | None = None,
        expires_at: int | None = None,
    ) -> str:
        found = self.items.get((partition, sort))
        if if_version is not None and if_version != (found.version if found else ABSENT):
            raise VersionConflict(partition)
        self.writes += 1
        version = str(self.writes)
        self.items[partition, sort] = Item(partition, sort, value, version, expires_at)
        return version

    def delete(self, partition: str, sort: str, *, if_version: str | None = None) -> None:
        self.items.pop((partition, sort), None)

    def query(self, partition: str, *, start: str = "", **_: Any) -> Page:
        found = [item for key, item in sorted(self.items.items()) if key[0] == partition and key[1] >= start]
        return Page(found, None)


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

    clock: StillClock = field(default_factory=StillClock)
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
