"""A Delta Lake table whose commits are a compare-and-swap on the table's version.

Data files are written first, by Arrow, and are no part of the table until a commit names them. delta-rs 1.6 refuses
a commit with `max_commit_retries=0` when the table is no longer at the version that was loaded; its own conflict
checks are not enough here: they let two compactions replace the same files, and refuse a rewrite beside an append.
On a store the swap is a write that fails where the version is there already.
"""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from shared.errors import Unavailable
from shared.history.delta import answering, open_table, patient, uri_of
from shared.history.files import files_at
from shared.history.schema import PARTITIONS, SCHEMAS

Action = AddAction | RemoveAction
MAX_TRIES: Final = 20
BATCH_ROWS: Final = 65_536

_STATISTICS: Final = ("content_id", "viewer_id", "event_timestamp")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of the table. `path` is relative to its root; `hour` counts from the epoch, None when unpartitioned."""

    path: str
    size: int
    rows: int
    written_at: int
    """In ms since epoch."""
    hour: int | None


class Lake:
    """One table under the history's root. Raises Unavailable when the store cannot answer."""

    def __init__(self, root: str, options: dict[str, str], name: str) -> None:
        self.name = name
        self.uri = uri_of(root, name)
        self._root = root
        self._options = options
        self._files = files_at(self.uri, patient(self.uri, options))

    def open(self) -> DeltaTable:
        """The table at its newest version, made when there is none, with the columns that it had not yet."""
        return open_table(self._root, self._options, self.name)

    def files(self, table: DeltaTable) -> list[DataFile]:
        """The files of a version."""
        actions: Any = table.get_add_actions(flatten=True)
        listed = pa.table(actions).to_pylist()
        return [
            DataFile(
                path=each["path"],
                size=each["size_bytes"],
                rows=each["num_records"],
                written_at=each["modification_time"],
                hour=_hour(each) if "partition.date" in each else None,
            )
            for each in listed
        ]

    def batches(
        self, file: DataFile, columns: Sequence[str] | None = None, rows: int = BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """The file's rows in its order, these columns or all of the table's; null where it has not got one."""
        fields = [SCHEMAS[self.name].field(name) for name in columns or SCHEMAS[self.name].names]
        with (
            self._answering("read"),
            self._files.open(file.path, file.size, whole=columns is None) as source,
            pq.ParquetFile(source, pre_buffer=False) as parquet,
        ):
            stored = {*parquet.schema_arrow.names}
            wanted = [field.name for field in fields if field.name in stored]
            for batch in parquet.iter_batches(rows, columns=wanted, use_threads=False):
                yield pa.RecordBatch.from_arrays(
                    [_column(batch, field, file) for field in fields], schema=pa.schema(fields)
                )

    def snapshot(self) -> "Snapshot":
        """The newest version for reading."""
        return Snapshot(self, self.files(self.open()))

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, hour: int | None = None) -> AddAction:
        """A durable data file with these rows, of one hour when the table is partitioned; not yet in the table."""
        values = {} if hour is None else partition_of(hour)
        folder = "".join(f"{name}={value}/" for name, value in values.items())
        path = f"{folder}part-{uuid4()}.zstd.parquet"
        statistics = _Statistics()
        with self._answering("written"):
            with self._files.create(path) as sink:
                with pq.ParquetWriter(sink, schema, **_parquet_options(schema)) as writer:
                    for batch in batches:
                        writer.write_batch(batch)
                        statistics.add(batch)
                size = sink.tell()
            self._files.settle(path)
        return AddAction(path, size, values, time.time_ns() // 1_000_000, True, statistics.to_json())

    def commit(
        self,
        decide: Callable[[DeltaTable], Sequence[Action] | None],
        transaction: Transaction | None = None,
    ) -> bool:
        """Commit what `decide` answers for the newest version; False, and no commit, when that is None.

        `decide` is asked again whenever another commit came between. When this returns the commit is durable.
        """
        for _ in range(MAX_TRIES):
            table = self.open()
            actions = decide(table)
            if actions is None:
                return False
            once = CommitProperties(
                app_transactions=[transaction] if transaction else None,
                max_commit_retries=0,
            )
            with self._answering("written"):
                try:
                    table.create_write_transaction(
                        list(actions),
                        "append",
                        SCHEMAS[self.name],
                        table.metadata().partition_columns,
                        commit_properties=once,
                    )
                except CommitFailedError:
                    continue
                self._files.settle(f"_delta_log/{table.version():020d}.json")
                return True
        raise Unavailable(f"too many writers change the table {self.name} at once; try again")

    def remove(self, files: Iterable[DataFile]) -> list[Action]:
        """The actions that take files out of the table."""
        now = time.time_ns() // 1_000_000
        return [
            RemoveAction(file.path, True, now, file.size, {} if file.hour is None else dict(partition_of(file.hour)))
            for file in files
        ]

    @contextmanager
    def _answering(self, done: str) -> Iterator[None]:
        with answering(self.uri, self.name, done):
            try:
                yield
            except pa.ArrowException as error:
                raise OSError(error) from error


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of a table; readable while its files are not vacuumed."""

    lake: Lake
    files: Sequence[DataFile]

    def to_table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Its rows, file after file. Raises Unavailable."""
        schema = SCHEMAS[self.lake.name]
        wanted = schema if columns is None else pa.schema([schema.field(name) for name in columns])
        rows = (batch for file in self.files for batch in self.lake.batches(file, columns))
        return pa.Table.from_batches(rows, wanted)


def partition_of(hour: int) -> dict[str, str | None]:
    """The partition that holds an hour since epoch, as Delta writes it."""
    start = dt.datetime.fromtimestamp(hour * 3_600, dt.UTC)
    return {"date": start.date().isoformat(), "hour": str(start.hour)}


def _parquet_options(schema: pa.Schema) -> dict[str, Any]:
    words = [field.name for field in schema if pa.types.is_string(field.type) and field.name != "event_id"]
    return {"compression": "zstd", "compression_level": 3, "use_dictionary": words}


class _Statistics:
    """What the log says of a file, so that readers can leave it out."""

    def __init__(self) -> None:
        self.rows = 0
        self.least: dict[str, Any] = {}
        self.greatest: dict[str, Any] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        for name in _STATISTICS:
            if name not in batch.schema.names:
                continue
            bounds: Any = pc.min_max(batch.column(name)).as_py()
            if bounds["min"] is None:
                continue
            self.least[name] = min(self.least.get(name, bounds["min"]), bounds["min"])
            self.greatest[name] = max(self.greatest.get(name, bounds["max"]), bounds["max"])

    def to_json(self) -> str:
        said = {"minValues": _plain(self.least), "maxValues": _plain(self.greatest)}
        return json.dumps({"numRecords": self.rows, **said, "nullCount": dict.fromkeys(self.least, 0)})


def _plain(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, dt.datetime) else value
        for name, value in values.items()
    }


def _hour(action: Mapping[str, Any]) -> int:
    start = dt.datetime.combine(action["partition.date"], dt.time(action["partition.hour"]), dt.UTC)
    return int(start.timestamp()) // 3_600


def _column(batch: pa.RecordBatch, field: "pa.Field[Any]", file: DataFile) -> Any:
    if field.name in batch.schema.names:
        return batch.column(field.name).cast(field.type)
    if file.hour is not None and field.name in PARTITIONS.names:
        start = dt.datetime.fromtimestamp(file.hour * 3_600, dt.UTC)
        value = start.date() if field.name == "date" else start.hour
        return pa.repeat(pa.scalar(value, field.type), batch.num_rows)
    return pa.nulls(batch.num_rows, field.type)


def sorted_batches(table: pa.Table, by: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a table in order."""
    ordered = table.sort_by([(name, "ascending") for name in by])
    yield from ordered.combine_chunks().to_batches()
