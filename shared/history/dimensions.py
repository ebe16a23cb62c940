"""The tables beside the facts: which contents there are, and what viewers agreed to be known by.

Both are rebuilt whole in one commit against the version that was read, so that two at once, or one that was cut off,
leave a table that some run made whole.
"""

from collections.abc import Iterator
from typing import Final

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, Transaction

from shared.history.lake import Action, DataFile, Lake
from shared.history.schema import CONTENT_SCHEMA, USERS_SCHEMA
from shared.ports import Table
from shared.viewing.attributes import NAMES, all_attributes

APPLICATION: Final = "grandstand-dimensions"
MARGIN_MS: Final = 600_000
"""How long a file may be written before it is committed, and how far two committers' clocks may be apart."""

_MERGED: Final = """
    SELECT
        content_id,
        arg_max(content_type, last_seen) AS content_type,
        arg_max(title, last_seen) AS title,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen
    FROM (
        SELECT content_id, content_type, title, first_seen, last_seen FROM known
        UNION ALL
        SELECT
            content_id, arg_max(content_type, event_timestamp), arg_max(extra ->> '$.title', event_timestamp),
            min(event_timestamp), max(event_timestamp)
        FROM facts GROUP BY content_id
    )
    GROUP BY content_id ORDER BY content_id
"""


def update_contents(facts: Lake, contents: Lake) -> bool:
    """Merge what was written since the last update into `dim_content`; whether anything was. Raises Unavailable.

    Earliest, latest and newest are the same however often a row is merged, so some are read again to be sure.
    """
    files = facts.files(facts.open())

    def decide(table: DeltaTable) -> list[Action] | None:
        done = table.transaction_version(APPLICATION) or 0
        new = [file for file in files if file.written_at > done - MARGIN_MS]
        if not any(file.written_at > done for file in new):
            return None
        known = contents.files(table)
        merged = _merged(facts, new, contents, known)
        return [contents.write(iter(merged.to_batches()), CONTENT_SCHEMA), *contents.remove(known)]

    newest = max((file.written_at for file in files), default=0)
    return contents.commit(decide, Transaction(APPLICATION, newest))


def update_users(viewers: Table, users: Lake) -> bool:
    """Make `dim_users` what table `viewers` holds; whether it was anything else. Raises Unavailable."""
    rows = [
        {"viewer_id": pseudonym.hex(), **{name: known.get(name) for name in NAMES}}
        for pseudonym, known in sorted(all_attributes(viewers))
    ]
    wanted = pa.Table.from_pylist(rows, USERS_SCHEMA)

    def decide(table: DeltaTable) -> list[Action] | None:
        present = users.files(table)
        if users.dataset(present).to_table().sort_by("viewer_id").equals(wanted):
            return None
        batches: Iterator[pa.RecordBatch] = iter(wanted.to_batches())
        return [users.write(batches, USERS_SCHEMA), *users.remove(present)]

    return users.commit(decide)


def _merged(facts: Lake, new: list[DataFile], contents: Lake, known: list[DataFile]) -> pa.Table:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("facts", facts.dataset(new))
        connection.register("known", contents.dataset(known))
        merged: pa.Table = connection.sql(_MERGED).to_arrow_table()
        return merged.cast(CONTENT_SCHEMA)
