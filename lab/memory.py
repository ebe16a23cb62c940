"""The ports in memory, for property tests that run hundreds of histories in a second.

They keep the promises of `shared.ports` by the same contract suite as every provider; only durability is pretended:
what a test throws away is the function, never the store.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path

from adapters.common.limits import (
    check_batch,
    check_message,
    check_page,
    check_value,
    key_bytes,
    name_bytes,
)
from adapters.common.mails import refusal
from adapters.local.queue import Leased
from adapters.local.stream import Heads, partition_of
from adapters.local.triggers import Checkpoint, Parked
from shared.errors import Misconfigured, VersionConflict
from shared.health.meter import Meters
from shared.ports import (
    ABSENT,
    Clock,
    Item,
    Key,
    Mail,
    Page,
    Ports,
    Warehouse,
)
from shared.stream import MAX_BODY_BYTES, RECORD_ID_BYTES, NewRecord, Record

START_MS = 1_795_200_000_000
"""An evening in November 2026."""


@dataclass
class MemoryClock:
    """A clock that a test moves."""

    time_ms: int = START_MS

    def now_ms(self) -> int:
        return self.time_ms

    def advance(self, milliseconds: int) -> None:
        self.time_ms += milliseconds


class MemoryTable:
    """`shared.ports.Table` as a dictionary."""

    def __init__(self, clock: Clock, versions: Iterator[int] | None = None) -> None:
        self._clock = clock
        self._versions = versions or count(1)
        self._items: dict[Key, Item] = {}

    def get(self, partition: str, sort: str) -> Item | None:
        key_bytes(partition)
        key_bytes(sort)
        item = self._items.get((partition, sort))
        expired = item is not None and item.expires_at is not None and item.expires_at <= self._clock.now_ms()
        return None if expired else item

    def batch_get(self, keys: Sequence[Key]) -> dict[Key, Item]:
        check_batch(keys)
        found = {key: self.get(*key) for key in keys}
        return {key: item for key, item in found.items() if item is not None}

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
        self._check_version(partition, sort, if_version)
        version = str(next(self._versions))
        self._items[partition, sort] = Item(partition, sort, bytes(value), version, expires_at)
        return version

    def delete(self, partition: str, sort: str, *, if_version: str | None = None) -> None:
        self._check_version(partition, sort, if_version)
        self._items.pop((partition, sort), None)

    def query(
        self,
        partition: str,
        *,
        start: str = "",
        end: str | None = None,
        limit: int = 1_000,
        cursor: str | None = None,
    ) -> Page:
        key_bytes(partition)
        check_page(limit)
        low, high, after = start.encode(), None if end is None else end.encode(), (cursor or "").encode()
        sorts = sorted(
            raw
            for one, sort in self._items
            if one == partition and (raw := sort.encode()) >= low and raw > after and (high is None or raw < high)
        )
        items = [item for raw in sorts if (item := self.get(partition, raw.decode())) is not None]
        return Page(items[:limit], items[limit - 1].sort if len(items) > limit else None)

    def _check_version(self, partition: str, sort: str, if_version: str | None) -> None:
        item = self.get(partition, sort)
        if if_version is not None and if_version != (ABSENT if item is None else item.version):
            raise VersionConflict(f"another version of ({partition!r}, {sort!r}) is there")


class MemoryStream:
    """`shared.ports.Stream` and the log that consumers read, as lists."""

    def __init__(self, clock: Clock, partitions: int = 4) -> None:
        self._clock = clock
        self._epoch = 0
        self._partitions: list[list[Record]] = [[] for _ in range(partitions)]

    def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        return [self._append(record) for record in records]

    def heads(self) -> Heads:
        return Heads(str(self._epoch), {str(n): len(records) for n, records in enumerate(self._partitions)})

    def read(self, partition: str, after: int, limit: int, max_bytes: int) -> Sequence[Record]:
        batch: list[Record] = []
        size = 0
        for record in self._partitions[int(partition)][after : after + limit]:
            size += len(record.body)
            if batch and size > max_bytes:
                break
            batch.append(record)
        return batch

    def rebuild(self) -> None:
        """The hub is made anew: every record again, at positions that start again and in another order."""
        self._epoch += 1
        for records in self._partitions:
            records[:] = [replace(record, position=n) for n, record in enumerate(reversed(records), 1)]

    def _append(self, new: NewRecord) -> str | None:
        if len(new.body) > MAX_BODY_BYTES or len(new.record_id) != RECORD_ID_BYTES:
            return f"{len(new.body)} bytes under an id of {len(new.record_id)} are too many, or the id is not whole"
        number = partition_of(new.key, len(self._partitions))
        log = self._partitions[number]
        first = self._clock.now_ms() if new.first_appended_at is None else new.first_appended_at
        log.append(Record(new.record_id, new.key, str(number), len(log) + 1, first, None, new.body))
        return None


@dataclass
class MemoryProgress:
    """`adapters.local.triggers.Progress` as dictionaries."""

    _checkpoints: dict[str, dict[str, Checkpoint]] = field(default_factory=dict)
    _parked: dict[str, dict[int, Parked]] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def load(self, group: str) -> Mapping[str, Checkpoint]:
        return dict(self._checkpoints.get(group, {}))

    def save(self, group: str, partition: str, checkpoint: Checkpoint, park: Sequence[Parked] = ()) -> None:
        self._checkpoints.setdefault(group, {})[partition] = checkpoint
        for each in park:
            number = next(self._ids)
            self._parked.setdefault(group, {})[number] = replace(each, id=number)

    def due(self, group: str, now_ms: int, limit: int) -> Sequence[Parked]:
        due = [each for each in self._parked.get(group, {}).values() if each.due_at <= now_ms]
        return sorted(due, key=lambda each: (each.due_at, each.id))[:limit]

    def unpark(self, group: str, gone: Sequence[Parked], later: Sequence[Parked]) -> None:
        parked = self._parked.setdefault(group, {})
        for each in gone:
            if each.id is not None:
                parked.pop(each.id, None)
        parked.update({each.id: each for each in later if each.id is not None})


class MemoryObjects:
    """`shared.ports.ObjectStore` as a dictionary with its names in order."""

    def __init__(self) -> None:
        self._data: dict[bytes, bytes] = {}
        self._names: list[bytes] = []

    def get(self, name: str) -> bytes | None:
        return self._data.get(name_bytes(name))

    def put(self, name: str, data: bytes) -> None:
        raw = name_bytes(name)
        if raw not in self._data:
            insort(self._names, raw)
        self._data[raw] = bytes(data)

    def list(self, prefix: str = "") -> Iterator[str]:
        raw = prefix.encode()
        names = self._names[bisect_left(self._names, raw) :]
        return iter([name.decode() for name in names if name.startswith(raw)])

    def delete(self, name: str) -> None:
        if self._data.pop(name_bytes(name), None) is not None:
            self._names.remove(name.encode())


class MemoryQueue:
    """`shared.ports.Queue` and its receiver."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ids = count(1)
        self._messages: dict[int, tuple[int, Leased]] = {}

    def send(self, body: bytes, *, delay_seconds: int = 0) -> None:
        check_message(body)
        number = next(self._ids)
        self._messages[number] = self._clock.now_ms() + 1_000 * delay_seconds, Leased(body, 0, number)

    def receive(self, limit: int = 10, lease_ms: int = 30_000) -> list[Leased]:
        now = self._clock.now_ms()
        due = [message for due_at, message in self._messages.values() if due_at <= now][:limit]
        received = [replace(message, attempt=message.attempt + 1) for message in due]
        self._messages.update({message.id: (now + lease_ms, message) for message in received})
        return received

    def settle(self, message: Leased) -> None:
        self._messages.pop(message.id, None)


