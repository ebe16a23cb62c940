"""Small files of an hour into few sorted ones, and repeats out.

Bodies without a `batch_id` get other record ids each time they are sent, so what their senders repeat is told by
(write key, session, event_id) instead: the row that was received first stays. A row of a body with a `batch_id` is
never taken for a repeat. A sender whose clock is corrected anew may land its repeat in the next hour, so the edges of
the hours beside are looked at too.

A rewrite reads the files of one version, writes their rows to a new file, and commits that file in their place only
while all of them are still in the table. Appends meanwhile are left as they are, and a reader keeps the version that
it opened.
"""

from collections.abc import Sequence
from typing import Final

from deltalake import DeltaTable

from shared.errors import Unavailable
from shared.history.lake import Action, DataFile, Lake, partition_of
from shared.history.merging import Left, merged
from shared.history.repeats import repeats
from shared.history.schema import ROWS
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
            except Unavailable as error:
                failures.append(f"{partition_of(hour)}: {error}")
        if failures:
            raise Unavailable(f"hours of the history that cannot be compacted: {'; '.join(failures)}")
        return rewritten

    def _compact(self, hour: int, by_hour: dict[int, list[DataFile]], everything: bool) -> bool:
        files = by_hour[hour]
        left_out = self._repeats(hour, files, [*by_hour.get(hour - 1, []), *by_hour.get(hour + 1, [])])
        chosen = files if left_out or (everything and len(files) > 1) else self._worth_merging(hour, files)
        return bool(chosen) and self._replace(hour, chosen, left_out)

    def _repeats(self, hour: int, files: Sequence[DataFile], beside: Sequence[DataFile]) -> Left:
        paths = frozenset(file.path for file in (*files, *beside))
        if self._clean.get(hour) == paths:
            return {}
        found = repeats(self._lake, hour, files, beside)
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

    def _replace(self, hour: int, old: Sequence[DataFile], left_out: Left) -> bool:
        new = self._lake.write(merged(self._lake, old, left_out), ROWS, hour)
        paths = {file.path for file in old}

        def decide(table: DeltaTable) -> list[Action] | None:
            present = {file.path for file in self._lake.files(table)}
            return [new, *self._lake.remove(old)] if paths <= present else None

        return self._lake.commit(decide)
