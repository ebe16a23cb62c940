"""A Delta Lake table whose commits are a compare-and-swap on the table's version.

Data files are written first, by Arrow, and are no part of the table until a commit names them. delta-rs 1.6 refuses
a commit with `max_commit_retries=0` when the table is no longer at the version that was loaded; its own conflict
checks are not enough here: they let two compactions replace the same files, and refuse a rewrite beside an append.
Tables are read through Arrow's own file systems: delta-rs' Python file system aborts the interpreter at exit.
"""

import datetime as dt
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from shared.errors import Unavailable
from shared.history.schema import FACTS, PARTITION, PARTITION_BY, SCHEMAS

Action = AddAction | RemoveAction
MAX_TRIES: Final = 20
CONFIGURATION: Final[Mapping[str, str | None]] = {
    "delta.checkpointInterval": "100",
    "delta.logRetentionDuration": "interval 7 days",
    "delta.deletedFileRetentionDuration": "interval 1 days",
}
"""A replaced file stays for a day, so that a reader may finish what it began."""

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
        self.uri = f"{root.rstrip('/')}/{name}"
        self._options = options
        self._filesystem, self._root = pafs.FileSystem.from_uri(self.uri)
        self._local = isinstance(self._filesystem, pafs.LocalFileSystem)

    def open(self) -> DeltaTable:
        """The table at its newest version, made when there is none, with the columns that it had not yet."""
        with self._translated("opened"):
            try:
                table = DeltaTable(self.uri, storage_options=self._options)
            except TableNotFoundError:
                DeltaTable.create(
                    self.uri,
                    SCHEMAS[self.name],
                    mode="ignore",
                    partition_by=list(PARTITION_BY) if self.name == FACTS else None,
                    configuration=CONFIGURATION,
                    storage_options=self._options,
                )
                table = DeltaTable(self.uri, storage_options=self._options)
            present = {field.name for field in table.schema().fields}
            missing = [field for field in SCHEMAS[self.name] if field.name not in present]
            if missing:
                table.alter.add_columns(list(Schema.from_arrow(pa.schema(missing)).fields))
            return table

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

    def dataset(self, files: Iterable[DataFile]) -> ds.Dataset:
        """Those files for reading, with the table's schema; readable while they are not vacuumed."""
        schema = SCHEMAS[self.name]
        fragments = [
            self._format.make_fragment(
                f"{self._root}/{file.path}",
                filesystem=self._filesystem,
                partition_expression=_partition_expression(file),
            )
            for file in files
        ]
        return ds.FileSystemDataset(fragments, schema, self._format, self._filesystem)

    def snapshot(self) -> ds.Dataset:
        """The newest version for reading."""
        return self.dataset(self.files(self.open()))

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, hour: int | None = None) -> AddAction:
        """A durable data file with these rows, of one hour when the table is partitioned; not yet in the table."""
        values = {} if hour is None else partition_of(hour)
        folder = "".join(f"{name}={value}/" for name, value in values.items())
        path = f"{folder}part-{uuid4()}.zstd.parquet"
        place = f"{self._root}/{path}"
        statistics = _Statistics()
        with self._translated("written"):
            self._filesystem.create_dir(f"{self._root}/{folder}", recursive=True)
            with pq.ParquetWriter(place, schema, filesystem=self._filesystem, **_parquet_options(schema)) as writer:
                for batch in batches:
                    writer.write_batch(batch)
                    statistics.add(batch)
            self._sync(place)
            size = self._filesystem.get_file_info(place).size
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
            with self._translated("written"):
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
                self._sync(f"{self._root}/_delta_log/{table.version():020d}.json")
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
    def _translated(self, done: str) -> Iterator[None]:
        try:
            yield
        except (DeltaError, OSError) as error:
            raise Unavailable(
                f"the table {self.name} cannot be {done}: {error}. Check that its store answers and has space; "
                f"if files under {self.uri} are damaged, restore them from a backup."
            ) from error

    @property
    def _format(self) -> ds.ParquetFileFormat:
        return ds.ParquetFileFormat()

    def _sync(self, place: str) -> None:
        """Make a local file and its name durable; a cloud's store has done so."""
        if not self._local:
            return
        root = Path(self._root)
        for path in (Path(place), *(parent for parent in Path(place).parents if parent.is_relative_to(root))):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


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


def _partition_expression(file: DataFile) -> pc.Expression | None:
    if file.hour is None:
        return None
    start = dt.datetime.fromtimestamp(file.hour * 3_600, dt.UTC)
    date, hour = (PARTITION.field(name).type for name in PARTITION_BY)
    where: pc.Expression = (ds.field("date") == pa.scalar(start.date(), date)) & (
        ds.field("hour") == pa.scalar(start.hour, hour)
    )
    return where


def sorted_batches(table: pa.Table, by: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a table in order."""
    ordered = table.sort_by([(name, "ascending") for name in by])
    yield from ordered.combine_chunks().to_batches()
