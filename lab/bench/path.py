"""The whole path without HTTP: body, ingest, stream, aggregate, written state; in memory and through SQLite."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, time

from adapters.local.suite import Suite
from adapters.local.triggers import Consumer, Terms
from functions.aggregate.handler import make
from functions.ingest.append import append_all
from functions.ingest.handler import Ingest, Sent
from lab.bench.bare import decode_lines
from lab.bench.figure import Figure
from lab.bench.rows import Row
from lab.bench.timing import best_seconds, discard
from lab.bench.workload import bodies, recently
from lab.memory import MemoryClock, MemorySuite
from shared.audience.stored import StateReader
from shared.audience.window import rolled_up
from shared.dead_letters import DeadLetters
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import EVENT_STREAM, NewRecord
from shared.units import WINDOW_MS

BODIES = 400
MANY = 400
EVENTS = BODIES * 500
COMMITTED_TOGETHER = 16
"""Bodies that one commit takes, as a group commit does when so many senders wait."""
ROUNDS = 3
SPAN_MS = 5 * 60_000
"""All events lie within it of each other."""
NO_LIMIT = 10**9
SETTINGS = Settings(
    comfortable_events_per_second=NO_LIMIT,
    sampling_events_per_second=NO_LIMIT,
    shed_events_per_second=NO_LIMIT,
)
"""One instance takes the whole load: it must neither sample nor shed."""


@dataclass(frozen=True)
class Run:
    """Seconds from the first byte to the last row, those rows, and the bytes that the records took in the stream."""

    seconds: float
    rows: set[Row]
    stored_bytes: int


def figures() -> list[Figure]:
    """Both paths against a bare decode of the same lines, and what the stream stores."""
    posted = [b"\n".join(body) + b"\n" for body in bodies(BODIES, start_ms=recently())]
    many = [b"\n".join(body) + b"\n" for body in bodies(BODIES, start_ms=recently(), contents=MANY)]
    (bare,) = best_seconds([lambda: discard(decode_lines, posted)])
    memory, durable, spread = best(in_memory, posted), best(durably, posted), best(durably, many)
    stored = durable.stored_bytes / EVENTS
    note = f"500 events of 25 viewers a body, 10 contents, {COMMITTED_TOGETHER} bodies a commit, one thread"
    return [
        Figure("body to written state, SQLite with FULL sync", EVENTS / durable.seconds, "events/s", note=note),
        Figure("the same ÷ bare decode", bare / durable.seconds, "ratio", 0.15),
        Figure(f"the same with {MANY} contents ÷ bare decode", bare / spread.seconds, "ratio"),
        Figure("body to state, in memory ÷ bare decode", bare / memory.seconds, "ratio"),
        Figure("stored in the stream", stored, "bytes/event"),
        Figure("stored in the stream ÷ the JSON", stored / (sum(map(len, posted)) / EVENTS), "ratio"),
    ]


def best(run: Callable[[Sequence[bytes]], Run], posted: Sequence[bytes]) -> Run:
    """The quickest of several runs; each is one thread's work."""
    return min((run(posted) for _ in range(ROUNDS)), key=lambda each: each.seconds)


def in_memory(posted: Sequence[bytes]) -> Run:
    """Through ports that are dictionaries and lists."""
    return through(MemorySuite(MemoryClock(int(time() * 1000))), posted)


def durably(posted: Sequence[bytes]) -> Run:
    """Through the local provider: each append and each state is on disk before the next."""
    with TemporaryDirectory(prefix="grandstand-bench-") as folder:
        suite = Suite(Path(folder), SETTINGS)
        try:
            return through(suite, posted)
        finally:
            suite.close()


def through(suite: MemorySuite | Suite, posted: Sequence[bytes]) -> Run:
    """Take every body (NDJSON), count every record, and read the rows from the states."""
    ports = suite.ports
    ingest = Ingest(ports, SETTINGS)
    consumer = Consumer(
        "aggregate",
        make(ports, SETTINGS),
        source=suite.stream(EVENT_STREAM),
        progress=suite.progress(EVENT_STREAM),
        dead_letters=DeadLetters(ports, SETTINGS),
        clock=ports.clock,
        terms=Terms(),
    )
    told = [decode_lines(data.partition(b"\n")[0])[0] for data in posted]
    contents, first = {event.content_id for event in told}, min(event.event_timestamp for event in told)
    gc.collect()
    started, stored = perf_counter(), 0
    for start in range(0, len(posted), COMMITTED_TOGETHER):
        records = [record for data in posted[start : start + COMMITTED_TOGETHER] for record in packed(ingest, data)]
        append_all(ports.stream(EVENT_STREAM), records)
        stored += sum(len(record.body) for record in records)
    while consumer.poll():
        pass
    rows = set(rows_of(ports, contents, first - SPAN_MS, first + SPAN_MS))
    return Run(perf_counter() - started, rows, stored)


def packed(ingest: Ingest, data: bytes) -> Sequence[NewRecord]:
    """The records of a body. Raises RuntimeError unless all of its events are accepted."""
    body = ingest.native.decode_lines(data)
    packing, receipt = ingest.pack(body, data, Sent(data, "bench", idempotency_key="bench"))
    if receipt.rejected or receipt.sample_rate < 1:
        raise RuntimeError(f"{len(receipt.rejected)} events rejected, sampled at {receipt.sample_rate}")
    return packing.records


def rows_of(ports: Ports, contents: Iterable[str], start_ms: int, end_ms: int) -> Iterator[Row]:
    """What the written states say of some contents between two times."""
    reader = StateReader(ports)
    for content in contents:
        for window, states in reader.between(content, start_ms // WINDOW_MS, end_ms // WINDOW_MS).items():
            whole = rolled_up(window, states)
            watched, viewers = whole.sum("watched_ms").value, whole.viewers().value
            yield Row(content, window * WINDOW_MS, whole.tally("counted"), round(watched), round(viewers))
