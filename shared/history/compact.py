"""Small files of an hour into few sorted ones, and repeats out.

Bodies without a `batch_id` get other record ids each time they are sent, so what their senders repeat is told by
(write key, session, event_id) instead: the row that was received first stays. A row of a body with a `batch_id` is
never taken for a repeat. A sender whose clock is corrected anew may land its repeat in the next hour, so the edges of
the hours beside are looked at too.

A rewrite reads the files of one version, writes their rows to a new file, and commits that file in their place only
while all of them are still in the table. Appends meanwhile are left as they are, and a reader keeps the version that
it opened.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from tempfile import gettempdir
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable

from shared.errors import Unavailable
from shared.history.lake import Action, DataFile, Lake, partition_of
from shared.history.schema import ROWS, SORTED_BY
from shared.ports import Clock
from shared.stream import Deadline
from shared.units import HOUR_MS

QUIET_MS: Final = 5 * 60_000
"""An hour that has ended and got nothing for so long is settled: what is not large yet is merged."""
LARGE_BYTES: Final = 32 * 1024 * 1024
MAX_MERGED_BYTES: Final = 256 * 1024 * 1024
"""What one rewrite takes on, so that it ends in time; the rest is for the next run."""
SMALL_BYTES: Final = 4 * 1024 * 1024
MANY: Final = 16
"""So many small files are merged while their hour goes on."""
EDGE: Final = dt.timedelta(minutes=10)
BATCH_ROWS: Final = 122_880
MEMORY: Final = "1GB"

_NEAR: Final = """
    CREATE VIEW candidates AS
    SELECT *, true AS own FROM here
    UNION ALL BY NAME
    SELECT *, false AS own FROM beside WHERE event_timestamp >= $from AND event_timestamp < $to
"""
_HAS_REPEATS: Final = """
    SELECT 1 FROM candidates GROUP BY source, session_id, event_id
    HAVING count(*) > 1 AND bool_or(own AND NOT exact) LIMIT 1
"""
_FIRST: Final = """
    SELECT * FROM candidates QUALIFY own AND (exact OR row_number() OVER (
        PARTITION BY source, session_id, event_id ORDER BY received_at, record_id, event_timestamp
    ) = 1)
"""


class Compactor:
    """Keeps a history compact. One object remembers which hours it found without repeats."""

    def __init__(self, lake: Lake, clock: Clock) -> None:
        self._lake = lake
        self._clock = clock
        self._clean: dict[int, frozenset[str]] = {}

    def run(self, deadline: Deadline, *, everything: bool = False) -> int:
        """Rewrite the hours that need it, or all that have more than one file; how many were.

        Raises Unavailable when an hour could not be, after the others.
        """
        by_hour: dict[int, list[DataFile]] = {}
        for file in self._lake.files(self._lake.open()):
            if file.hour is not None:
                by_hour.setdefault(file.hour, []).append(file)
        rewritten, failures = 0, []
        for hour in sorted(by_hour, reverse=True):
            if deadline.near(10_000):
                break
            try:
                rewritten += self._compact(hour, by_hour, everything)
            except (duckdb.Error, pa.ArrowException, OSError, Unavailable) as error:
                failures.append(f"{partition_of(hour)}: {error}")
        if failures:
            raise Unavailable(f"hours of the history that cannot be compacted: {'; '.join(failures)}")
        return rewritten

    def _compact(self, hour: int, by_hour: dict[int, list[DataFile]], everything: bool) -> bool:
        files = by_hour[hour]
        beside = [*by_hour.get(hour - 1, []), *by_hour.get(hour + 1, [])]
        with _connection() as connection:
            connection.register("here", self._lake.dataset(files))
            connection.register("beside", self._lake.dataset(beside))
            connection.execute(_near(hour))
            repeats = self._has_repeats(connection, hour, [*files, *beside])
            chosen = files if repeats or (everything and len(files) > 1) else self._worth_merging(hour, files)
            if not chosen:
                return False
            if not repeats:
                connection.register("chosen", self._lake.dataset(chosen))
            rows = _sorted_rows(connection, _FIRST if repeats else "SELECT * FROM chosen")
            return self._replace(hour, chosen, rows)

    def _has_repeats(self, connection: duckdb.DuckDBPyConnection, hour: int, files: Sequence[DataFile]) -> bool:
        paths = frozenset(file.path for file in files)
        if self._clean.get(hour) == paths:
            return False
        if not self._lake.dataset(files).head(1, columns=[], filter=~ds.field("exact")).num_rows:
            found = False
        else:
            found = bool(connection.execute(_HAS_REPEATS).fetchall())
        if not found:
            self._clean[hour] = paths
        return found

    def _worth_merging(self, hour: int, files: Sequence[DataFile]) -> Sequence[DataFile]:
        now = self._clock.now_ms()
        ended = (hour + 1) * HOUR_MS + QUIET_MS < now
        settled = ended and all(file.written_at < now - QUIET_MS for file in files)
        limit, least = (LARGE_BYTES, 2) if settled else (SMALL_BYTES, MANY)
        chosen: list[DataFile] = []
        for file in sorted(files, key=lambda file: file.size):
            if file.size < limit and sum(each.size for each in chosen) < MAX_MERGED_BYTES:
                chosen.append(file)
        return chosen if len(chosen) >= least else []

    def _replace(self, hour: int, old: Sequence[DataFile], rows: Iterator[pa.RecordBatch]) -> bool:
        new = self._lake.write(rows, ROWS, hour)
        paths = {file.path for file in old}

        def decide(table: DeltaTable) -> list[Action] | None:
            present = {file.path for file in self._lake.files(table)}
            return [new, *self._lake.remove(old)] if paths <= present else None

        return self._lake.commit(decide)


def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": gettempdir(), "threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _near(hour: int) -> str:
    start = dt.datetime.fromtimestamp(hour * 3_600, dt.UTC)
    end = start + dt.timedelta(hours=1)
    view = _NEAR
    for name, value in (("$from", start - EDGE), ("$to", end + EDGE)):
        view = view.replace(name, f"TIMESTAMPTZ '{value.isoformat()}'")
    return view


def _sorted_rows(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.RecordBatch]:
    columns = ", ".join(f'"{name}"' for name in ROWS.names)
    answer: Any = connection.sql(f"SELECT {columns} FROM ({query}) ORDER BY {', '.join(SORTED_BY)}")  # noqa: S608 - ours
    for batch in answer.to_arrow_reader(BATCH_ROWS):
        yield batch.cast(ROWS)
