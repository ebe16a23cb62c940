"""What there is to see of all contents at one moment, read once for all who ask."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from shared.audience.completeness import TotalsReader
from shared.audience.estimate import Estimate
from shared.audience.keys import CONTENTS_TABLE, active_partition
from shared.audience.query import read_active
from shared.audience.recent import Recent, RecentReader
from shared.audience.rollup import HOUR, MINUTE, WINDOW
from shared.audience.totals import Totals
from shared.contents.catalogue import Catalogue, Entry
from shared.health.delay import DelayReader
from shared.keys import content_key
from shared.ports import MAX_BATCH_GET, Ports
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS

ON_DEMAND: Final = "vod"
"""A `content_type` that is never live, unless the catalogue says when it begins."""
FRESH_MINUTES: Final = 2
"""Besides the running one. Minutes so new are marked dirty, so the marks alone name what was reported of."""
PAST_MS: Final = 3 * HOUR_MS
"""How far back a content has just ended, or is late."""
COMING_MS: Final = 7 * DAY_MS
KEPT_MS: Final = 20_000
"""What moves by the minute is read again after so long."""


@dataclass
class Scene:
    """One moment. What is worked out for one caller serves the others."""

    now_ms: int
    delay_ms: int | None
    reported: frozenset[str]
    """Contents of which anything was, or may have been, reported in the last minutes."""
    scheduled: frozenset[str]
    """Contents that the catalogue says are on, of those that are near in time or were reported of lately."""
    newest: Mapping[str, int]
    """By content the newest minute of the last hours in which anything was, or may have been, reported."""
    entries: Mapping[str, Entry]
    on_demand: frozenset[str]
    _reader: "SceneReader"
    _recents: dict[str, Recent] = field(default_factory=dict)

    def title(self, content_id: str) -> str | None:
        """What the catalogue calls it."""
        entry = self.entries.get(content_id)
        return entry.title if entry else None

    def recent(self, content_id: str) -> Recent:
        """The content's last minutes."""
        if content_id not in self._recents:
            self._recents[content_id] = self._reader.recents.of(content_id, self.now_ms)
        return self._recents[content_id]

    def peak(self, content_id: str, since_ms: int, until_ms: int) -> Estimate:
        """The most concurrent viewers in the whole hours that the stretch touches."""
        return self._reader.peak(content_id, since_ms, until_ms, self.now_ms)

    @cached_property
    def totals(self) -> Mapping[str, Totals]:
        """What each content added up to in the last minutes; what is new may be missing."""
        return self._reader.added_up(self.now_ms)

    def reported_ms(self, content_id: str) -> int | None:
        """When the last report came: the end of its window if that is known, else of its minute."""
        recent = self.recent(content_id) if content_id in self.reported else None
        if recent is not None and recent.newest_ms is not None:
            return min(self.now_ms, recent.newest_ms + WINDOW.ms)
        minute = self.newest.get(content_id)
        return None if minute is None else min(self.now_ms, (minute + 1) * MINUTE_MS)

    def begun(self, entry: Entry) -> bool:
        """Whether anything was reported since the content should have begun."""
        reported = self.reported_ms(entry.content_id)
        return reported is not None and (entry.starts_at is None or reported > entry.starts_at)


class SceneReader:
    """Reads scenes from the tables. Safe for threads: what two of them do at once is done twice."""

    def __init__(self, ports: Ports) -> None:
        self.recents = RecentReader(ports)
        self.totals = TotalsReader(ports, self.recents.reader.states)
        self._clock = ports.clock
        self._contents = ports.table(CONTENTS_TABLE)
        self._catalogue = Catalogue(ports)
        self._delay = DelayReader(ports)
        self._past: tuple[int, Mapping[str, int], frozenset[str]] | None = None
        self._added_up: tuple[int, Mapping[str, Totals]] | None = None
        self._peaks: dict[tuple[str, int, int], tuple[int, Estimate]] = {}

    def scene(self) -> Scene:
        """What there is now."""
        now = self._clock.now_ms()
        minute = MINUTE.number(now)
        marked = self.totals.marked(minute - FRESH_MINUTES, minute)
        reported = {content_id: max(minutes) for content_id, minutes in marked.items() if content_id}
        near = self._catalogue.between(now - PAST_MS, now + COMING_MS)
        past, past_on_demand = self._newest(now)
        newest = {**past, **reported}
        entries = {**near, **self._catalogue.entries(newest.keys() - near.keys())}
        on_demand = self._on_demand(reported, range(HOUR.number(now) - 1, HOUR.number(now) + 1)) | past_on_demand
        return Scene(
            now_ms=now,
            delay_ms=self._delay.delay_ms(),
            reported=frozenset(reported),
            scheduled=frozenset(name for name, entry in entries.items() if _on(entry, now)),
            newest=newest,
            entries=entries,
            on_demand=frozenset(name for name in on_demand if name not in entries or entries[name].starts_at is None),
            _reader=self,
        )

    def added_up(self, now: int) -> Mapping[str, Totals]:
        """What each content added up to in the last minutes."""
        if self._added_up is None or not 0 <= now - self._added_up[0] < KEPT_MS:
            minute = MINUTE.number(now)
            self._added_up = now, self.totals.by_content(minute - FRESH_MINUTES, minute)
        return self._added_up[1]

    def peak(self, content_id: str, since_ms: int, until_ms: int, now_ms: int) -> Estimate:
        """The most concurrent viewers of a content that is over: late reports change it, so it is read again."""
        key = content_id, since_ms, until_ms
        known = self._peaks.get(key)
        if known is None or not 0 <= now_ms - known[0] < KEPT_MS:
            known = now_ms, self.recents.most(content_id, since_ms, until_ms)
            self._peaks = {name: one for name, one in self._peaks.items() if now_ms - one[0] < KEPT_MS} | {key: known}
        return known[1]

    def _newest(self, now: int) -> tuple[Mapping[str, int], frozenset[str]]:
        """The newest minute of each content of the last hours, and which of them are on demand."""
        if self._past is None or not 0 <= now - self._past[0] < KEPT_MS:
            newest = self.totals.newest(MINUTE.number(now - PAST_MS), MINUTE.number(now))
            hours = range(HOUR.number(now - PAST_MS), HOUR.number(now) + 1)
            self._past = now, newest, self._on_demand(newest, hours)
        return self._past[1:]

    def _on_demand(self, content_ids: Iterable[str], hours: range) -> frozenset[str]:
        """Those of the contents whose players said so in these hours."""
        keys = [(active_partition(hour), content_key(content_id)) for content_id in content_ids for hour in hours]
        found: set[str] = set()
        for at in range(0, len(keys), MAX_BATCH_GET):
            items = self._contents.batch_get(keys[at : at + MAX_BATCH_GET])
            told = (read_active(item.value) for item in items.values())
            found |= {content_id for content_id, kind in told if kind == ON_DEMAND}
        return frozenset(found)


def _on(entry: Entry, now_ms: int) -> bool:
    return entry.starts_at is not None and entry.ends_at is not None and entry.starts_at <= now_ms < entry.ends_at
