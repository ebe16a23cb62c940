"""Staged files into the history: every record once, whatever was redelivered, bisected or staged twice.

A commit goes through these steps. A crash after any of them is made good by whoever runs next, and two committers at
once do the same work twice but have its effect once:

1. Write intent n, that is the staged files to add, in place of the closed intent before it, if that is unchanged.
   An intent that is still open is carried on with instead.
2. Read the files and leave out the records that the ledger holds. The ledger cannot change meanwhile: only commit n
   may be next, and whoever makes it finds the same.
3. Write the data files and commit them as application transaction n, against a version of the table whose last
   transaction is below n (lake.py: a compare-and-swap on the version).
4. Add the records to the ledger.
5. Delete the staged files. A file that archive has staged again since has the same name and the same records.
6. Close the intent.
"""

import logging
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, Transaction

from shared.errors import CorruptData, VersionConflict
from shared.history.lake import Action, Lake, sorted_batches
from shared.history.ledger import Ledger
from shared.history.schema import ROWS
from shared.history.staged import read_staged, rows_of_name
from shared.history.tables import BATCHES, DAMAGED, SORTED_BY
from shared.ports import ABSENT, Clock, Item, ObjectStore, Table
from shared.stream import Deadline
from shared.units import HOUR_MS

APPLICATION: Final = "grandstand-commit"
KEY: Final = ("commit", "intent")
MAX_ROWS: Final = 250_000
MAX_FILES: Final = 256

RecordHour = tuple[int, bytes]
"""An hour since epoch and a record that has rows in it."""

