"""What a million events cost on each cloud, in the units of its bill: counted; no emulator is asked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil
from time import time
from typing import Any

from adapters.common.envelope import seal
from adapters.common.settling import Settler
from functions.aggregate.handler import make
from functions.ingest.append import append_all
from functions.ingest.handler import Ingest
from lab.bench.figure import Figure
from lab.bench.path import SETTINGS, packed
from lab.bench.workload import array, bodies, recently
from lab.memory import MemoryClock, MemorySuite
from shared.dead_letters import DeadLetters
from shared.ports import Ports
from shared.stream import EVENT_STREAM, NO_DEADLINE, NewRecord, Record

EVENTS = 100_000
MILLION = 1_000_000
SIZES = (100, 500)
"""Events of a body; each body is one request of a sender's, and on a cloud one append."""
KINESIS_UNIT = 25 * 1024
EVENT_HUBS_UNIT = 64 * 1024
PUBSUB_LEAST = 1_000
"""A request to Pub/Sub is billed as that many bytes at least."""
DYNAMODB_WRITE_UNIT = 1024
AZURE_PROPERTY = 64 * 1024
BATCH = 100
"""Records that aggregate is handed together."""


@dataclass(frozen=True)
class Counted:
    """Records as they travel, by body; and the sizes of what aggregate wrote, in bytes, and its reads."""

    appended: list[list[int]]
    written: list[int]
    reads: int


class CountedTable:
    """A table that notes what is written to it."""

    def __init__(self, table: Any, written: list[int], calls: Counter[str]) -> None:
        self._table = table
        self._written = written
        self._calls = calls

    def put(self, partition: str, sort: str, value: bytes, *rest: Any, **more: Any) -> Any:
        self._written.append(len(value) + len(partition) + len(sort))
        return self._table.put(partition, sort, value, *rest, **more)

    def __getattr__(self, name: str) -> Any:
        self._calls[name] += 1
        return getattr(self._table, name)


def figures() -> list[Figure]:
    """Records, bytes and writes per million events, and what each cloud bills for them."""
    found: list[Figure] = []
    for size in SIZES:
        found += _of(size, counted(size))
    return found


def counted(size: int) -> Counted:
    """Take EVENTS events in bodies of `size`, and count every record."""
    suite = MemorySuite(MemoryClock(int(time() * 1000)))
    written: list[int] = []
    calls: Counter[str] = Counter()
    table = cache(lambda name: CountedTable(suite.ports.table(name), written, calls))
    ports = replace(suite.ports, table=table)
    ingest = Ingest(suite.ports, SETTINGS)
    appended, records = [], list[NewRecord]()
    for body in bodies(EVENTS // size, start_ms=recently(), events=size, viewers=max(size // 20, 1)):
        made = packed(ingest, b"\n".join(body) + b"\n")
        append_all(suite.ports.stream(EVENT_STREAM), made)
        appended.append([len(seal(each, 0)) for each in made])
        records += made
    _aggregate(ports, records)
    return Counted(appended, written, calls["batch_get"] + calls["get"])


def _aggregate(ports: Ports, records: Sequence[NewRecord]) -> None:
    settler = Settler("aggregate", make(ports, SETTINGS), DeadLetters(ports, SETTINGS))
    now = ports.clock.now_ms()
    for start in range(0, len(records), BATCH):
        batch = [
            Record(each.record_id, each.key, "0", start + index, now, 1, each.body)
            for index, each in enumerate(records[start : start + BATCH])
        ]
        if settler.settle(batch, NO_DEADLINE, stop=True):
            raise RuntimeError("aggregate asks for records again")


def _of(size: int, seen: Counted) -> list[Figure]:
    scale = MILLION / EVENTS
    records = [each for body in seen.appended for each in body]
    hub = sum(max(1, ceil(each / EVENT_HUBS_UNIT)) for each in records)
    kinesis = sum(ceil(each / KINESIS_UNIT) for each in records)
    pubsub = sum(max(PUBSUB_LEAST, sum(body)) for body in seen.appended)
    writes = sum(ceil(each / DYNAMODB_WRITE_UNIT) for each in seen.written)
    properties = sum(ceil(each / AZURE_PROPERTY) for each in seen.written)
    rows = (
        ("records in the stream", len(records), "records", ""),
        ("bytes in the stream", sum(records), "bytes", "framed, as every cloud carries them"),
        ("appends", len(seen.appended), "requests", "one a body; hosts that live on commit several together"),
        ("writes of aggregate", len(seen.written), "requests", f"{BATCH} records a batch"),
        ("reads of aggregate", seen.reads, "requests", "a batch of keys is one request of ours"),
        ("AWS: Kinesis PUT payload units", kinesis, "units", "25 KiB each"),
        ("AWS: DynamoDB write units", writes, "units", "1 KiB each"),
        ("Azure: Event Hubs ingress events", hub, "units", "64 KiB each"),
        (
            "Azure: Tables transactions that write",
            len(seen.written),
            "requests",
            f"{properties} properties of 64 KiB",
        ),
        (
            "Google: Pub/Sub published bytes",
            pubsub,
            "bytes",
            "1,000 a request at least; each subscription reads as many",
        ),
        ("Google: Firestore writes", len(seen.written), "requests", "a document each"),
    )
    note = f"bodies of {size} events"
    return [
        Figure(f"{name} per million events, {note}", value * scale, unit, note=more)
        for name, value, unit, more in rows
    ]


def posted(count: int) -> list[bytes]:
    """Bodies of 100 events as a player's gateway sends them."""
    return [array(body) for body in bodies(count, start_ms=recently(), events=100, viewers=5)]


def records(count: int) -> list[bytes]:
    """Bodies of as many records, each of 100 events."""
    ingest = Ingest(MemorySuite(MemoryClock(int(time() * 1000))).ports, SETTINGS)
    made = bodies(count, start_ms=recently(), events=100, viewers=5)
    return [packed(ingest, b"\n".join(body) + b"\n")[0].body for body in made]
