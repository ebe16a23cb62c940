"""What became of everything that was received, exactly: from the tallies that travel with the records."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from shared.audience.dirty import DIRTY_TABLE, partitions, read_dirty
from shared.audience.keys import CONTENTS_TABLE, WINDOWS_PER_MINUTE
from shared.audience.query import runs
from shared.audience.rollup import MINUTE
from shared.audience.stored import StateReader
from shared.audience.totals import (
    MINUTES_PER_HOUR,
    HourOfContent,
    Totals,
    hour_partition,
    read_hour,
    totals_of,
)
from shared.ports import Ports, query_all

LATE: Final = "late"


class TotalsReader:
    """Totals by content: of rolled-up minutes as they are kept, of dirty ones from their states, none twice."""

    def __init__(self, ports: Ports, states: StateReader) -> None:
        self._dirty = ports.table(DIRTY_TABLE)
        self._contents = ports.table(CONTENTS_TABLE)
        self._states = states

    def by_content(self, first: int, last: int) -> dict[str, Totals]:
        """Totals of the minutes first to last (since the epoch), by content id; "" holds what named no content.

        Marks are read first: a minute that is rolled up meanwhile is still read from its states.
        """
        dirty = self.marked(first, last)
        found: dict[str, Totals] = defaultdict(lambda: Totals(rejected={}))
        for entry in self._hours(first, last):
            for minute, totals in entry.minutes.items():
                if first <= minute <= last and minute not in dirty.get(entry.content_id, ()):
                    found[entry.content_id].add(totals)
        for content_id, minutes in dirty.items():
            for begin, end in runs(sorted(minutes)):
                found[content_id].add(self._from_states(content_id, begin, end))
        return found

    def newest(self, first: int, last: int) -> dict[str, int]:
        """By content the newest of the minutes first to last in which anything was counted, or may have been.

        A marked minute may turn out to be empty: each is marked that a report may reach into.
        """
        found = {content_id: max(minutes) for content_id, minutes in self.marked(first, last).items()}
        for entry in self._hours(first, last):
            told = (minute for minute, one in entry.minutes.items() if first <= minute <= last and one.counted)
            newest = max(told, default=-1)
            if newest > found.get(entry.content_id, -1):
                found[entry.content_id] = newest
        found.pop("", None)
        return found

    def marked(self, first: int, last: int) -> Mapping[str, set[int]]:
        """By content those of the minutes first to last that are not rolled up, or not since they changed."""
        marked: dict[str, set[int]] = defaultdict(set)
        for partition in partitions():
            for item in query_all(self._dirty, partition):
                mark = read_dirty(item.value)
                if item.sort[-13:-11] == MINUTE.name and first <= mark.number <= last:
                    marked[mark.content_id].add(mark.number)
        return marked

    def _hours(self, first: int, last: int) -> Iterator[HourOfContent]:
        """The hours that the minutes first to last touch, of every content."""
        for hour in range(first // MINUTES_PER_HOUR, last // MINUTES_PER_HOUR + 1):
            for item in query_all(self._contents, hour_partition(hour)):
                yield read_hour(item.value)

    def _from_states(self, content_id: str, first: int, last: int) -> Totals:
        begin, end = first * WINDOWS_PER_MINUTE, (last + 1) * WINDOWS_PER_MINUTE - 1
        states = self._states.between(content_id, begin, end, any_k=True)
        return totals_of(state for each in states.values() for state in each)


def completeness(totals: Mapping[str, Totals]) -> dict[str, object]:
    """The classes over all contents: received = counted + duplicate + late + rejected + sampled_out."""
    whole = Totals(rejected={})
    for one in totals.values():
        whole.add(one)
    return {
        "received": whole.received,
        "counted": whole.counted,
        "duplicate": whole.duplicate,
        "late": whole.rejected.pop(LATE, 0),
        "rejected": dict(sorted(whole.rejected.items())),
        "sampled_out": whole.sampled_out,
    }