log = logging.getLogger(__name__)


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What commit `n` adds; `open` until all of its steps are done."""

    n: int
    files: list[str]
    open: bool
    doubtful: bool = False
    """No intent came before, so that the ledger may lack records of a commit: the history itself is asked."""


class Committer:
    """Adds what is staged to the history. `horizon_ms` is how long the ledger surely remembers a record."""

    def __init__(
        self, *, staging: ObjectStore, ledger: Ledger, table: Table, lake: Lake, clock: Clock, horizon_ms: int
    ) -> None:
        self._staging = staging
        self._ledger = ledger
        self._table = table
        self._lake = lake
        self._clock = clock
        self._horizon_ms = horizon_ms
        self.taken = 0
        """Rows that were staged, those left out among them."""

    def run(self, deadline: Deadline) -> int:
        """Commit until nothing is staged or the deadline is near. How many rows were added.

        Raises Unavailable, and CorruptData when the ledger or the intent cannot be read.
        """
        added = 0
        while not deadline.near(5_000):
            try:
                intent, version = self._intend()
            except VersionConflict:
                continue
            if not intent.open:
                break
            self.taken += sum(map(rows_of_name, intent.files))
            added += self._carry_out(intent, version)
        return added

    def _intend(self) -> tuple[Intent, str]:
        """Step 1: the intent to carry out, and its version; a closed one when nothing is staged."""
        item = self._table.get(*KEY)
        last = _decode(item) if item else None
        if last and last.open and item:
            return last, item.version
        files = list(self._next_files())
        done = max(last.n if last else 0, self._lake.open().transaction_version(APPLICATION) or 0) if files else 0
        intent = Intent(n=done + 1, files=files, open=bool(files), doubtful=last is None)
        if not files:
            return intent, ABSENT
        version = self._table.put(*KEY, msgspec.json.encode(intent), if_version=item.version if item else ABSENT)
        return intent, version

    def _next_files(self) -> Iterator[str]:
        rows = 0
        for count, name in enumerate(self._staging.list(BATCHES)):
            rows += rows_of_name(name)
            if count and (rows > MAX_ROWS or count >= MAX_FILES):
                return
            yield name

    def _carry_out(self, intent: Intent, version: str) -> int:
        rows, records = self._new_rows(intent)  # 2.
        added = self._commit(intent.n, rows)  # 3.
        for hour in sorted({hour for hour, _ in records}):  # 4.
            here = [record_id for of_hour, record_id in records if of_hour == hour]
            self._ledger.add(hour, here, self._clock.now_ms())
        for name in intent.files:  # 5.
            self._staging.delete(name)
        closed = msgspec.structs.replace(intent, files=[], open=False)
        try:
            self._table.put(*KEY, msgspec.json.encode(closed), if_version=version)  # 6.
        except VersionConflict:
            log.info("commit %d was closed by another committer", intent.n)
        return added

    def _new_rows(self, intent: Intent) -> tuple[dict[int, pa.Table], set[RecordHour]]:
        """The rows to add, by hour, and the records that the ledger must hold once they are added."""
        tables: dict[int, list[pa.Table]] = {}
        taken: set[RecordHour] = set()
        for name in intent.files:
            data = self._staging.get(name)
            if data is None:
                continue  # commit n is made, and its files are being deleted
            try:
                staged = read_staged(name, data)
            except CorruptData as error:
                self._staging.put(DAMAGED + name.removeprefix(BATCHES), data)
                log.error("%s; it is kept under %s, and its records are not in the history", error, DAMAGED)
                continue
            for hour, rows in _by_hour(staged):
                unlisted = self._unlisted(hour, rows, taken)
                taken |= {(hour, record_id) for record_id in unlisted}
                new = unlisted.keys() - self._present(hour, self._unsure(unlisted, intent.doubtful))
                wanted = pa.array([record_id.hex() for record_id in new], pa.string())
                kept = rows.filter(pc.is_in(rows.column("record_id"), value_set=wanted))
                tables.setdefault(hour, []).append(kept.select(ROWS.names))
        merged = {hour: pa.concat_tables(parts) for hour, parts in tables.items()}
        return {hour: rows for hour, rows in merged.items() if rows.num_rows}, taken

    def _unlisted(self, hour: int, rows: pa.Table, taken: set[RecordHour]) -> dict[bytes, int]:
        """The records of these rows that neither the ledger nor an earlier staged file has; when first appended."""
        grouped = rows.group_by("record_id").aggregate([("first_appended_at", "min")])
        appended = {
            bytes.fromhex(text): at
            for text, at in zip(*(column.to_pylist() for column in grouped.columns), strict=True)
            if (hour, bytes.fromhex(text)) not in taken
        }
        known = self._ledger.known(hour, list(appended))
        return {record_id: at for record_id, at in appended.items() if record_id not in known}

    def _unsure(self, appended: dict[bytes, int], doubtful: bool) -> list[bytes]:
        """The records that the ledger may have forgotten, so that the history itself is asked."""
        forgotten = self._clock.now_ms() - self._horizon_ms
        return [record_id for record_id, at in appended.items() if doubtful or at < forgotten]

    def _present(self, hour: int, record_ids: list[bytes]) -> set[bytes]:
        """Which of these records have rows of that hour in the history."""
        if not record_ids:
            return set()
        table = self._lake.open()
        files = [file for file in self._lake.files(table) if file.hour == hour]
        wanted = {record_id.hex() for record_id in record_ids}
        present: set[str] = set()
        for file in files:
            for batch in self._lake.batches(file, ["record_id"]):
                present |= wanted.intersection(pc.unique(batch.column(0)).to_pylist())
        return {record_id for record_id in record_ids if record_id.hex() in present}

    def _commit(self, n: int, rows: dict[int, pa.Table]) -> int:
        """Step 3. How many rows were added: none when commit n is made already."""
        if not rows or self._made(self._lake.open(), n):
            return 0
        files = [
            self._lake.write(sorted_batches(table, SORTED_BY), ROWS, hour) for hour, table in sorted(rows.items())
        ]

        def decide(table: DeltaTable) -> list[Action] | None:
            return None if self._made(table, n) else [*files]

        committed = self._lake.commit(decide, Transaction(APPLICATION, n))
        return sum(table.num_rows for table in rows.values()) if committed else 0

    @staticmethod
    def _made(table: DeltaTable, n: int) -> bool:
        return (table.transaction_version(APPLICATION) or 0) >= n


def _by_hour(staged: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    microseconds: Any = pc.cast(staged.column("event_timestamp"), pa.int64())
    hours: Any = pc.divide(microseconds, HOUR_MS * 1_000)
    for hour in sorted(pc.unique(hours).to_pylist()):
        yield hour, staged.filter(pc.equal(hours, hour))


def _decode(item: Item) -> Intent:
    try:
        return msgspec.json.decode(item.value, type=Intent)
    except msgspec.MsgspecError as error:
        raise CorruptData(
            f"the commit intent in table history cannot be read: {error}. Delete the item {KEY}: what is staged is "
            "then compared with the history itself, and nothing is lost or added twice."
        ) from None
