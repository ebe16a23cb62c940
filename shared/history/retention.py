"""What the history forgets: days past the retention, and files that no version needs any more."""

from typing import Final

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from shared.errors import Unavailable, VersionConflict
from shared.history.delta import in_one_line
from shared.history.lake import Action, Lake
from shared.ports import ABSENT, Clock, Table
from shared.units import HOUR_MS

VACUUM_EVERY_MS: Final = 6 * HOUR_MS
KEEP_HOURS: Final = 24
"""How long a replaced file stays for readers, and one that was written but never committed."""
KEY: Final = ("maintenance", "vacuum")


def forget(facts: Lake, history_days: int, clock: Clock) -> int:
    """Take the hours that ended over `history_days` ago out of the table; how many files."""
    oldest = clock.now_ms() // HOUR_MS - 24 * history_days
    forgotten = 0

    def decide(table: DeltaTable) -> list[Action] | None:
        nonlocal forgotten
        files = [file for file in facts.files(table) if file.hour is not None and file.hour < oldest]
        forgotten = len(files)
        return facts.remove(files) if files else None

    facts.commit(decide)
    return forgotten


def vacuum(lakes: list[Lake], table: Table, clock: Clock) -> bool:
    """Delete the files that no version has named for a day, four times a day; whether it was time.

    Raises Unavailable.
    """
    now = clock.now_ms()
    item = table.get(*KEY)
    if item and int(item.value) > now - VACUUM_EVERY_MS:
        return False
    try:
        table.put(*KEY, str(now).encode(), if_version=item.version if item else ABSENT)
        for lake in lakes:
            lake.open().vacuum(KEEP_HOURS, dry_run=False, full=True)
    except VersionConflict:
        return False
    except (DeltaError, OSError) as error:
        raise Unavailable(f"old files of the history cannot be deleted: {in_one_line(error)}") from error
    return True
