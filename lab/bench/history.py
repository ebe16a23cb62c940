"""The history: how fast records become rows, and how small the rows are."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time, time

import pyarrow.parquet as pq

from adapters.common.warehouse import DeltaWarehouse
from events.columns import read
from functions.archive.handler import archive
from functions.commit.handler import make as make_commit
from functions.ingest.handler import Ingest
from functions.watch.handler import VIEWER_LOG
from functions.watch.handler import make as make_watch
from lab.bench.figure import Figure
from lab.bench.path import SETTINGS, packed
from lab.bench.timing import best_seconds
from lab.bench.workload import EVENT_BYTES, bodies, recently
from lab.memory import MemoryClock, memory_ports
from shared.history.compact import Compactor
from shared.history.lake import Lake
from shared.history.tables import FACTS, STAGING
from shared.ports import ObjectStore, Ports, Warehouse
from shared.preferences.also_watched import also_watched
from shared.preferences.rows import Span
from shared.preferences.segments import segments
from shared.stream import NO_DEADLINE, Record
from shared.units import DAY_MS, HOUR_MS

BODIES = 400
EVENTS = BODIES * 500
BATCH = 100


def figures() -> list[Figure]:
    """Speed of archive, commit, compaction and watch; bytes of an event in Parquet and in the viewer log."""
    with TemporaryDirectory(prefix="grandstand-bench-") as folder:
        clock = MemoryClock(int(time() * 1_000))
        ports = replace(memory_ports(clock), history_uri=lambda: (folder, {}))
        records = _records(ports)
        archive(memory_ports(clock).objects(STAGING), ports.meter("warm"), records[:1], NO_DEADLINE)  # warm
        batches = [records[start : start + BATCH] for start in range(0, len(records), BATCH)]
        lake = Lake(folder, {}, FACTS)
        commit = make_commit(ports, SETTINGS)
        archived = committed = 0.0
        for batch in batches:
            archived += _seconds(partial(archive, ports.objects(STAGING), ports.meter("archive"), batch, NO_DEADLINE))
            committed += _seconds(partial(commit, NO_DEADLINE))
        compactor = Compactor(lake, clock)
        compacted = _seconds(lambda: compactor.run(NO_DEADLINE, everything=True))
        watch = make_watch(ports, SETTINGS)
        watched = _seconds(lambda: [watch(batch, NO_DEADLINE) for batch in batches])
        asked = _asked(DeltaWarehouse(ports.history_uri), records)
        bytes_by_column = _bytes_by_column(lake)
        viewer_log = _size(ports.objects(VIEWER_LOG))
    note = f"{BODIES} records of 500 events of 25 viewers, {BATCH} a batch"
    stored = sum(bytes_by_column.values()) / EVENTS
    ids = bytes_by_column["event_id"] / EVENTS
    return [
        Figure("archive, records to a staged file in memory", EVENTS / archived, "events/CPU s", note=note),
        Figure("commit, staged files to Delta Lake", EVENTS / committed, "events/CPU s", note="synced"),
        Figure("compaction, sorted anew", EVENTS / compacted, "events/CPU s"),
        Figure(
            "asked: what else a content's viewers watched, and how its segments fared", EVENTS / asked, "events/s"
        ),
        Figure(
            "Parquet, compacted",
            stored,
            "bytes/event",
            19,
            "event_id here is 33 random hexadecimal digits",
            at_most=True,
        ),
        Figure("Parquet without event_id", stored - ids, "bytes/event", 6.6, at_most=True),
        Figure("Parquet ÷ the JSON", stored / EVENT_BYTES, "ratio"),
        Figure("watch, records to the viewer log in memory", EVENTS / watched, "events/CPU s", note=note),
        Figure("viewer log before it is merged", viewer_log / EVENTS, "bytes/event"),
    ]


def _records(ports: Ports) -> list[Record]:
    ingest = Ingest(ports, SETTINGS)
    now = ports.clock.now_ms()
    new = [
        record for body in bodies(BODIES, start_ms=recently()) for record in packed(ingest, b"\n".join(body) + b"\n")
    ]
    return [Record(each.record_id, each.key, "0", number, now, 1, each.body) for number, each in enumerate(new)]


def _seconds(work: Callable[[], object]) -> float:
    """CPU time of all threads: what stands beside ingest and aggregate matters by what it takes from them."""
    started = process_time()
    work()
    return process_time() - started


def _asked(warehouse: Warehouse, records: list[Record]) -> float:
    """Seconds that two questions about a content take, together, of all that the history holds."""
    start = recently()
    span = Span(start - HOUR_MS, start + DAY_MS)
    content_id = read(records[0].body).header.content_id
    asked = (
        lambda: also_watched(warehouse, content_id, span, 10),
        lambda: segments(warehouse, content_id, "country", span),
    )
    return sum(best_seconds(asked, rounds=3))


def _bytes_by_column(lake: Lake) -> dict[str, int]:
    """Compressed bytes of each column, and of the files' footers."""
    sizes: dict[str, int] = {}
    for file in lake.files(lake.open()):
        path = Path(lake.uri) / file.path
        metadata = pq.ParquetFile(path).metadata
        for group in range(metadata.num_row_groups):
            for column in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(column)
                sizes[chunk.path_in_schema] = sizes.get(chunk.path_in_schema, 0) + chunk.total_compressed_size
        sizes["footers"] = sizes.get("footers", 0) + metadata.serialized_size
    return sizes


def _size(objects: ObjectStore) -> int:
    return sum(len(objects.get(name) or b"") for name in objects.list())