class MemoryMailer:
    """`shared.ports.Mailer` that keeps what it took."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []

    def send(self, mails: Sequence[Mail]) -> Sequence[str | None]:
        self.sent += [mail for mail in mails if refusal(mail) is None]
        return [refusal(mail) for mail in mails]


class MemorySecrets:
    """`shared.ports.Secrets` as a dictionary, with keys of no secrecy."""

    def __init__(self, **values: bytes) -> None:
        self.values = {
            "pseudonym-keys": b'[{"id":"1","from_ms":0,"key_hex":"' + b"5e" * 32 + b'"}]',
            "dead-letter-key": b"d1" * 32,
            "viewer-token": b"a shared secret of thirty-two bytes",
            "write-keys": b"{}",
            "publish-keys": b"{}",
            "operator-keys": b"{}",
        } | {name.replace("_", "-"): value for name, value in values.items()}

    def get(self, name: str) -> bytes:
        try:
            return self.values[name]
        except KeyError:
            raise Misconfigured(f"there is no secret {name!r}; set it") from None


class MemorySuite:
    """A suite in memory, but for the history: that is in a folder, and asking for it without one is Misconfigured."""

    def __init__(self, clock: MemoryClock | None = None, partitions: int = 4, *, history: Path | None = None) -> None:
        self.clock = now = clock or MemoryClock()
        versions = count(1)
        self.stream = cache(lambda _: MemoryStream(now, partitions))
        self.queue = cache(lambda _: MemoryQueue(now))
        self.progress = cache(lambda _: MemoryProgress())
        self.ports = Ports(
            clock=now,
            secrets=MemorySecrets(),
            stream=self.stream,
            table=cache(lambda _: MemoryTable(now, versions)),
            objects=cache(lambda _: MemoryObjects()),
            queue=self.queue,
            mailer=cache(MemoryMailer),
            warehouse=cache(lambda: _warehouse(self.ports)),
            history_uri=(lambda: (str(history), {})) if history else _no_history,
            meter=Meters(now.now_ms),
        )


def memory_ports(clock: MemoryClock | None = None) -> Ports:
    """The ports of a suite in memory."""
    return MemorySuite(clock).ports


def _warehouse(ports: Ports) -> Warehouse:
    from adapters.common.warehouse import DeltaWarehouse

    return DeltaWarehouse(ports.history_uri)


def _no_history() -> tuple[str, dict[str, str]]:
    raise Misconfigured("the ports in memory have no history; replace `history_uri` by a folder")
