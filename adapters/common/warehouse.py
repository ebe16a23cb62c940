"""SQL over the history by delta-rs' own engine (DataFusion), on every provider.

A query sees one version of each table that it names, and nothing else: no files, no network, no settings. Only files
that may have what it asks for are read, by their partition and by what the log says of them. A reader changes
nothing: a table that is not there yet is empty, and a column that an older one has not got is null.
"""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any, Final

from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import TableNotFoundError

from adapters.common.sql import Query, refused
from shared.errors import InvalidInput, Unavailable
from shared.history.delta import answering, in_one_line, patient, uri_of
from shared.history.tables import COLUMNS

MEMORY: Final = "1G"
"""What a query may hold; past that it sorts and groups on the disk of temporary files, or is refused."""

_NOT_UNDERSTOOD: Final = (
    "Error during planning",
    "Schema error",
    "SQL error",
    "This feature is not implemented",
    "Optimizer rule",
    "type_coercion",
    "Arrow error: Cast error",
    "Arrow error: Divide by zero",
    "Arrow error: Arithmetic overflow",
)
"""What the engine's messages say where the query is at fault; it has no other sign of it."""


class DeltaWarehouse:
    """`shared.ports.Warehouse`. Raises InvalidInput for SQL that is not one SELECT, or is wrong, and Unavailable."""

    def __init__(self, history_uri: Callable[[], tuple[str, dict[str, str]]]) -> None:
        self._history = history_uri
        self._lock = threading.Lock()

    def query(self, sql: str, parameters: dict[str, object]) -> list[dict[str, object]]:
        """Its rows by name; times are datetimes in UTC, which they do not say."""
        asked = Query(sql, parameters)
        with self._lock:
            engine = QueryBuilder()
            for name in sorted(asked.tables() & COLUMNS.keys()):
                self._register(engine, asked, name)
            try:
                engine.execute(f"SET datafusion.runtime.memory_limit = '{MEMORY}'")
                for step in asked.steps():
                    answer = engine.execute(step)
                return _rows(answer)
            except Exception as error:  # what the engine raises while it reads is of no class of its own
                raise _translated(error) from error

    def _register(self, engine: QueryBuilder, asked: Query, name: str) -> None:
        root, options = self._history()
        uri = uri_of(root, name)
        with answering(uri, name, "read"):
            try:
                table = DeltaTable(uri, storage_options=patient(uri, options))
            except TableNotFoundError:
                asked.empty(name, COLUMNS[name])
                return
            present = {field.name for field in table.schema().fields}
            engine.register(name, table)
        missing = {column: kind for column, kind in COLUMNS[name].items() if column not in present}
        if missing:
            asked.complete(name, missing)


def _rows(reader: Any) -> list[dict[str, object]]:
    """All rows of a reader."""
    names = reader.schema.names
    columns = [[_plain(value) for value in column.to_pylist()] for column in _table(reader).columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _table(reader: Any) -> Any:
    """Read by pyarrow where that is installed: it lets other threads run meanwhile, which arro3 does not."""
    try:
        import pyarrow as pa
    except ImportError:
        return reader.read_all()
    return pa.RecordBatchReader.from_stream(reader).read_all()


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime) and value.tzinfo:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value


def _translated(error: Exception) -> Exception:
    said = in_one_line(error)
    if any(sign in said for sign in _NOT_UNDERSTOOD):
        return refused(f"the query is not understood: {said}")
    known = isinstance(error, InvalidInput | Unavailable)
    return error if known else Unavailable(f"the history cannot be read: {said}")
