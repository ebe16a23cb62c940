"""A Delta Lake table opened: made when there is none, with the columns that it had not yet. Needs no Arrow."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from deltalake import DeltaTable, Field, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType

from shared.errors import Unavailable
from shared.history.tables import COLUMNS, PARTITION_BY

CONFIGURATION: Final[Mapping[str, str | None]] = {
    "delta.checkpointInterval": "100",
    "delta.logRetentionDuration": "interval 7 days",
    "delta.deletedFileRetentionDuration": "interval 1 days",
}
"""A replaced file stays for a day, so that a reader may finish what it began."""

_PATIENCE: Final = {"max_retries": "5", "retry_timeout": "30s"}
"""How long a store is asked again, with growing waits, before it counts as away."""
_COLOURED: Final = re.compile(r"\x1b\[[0-9;]*m|↳")


def uri_of(root: str, name: str) -> str:
    """Where a table lies under the history's root."""
    return f"{root.rstrip('/')}/{name}"


def patient(uri: str, options: dict[str, str]) -> dict[str, str]:
    """The storage options for a store, with how often it is asked again where they do not say."""
    return _PATIENCE | options if "://" in uri else options


def in_one_line(error: BaseException) -> str:
    """What delta-rs says, without its indents and colours."""
    return " ".join(_COLOURED.sub(" ", str(error)).split())


def open_table(root: str, options: dict[str, str], name: str) -> DeltaTable:
    """The table at its newest version. Raises Unavailable."""
    uri = uri_of(root, name)
    options = patient(uri, options)
    with answering(uri, name, "opened"):
        try:
            table = DeltaTable(uri, storage_options=options)
        except TableNotFoundError:
            table = _made(uri, options, name)
        present = {field.name for field in table.schema().fields}
        missing = [field for field in _fields(name) if field.name not in present]
        if missing:
            table.alter.add_columns(missing)
        return table


@contextmanager
def answering(uri: str, name: str, done: str) -> Iterator[None]:
    """What goes wrong at the store becomes Unavailable, and says what to do."""
    try:
        yield
    except (DeltaError, OSError) as error:
        raise Unavailable(
            f"the table {name} cannot be {done}: {in_one_line(error)}. Check that its store answers and has space; "
            f"if files under {uri} are damaged, restore them from a backup."
        ) from error


def _made(uri: str, options: dict[str, str], name: str) -> DeltaTable:
    DeltaTable.create(
        uri,
        Schema(_fields(name)),
        mode="ignore",
        partition_by=list(PARTITION_BY.get(name, ())),
        configuration=CONFIGURATION,
        storage_options=options,
    )
    return DeltaTable(uri, storage_options=options)


def _fields(name: str) -> list[Field]:
    return [Field(column, PrimitiveType(kind)) for column, kind in COLUMNS[name].items()]
