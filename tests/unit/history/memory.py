"""Ports in memory, with a hook before each effect where a test lets a crash or another process in."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from shared.errors import VersionConflict
from shared.ports import ABSENT, Item, Key, Page


def nothing() -> None:
    """The hook of an undisturbed test."""


@dataclass
class MemoryTable:
    items: dict[Key, Item] = field(default_factory=dict)
    before_put: Callable[[], None] = nothing
    _versions: Iterator[int] = field(default_factory=count)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def get(self, partition: str, sort: str) -> Item | None:
        return self.items.get((partition, sort))

    def batch_get(self, keys: Sequence[Key]) -> dict[Key, Item]:
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
        self.before_put()
        with self._lock:
            self._check((partition, sort), if_version)
            item = Item(partition, sort, value, str(next(self._versions)), expires_at)
            self.items[partition, sort] = item
        return item.version

    def delete(self, partition: str, sort: str, *, if_version: str | None = None) -> None:
        with self._lock:
            self._check((partition, sort), if_version)
            self.items.pop((partition, sort), None)

    def query(
        self,
        partition: str,
        *,
        start: str = "",
        end: str | None = None,
        limit: int = 1_000,
        cursor: str | None = None,
    ) -> Page:
        found = sorted(
            (
                item
                for (where, sort), item in self.items.items()
                if where == partition and start <= sort and (end is None or sort < end)
            ),
            key=lambda item: item.sort,
        )
        first = int(cursor or 0)
        more = str(first + limit) if len(found) > first + limit else None
        return Page(found[first : first + limit], more)

    def _check(self, key: Key, if_version: str | None) -> None:
        present = self.items.get(key)
        version = present.version if present else ABSENT
        if if_version is not None and if_version != version:
            raise VersionConflict(f"{key} is at version {version!r}")


@dataclass
class MemoryObjects:
    objects: dict[str, bytes] = field(default_factory=dict)
    before: Callable[[str, str], None] = lambda _effect, _name: None
    """Called with `get`, `put`, `list` or `delete` and the name, before each happens."""

    def get(self, name: str) -> bytes | None:
        self.before("get", name)
        return self.objects.get(name)

    def put(self, name: str, data: bytes) -> None:
        self.before("put", name)
        self.objects[name] = data

    def list(self, prefix: str = "") -> Iterator[str]:
        self.before("list", prefix)
        return iter(sorted(name for name in self.objects if name.startswith(prefix)))

    def delete(self, name: str) -> None:
        self.before("delete", name)
        self.objects.pop(name, None)
