"""The tables of the history (tables.py) as Arrow schemas."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from shared.history.tables import COLUMNS, CONTENT, FACTS, PARTITION, ROW, USERS

if TYPE_CHECKING:
    ArrowArray = pa.Array[Any]
else:
    ArrowArray = pa.Array

TIME: Final = pa.timestamp("us", tz="UTC")

TYPES: Final[dict[str, pa.DataType]] = {
    "string": pa.string(),
    "long": pa.int64(),
    "integer": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": TIME,
}
"""By Delta Lake's name."""


def _schema(columns: Mapping[str, str]) -> pa.Schema:
    return pa.schema([pa.field(name, TYPES[kind]) for name, kind in columns.items()])


ROWS: Final = _schema(ROW)
"""What a data file holds."""

STAGED: Final = ROWS.append(pa.field("first_appended_at", pa.int64()))
"""What a staged file holds once its words are decoded; `first_appended_at` is in ms since epoch."""

PARTITIONS: Final = _schema(PARTITION)

SCHEMAS: Final = {name: _schema(columns) for name, columns in COLUMNS.items()}
FACT_SCHEMA: Final = SCHEMAS[FACTS]
CONTENT_SCHEMA: Final = SCHEMAS[CONTENT]
USERS_SCHEMA: Final = SCHEMAS[USERS]
