"""SQL over the local history: DuckDB reads the newest versions of its tables.

Through Arrow, since DuckDB's own Delta extension is a download. A query sees one version of each table and can reach
nothing else: no files, no network, no settings.
"""

import threading
from typing import Any, Final

import duckdb
import pyarrow as pa

from shared.errors import InvalidInput, Unavailable
from shared.history.lake import Lake
from shared.history.schema import SCHEMAS, TIME
from shared.ports import Ports
from shared.settings import Settings

_STORED: Final = "stored_"


class LocalWarehouse:
    """`shared.ports.Warehouse` in this process. Raises InvalidInput for SQL that is not one SELECT, or is wrong."""

    def __init__(self, ports: Ports, _: Settings) -> None:
        self._history = ports.history_uri
        self._lock = threading.Lock()

    def query(self, sql: str, parameters: dict[str, object]) -> list[dict[str, object]]:
        with self._lock, duckdb.connect() as connection:
            for name in SCHEMAS:
                connection.register(f"{_STORED}{name}", Lake(*self._history(), name).snapshot())
                connection.execute(_view(name))
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET python_enable_replacements = false")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            try:
                return _rows(connection, sql, parameters)
            except (duckdb.OperationalError, duckdb.InternalError, pa.ArrowException, OSError) as error:
                raise Unavailable(f"the history cannot be read: {error}") from error
            except duckdb.Error as error:
                if _STORED in str(error):  # Arrow could not read a file of it, which DuckDB calls invalid input
                    raise Unavailable(f"the history cannot be read: {error}") from error
                raise InvalidInput(f"the query is not understood: {error}", reason="sql") from error


def _view(name: str) -> str:
    """The table with its timestamps as TIMESTAMP in UTC, which need neither time zone data nor pytz to be read."""
    times = [field.name for field in SCHEMAS[name] if field.type == TIME]
    replaced = ", ".join(f"{time}::TIMESTAMP AS {time}" for time in times)
    return f"CREATE VIEW {name} AS SELECT * {f'REPLACE ({replaced})' if times else ''} FROM {_STORED}{name}"  # noqa: S608 - names of ours


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, object]) -> list[dict[str, object]]:
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise InvalidInput("the warehouse answers one SELECT at a time; it changes nothing", reason="sql")
    answer: Any = connection.execute(statements[0], parameters)
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
