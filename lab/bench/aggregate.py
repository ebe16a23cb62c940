"""Counting packed records into states kept in memory, beside a bare decode of the same events' JSON."""

import gc
import os
from collections.abc import Iterator, Sequence
from functools import partial
from time import process_time

import numpy as np

from events.event import TYPE_CODE
from events.record import Profile, Profiles, RecordHeader, Rows, pack
from functions.aggregate.handler import BATCH_RECORDS, make
from functions.ingest.handler import Ingest, Sent
from lab.bench.bare import decode_lines
from lab.bench.figure import Figure
from lab.bench.workload import bodies, recently
from lab.memory import MemoryClock, MemorySuite
from shared.keys import partition_key
from shared.settings import Settings
from shared.stream import NO_DEADLINE, Done, Record

EVENTS = 500
BODIES = 1_000
CONTENTS = (1, 100, 10_000)
CROWDS = (1_000, 100_000, 1_000_000)
ROUNDS = 5
SETTINGS = Settings(comfortable_events_per_second=10**9, sampling_events_per_second=10**9)


def figures() -> list[Figure]:
    """The ratio to a bare decode, and how the cost of an event grows with contents and with viewers."""
    return [*against_bare_decode(), *growing("contents", CONTENTS), *growing("viewers", CROWDS)]


def against_bare_decode() -> Iterator[Figure]:
    """Bodies as the other benchmarks send them, of 25 and of 500 viewers."""
    for viewers, budget in ((25, 2.0), (500, None)):
        start_ms = recently()
        posted = [
            b"\n".join(body) + b"\n"
            for body in bodies(BODIES, start_ms=start_ms, events=EVENTS, viewers=viewers, contents=10)
        ]
        records = ingested(posted, start_ms)
        decoding, counting = best([partial(decoded, posted), partial(counted, records, start_ms)])
        events = BODIES * EVENTS
        note = f"{EVENTS} events of {viewers} viewers a record, 10 contents, one core"
        yield Figure(f"aggregate, {viewers} viewers a body", events / counting, "events/s", note=note)
        yield Figure(f"aggregate ÷ bare decode, {viewers} viewers a body", decoding / counting, "ratio", budget)


def growing(what: str, sizes: Sequence[int]) -> Iterator[Figure]:
    """The cost of an event at each size, and the dearest ÷ the cheapest."""
    start_ms = recently()
    sets = [crowd(start_ms, size) if what == "viewers" else programme(start_ms, size) for size in sizes]
    seconds = best([partial(counted, records, start_ms) for records in sets])
    costs = [1e6 * each / (len(records) * EVENTS) for each, records in zip(seconds, sets, strict=True)]
    for size, cost in zip(sizes, costs, strict=True):
        yield Figure(f"aggregate, {size:,} {what}", cost, "µs/event")
    yield Figure(f"aggregate, dearest ÷ cheapest by {what}", max(costs) / min(costs), "ratio", 1.2, at_most=True)


def programme(start_ms: int, contents: int) -> list[Record]:
    """Records of 500 events by 25 viewers, BODIES of them or one for each content, all in one window.

    Of few contents many records meet in one state; of many contents each record has its state's write to itself.
    """
    chance = np.random.default_rng(7)
    count = max(BODIES, contents)
    return [made(chance, start_ms, number, contents, chance.bytes(16 * 25), each=20) for number in range(count)]


def crowd(start_ms: int, viewers: int) -> list[Record]:
    """One content; 500 viewers a record with one event each, so many records that everybody tells one."""
    chance = np.random.default_rng(7)
    count = max(2 * BODIES, max(CROWDS) // EVENTS)
    people = chance.bytes(16 * viewers)
    size = 16 * EVENTS
    return [
        made(chance, start_ms, number, 1, people[number * size % len(people) :][:size], each=1)
        for number in range(count)
    ]


def made(
    chance: np.random.Generator, start_ms: int, number: int, contents: int, pseudonyms: bytes, *, each: int
) -> Record:
    """A record of heartbeats, `each` of every viewer."""
    viewers = [pseudonyms[at : at + 16] for at in range(0, len(pseudonyms), 16)]
    traits = [[byte % 6 for byte in viewer[8:13]] for viewer in viewers]
    profiles = [
        Profile(viewer, viewer, f"device{one}", f"country{two}", f"tier{three}", f"age{four}", f"network{five}")
        for viewer, (one, two, three, four, five) in zip(viewers, traits, strict=True)
    ]
    n = len(viewers) * each
    content = f"match-{number % contents:06d}"
    header = RecordHeader(
        record_id=number.to_bytes(16, "big"),
        content_id=content,
        k=0,
        reception=number.to_bytes(8, "big"),
        received_at=start_ms,
        source="bench",
        tally_window=start_ms // 5_000,
        received=n,
        keys=["k1"],
    )
    rows = Rows(
        profiles=Profiles.of(profiles),
        profile=[index % len(viewers) for index in range(n)],
        type=bytes([TYPE_CODE["heartbeat"]]) * n,
        timestamp=(start_ms + chance.integers(0, 5_000, n)).tolist(),
        watched_ms=[5_000] * n,
        bitrate_kbps=[3_000] * n,
        position_seconds=[None] * n,
        quality_level=["1080p", "720p"] * (n // 2),
        event_id=[None] * n,
    )
    return delivered(header.record_id, partition_key(content, 0), pack(header, rows), start_ms)


def ingested(posted: Sequence[bytes], now_ms: int) -> list[Record]:
    """The records that ingest makes of bodies."""
    ingest = Ingest(MemorySuite(MemoryClock(now_ms + 120_000)).ports, SETTINGS)
    records = []
    for data in posted:
        packing, _ = ingest.pack(ingest.native.decode_lines(data), data, Sent(data, "bench", idempotency_key="bench"))
        records += [delivered(new.record_id, new.key, new.body, now_ms) for new in packing.records]
    return records


def delivered(record_id: bytes, key: str, body: bytes, now_ms: int) -> Record:
    return Record(record_id, key, "0", None, now_ms, 1, body)


def decoded(posted: Sequence[bytes]) -> None:
    for data in posted:
        decode_lines(data)


def counted(records: Sequence[Record], now_ms: int) -> None:
    """Hand all records to a fresh aggregate. Raises RuntimeError unless every one is done."""
    handle = make(MemorySuite(MemoryClock(now_ms + 120_000)).ports, SETTINGS)
    for start in range(0, len(records), BATCH_RECORDS):
        answers = handle(records[start : start + BATCH_RECORDS], NO_DEADLINE)
        if not all(isinstance(answer, Done) for answer in answers):
            raise RuntimeError(f"aggregate answered {next(each for each in answers if not isinstance(each, Done))}")


def best(works: Sequence[partial[None]]) -> list[float]:
    """Each work's least CPU seconds on one core, the works taking turns."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        seconds = [float("inf")] * len(works)
        for _ in range(ROUNDS):
            for index, work in enumerate(works):
                gc.collect()
                started = process_time()
                work()
                seconds[index] = min(seconds[index], process_time() - started)
    finally:
        os.sched_setaffinity(0, allowed)
    return seconds
