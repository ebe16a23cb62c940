"""Staged files as `commit` finds them: one Arrow file a batch, which `archive` wrote (staging.py)."""

import pyarrow as pa

from shared.errors import CorruptData
from shared.history.schema import STAGED
from shared.history.tables import SPARSE


def rows_of_name(name: str) -> int:
    """How many rows a staged file has, by its name."""
    return int(name.removesuffix(".arrow").rpartition("-")[2])


def read_staged(name: str, data: bytes) -> pa.Table:
    """The rows of a staged file, in STAGED's types, with null where it was staged without a column.

    Raises CorruptData.
    """
    try:
        with pa.ipc.open_file(pa.BufferReader(data)) as reader:
            table = reader.read_all()
        for field in map(STAGED.field, (*SPARSE, "extra")):
            if field.name not in table.column_names:
                table = table.append_column(field, pa.nulls(table.num_rows, field.type))
        return table.select(STAGED.names).cast(STAGED)
    except (pa.ArrowException, ValueError, LookupError, OSError) as error:
        raise CorruptData(f"staged file {name} cannot be read: {error}") from error
