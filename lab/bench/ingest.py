"""Ingest against a bare decode of the same bytes: bytes in, records handed to a stream that discards them.

CPU time of one thread, since both are nothing but that and other work on the machine must not count.
"""

import gzip
from collections.abc import Callable, Iterable
from dataclasses import replace
from time import thread_time
from typing import Any, NamedTuple

import zstandard

from functions.ingest.handler import Ingest, Sent
from lab.bench.asgi import Discarding
from lab.bench.bare import decode
from lab.bench.figure import Figure
from lab.bench.path import SETTINGS
from lab.bench.timing import discard
from lab.bench.workload import array, bodies, recently
from lab.memory import MemoryClock, MemorySuite

ROUNDS = 15
EVENTS_A_ROUND = 4_000
BAD_SHARE = 100
"""One event in so many is bad, where some are."""


class Shape(NamedTuple):
    """What bodies look like."""

    events: int
    viewers: int
    encoding: str = ""
    bad: bool = False
    exact: bool = False

    def __str__(self) -> str:
        extras = [self.encoding, "1% bad" if self.bad else "", "with batch_id" if self.exact else ""]
        return ", ".join([f"{self.events} events of {self.viewers} viewers", *filter(None, extras)])


SHAPES = (
    (Shape(500, 25), 0.5),
    (Shape(500, 25, exact=True), 0.5),
    (Shape(500, 25, "zstd"), 0.4),
    (Shape(500, 25, "gzip"), None),
    (Shape(500, 500), None),
    (Shape(100, 25), None),
    (Shape(100, 25, "zstd"), None),
    (Shape(10, 10), None),
    (Shape(10, 10, "zstd"), None),
    (Shape(1, 1), None),
)


def figures() -> list[Figure]:
    """Throughput ÷ that of a bare decode of the uncompressed bytes; bodies with bad events ÷ clean ones."""
    found: list[Figure] = []
    for shape, budget in SHAPES:
        bare, ours = measure(shape)
        note = f"{ours * 1e6:.2f} µs an event, bare decode {bare * 1e6:.2f}"
        found.append(Figure(f"ingest ÷ bare decode: {shape}", bare / ours, "ratio", budget, note))
    for events, viewers in ((500, 25), (100, 25)):
        clean, bad = Shape(events, viewers), Shape(events, viewers, bad=True)
        ratio = measure(clean)[1] / measure(bad)[1]
        found.append(Figure(f"ingest, 1% bad ÷ clean: {clean}", ratio, "ratio", 0.5 if events == 500 else None))
    return found


def measure(shape: Shape) -> tuple[float, float]:
    """Seconds of CPU an event: a bare decode, and ingest. The viewers come back, as they do on a long-lived host."""
    start, count = recently(), max(EVENTS_A_ROUND // shape.events, 4)
    made = bodies(count, start_ms=start, events=shape.events, viewers=shape.viewers)
    plain = [array(events) for events in made]
    told = [spoilt(data) for data in plain] if shape.bad else plain
    posted = [
        Sent(compressed(data, shape.encoding), "bench", shape.encoding, str(number) if shape.exact else None)
        for number, data in enumerate(told)
    ]
    ports = replace(MemorySuite(MemoryClock(start + 120_000)).ports, stream=lambda _: Discarding())
    ingest = Ingest(ports, SETTINGS)
    bare, ours = float("inf"), float("inf")
    for _ in range(ROUNDS):
        bare = min(bare, cpu_seconds(decode, plain))
        ours = min(ours, cpu_seconds(ingest.ingest, posted))
    events = count * shape.events
    return bare / events, ours / events


def cpu_seconds(work: Callable[[Any], object], items: Iterable[Any]) -> float:
    """CPU time of this thread, letting go of each result at once."""
    started = thread_time()
    discard(work, items)
    return thread_time() - started


def compressed(data: bytes, encoding: str) -> bytes:
    """A body as a sender would compress it."""
    if encoding == "gzip":
        return gzip.compress(data, compresslevel=6)
    return zstandard.ZstdCompressor(level=3).compress(data) if encoding == "zstd" else data


def spoilt(data: bytes) -> bytes:
    """The body with a text for the watched time of every hundredth event, spread over it."""
    parts = data.split(b'"watched_ms":')
    for number in range(BAD_SHARE // 2, len(parts), BAD_SHARE):
        value, _, rest = parts[number].partition(b",")
        parts[number] = b'"' + value + b'",' + rest
    return b'"watched_ms":'.join(parts)
