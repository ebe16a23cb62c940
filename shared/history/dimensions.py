"""The tables beside the facts: which contents there are, and what viewers agreed to be known by.

Both are rebuilt whole in one commit against the version that was read, so that two at once, or one that was cut off,
leave a table that some run made whole.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, Transaction

from shared.history.lake import Action, DataFile, Lake, Snapshot
from shared.history.schema import CONTENT_SCHEMA, USERS_SCHEMA
from shared.ports import Table
from shared.viewing.attributes import NAMES, all_attributes

APPLICATION: Final = "grandstand-dimensions"
_COLUMNS: Final = ("content_id", "content_type", "event_timestamp", "extra")
MARGIN_MS: Final = 600_000
"""How long a file may be written before it is committed, and how far two committers' clocks may be apart."""


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
        if Snapshot(users, present).to_table().sort_by("viewer_id").equals(wanted):
            return None
        batches: Iterator[pa.RecordBatch] = iter(wanted.to_batches())
        return [users.write(batches, USERS_SCHEMA), *users.remove(present)]

    return users.commit(decide)


def _merged(facts: Lake, new: Iterable[DataFile], contents: Lake, known: Sequence[DataFile]) -> pa.Table:
    """One row a content: what is known and what the new files say, the newest type and title that anyone told."""
    said = [_said(batch) for file in new for batch in facts.batches(file, _COLUMNS)]
    return _united([Snapshot(contents, known).to_table(), _united(said)])


def _said(events: pa.RecordBatch) -> pa.Table:
    """What some events say of their contents, a row an event, then a row a content."""
    at = events.column("event_timestamp")
    columns = [events.column("content_id"), events.column("content_type"), _titles(events.column("extra")), at, at]
    return _united([pa.Table.from_arrays(columns, schema=CONTENT_SCHEMA)])


def _united(parts: Sequence[pa.Table]) -> pa.Table:
    rows = pa.concat_tables(parts)
    seen = rows.group_by("content_id").aggregate([("first_seen", "min"), ("last_seen", "max")])
    seen = seen.rename_columns({"first_seen_min": "first_seen", "last_seen_max": "last_seen"})
    for name in ("content_type", "title"):
        told = rows.filter(pc.is_valid(rows.column(name))).sort_by([("last_seen", "ascending"), (name, "ascending")])
        newest = told.group_by("content_id", use_threads=False).aggregate([(name, "last")])
        seen = seen.join(newest.rename_columns({f"{name}_last": name}), "content_id")
    return seen.select(CONTENT_SCHEMA.names).cast(CONTENT_SCHEMA).sort_by("content_id")


def _titles(extra: "pa.Array[Any]") -> "pa.Array[Any]":
    """The `title` in these JSON objects; null where there is none."""
    coded = extra.dictionary_encode()
    titles = [_title(text) for text in coded.dictionary.to_pylist()]
    return pc.take(pa.array(titles, pa.string()), coded.indices)


def _title(text: Any) -> str | None:
    title = json.loads(text).get("title") if '"title"' in text else None
    return title if title is None or isinstance(title, str) else json.dumps(title)
