"""Which contents are on now, which come and which have just ended, with what is wrong with each.

Contents that the caller may not see are left out before anything else, so that neither places nor numbers tell of
them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from shared.audience.estimate import Estimate
from shared.audience.recent import Recent
from shared.audience.rollup import WINDOW
from shared.contents.catalogue import Entry
from shared.contents.problems import Problem, of_live, of_upcoming
from shared.contents.scene import COMING_MS, PAST_MS, Scene
from shared.contents.search import matches
from shared.units import DAY_MS, HOUR_MS

BESIDE: Final = 20
"""How many upcoming and how many ended contents stand beside the live ones."""
CONSIDERED: Final = 100
"""Up to so many live contents, or twice the asked number, are ranked exactly. Of more, those come into question that
were watched most in the last minutes."""
SILENT_MS: Final = 120_000
"""So long a content counts as live whose viewers fell silent and had not left."""


@dataclass(frozen=True, slots=True)
class Live:
    """A content that is on."""

    content_id: str
    entry: Entry | None
    recent: Recent
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A content that nobody has watched yet; `starts_at` in ms since epoch."""

    entry: Entry
    starts_at: int
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class Ended:
    """A content that was on; `ended_at` in ms since epoch."""

    content_id: str
    entry: Entry | None
    ended_at: int
    peak: Estimate


@dataclass(frozen=True, slots=True)
class Overview:
    """What one caller sees. `more` live contents are not listed."""

    live: list[Live]
    more: int
    upcoming: list[Upcoming]
    ended: list[Ended]


def overview(scene: Scene, may_see: Callable[[str], bool], asked: str, limit: int) -> Overview:
    """The `limit` most watched live contents, those that come soonest and those that ended last.

    Of contents that `may_see` allows and whose title or id holds `asked`.
    """

    def shown(content_id: str) -> bool:
        return may_see(content_id) and matches(asked, content_id, scene.title(content_id))

    candidates = [name for name in scene.reported - scene.on_demand if shown(name)]
    considered, beyond = _considered(scene, candidates, max(CONSIDERED, 2 * limit))
    considered += [name for name in scene.scheduled - scene.reported if shown(name)]
    live = [name for name in considered if _is_live(scene, name)]
    live.sort(key=lambda name: (-scene.recent(name).now.value, name))
    on = {*live, *beyond}
    coming = {name for name, entry in scene.entries.items() if name not in on and _is_coming(scene, entry)}
    told = on | coming
    upcoming = [_upcoming(scene, scene.entries[name]) for name in coming if shown(name)]
    upcoming.sort(key=lambda one: (one.starts_at, one.entry.content_id))
    return Overview(
        live=[_live(scene, name) for name in live[:limit]],
        more=max(0, len(live) - limit) + len(beyond),
        upcoming=upcoming[:BESIDE],
        ended=_ended(scene, lambda name: name not in told and shown(name)),
    )


def _considered(scene: Scene, candidates: list[str], most: int) -> tuple[list[str], list[str]]:
    """The candidates that may be among the first, and the others; what is too new to be compared comes first."""
    if len(candidates) <= most:
        return candidates, []
    totals = scene.totals
    known = [name for name in candidates if name in totals and totals[name].counted]
    known.sort(key=lambda name: (-totals[name].watched_ms, -totals[name].events, name))
    ranked = [*sorted(name for name in candidates if name not in totals), *known]
    return ranked[:most], ranked[most:]


def _is_live(scene: Scene, content_id: str) -> bool:
    """Whether anyone watches, or should: by the catalogue, or since nobody said goodbye."""
    recent, entry = scene.recent(content_id), scene.entries.get(content_id)
    if recent.now.value:
        return True
    if entry is not None and entry.ends_at is not None and entry.ends_at <= scene.now_ms:
        return False
    if entry is not None and content_id in scene.scheduled and scene.begun(entry):
        return True
    if recent.newest_ms is None or not recent.at_newest.value:
        return False
    return scene.now_ms - recent.newest_ms - WINDOW.ms <= SILENT_MS


def _live(scene: Scene, content_id: str) -> Live:
    recent, entry = scene.recent(content_id), scene.entries.get(content_id)
    reported = scene.reported_ms(content_id)
    silent_ms = 0 if reported is None else scene.now_ms - reported
    return Live(content_id, entry, recent, of_live(recent, entry, scene.now_ms, scene.delay_ms, silent_ms))


def _is_coming(scene: Scene, entry: Entry) -> bool:
    """Whether the content begins within a week, or should have begun and nobody has watched it since."""
    now, starts_at = scene.now_ms, entry.starts_at
    if starts_at is None or not now - PAST_MS <= starts_at <= now + COMING_MS:
        return False
    over = entry.ends_at is not None and entry.ends_at <= now
    return starts_at > now or not (over or scene.begun(entry))


def _upcoming(scene: Scene, entry: Entry) -> Upcoming:
    starts_at = entry.starts_at or 0
    return Upcoming(entry, starts_at, of_upcoming(starts_at, scene.now_ms))


def _ended(scene: Scene, shown: Callable[[str], bool]) -> list[Ended]:
    """What ended last; what is in no catalogue and nobody watched never was on."""
    names = (name for name in {*scene.newest, *scene.entries} - scene.on_demand if shown(name))
    ends = ((ended_at, name) for name in names if (ended_at := _ended_at(scene, name)) is not None)
    found = (_told(scene, name, ended_at) for ended_at, name in sorted(ends, key=lambda end: (-end[0], end[1])))
    return list(islice((one for one in found if one.peak.value or one.entry is not None), BESIDE))


def _ended_at(scene: Scene, content_id: str) -> int | None:
    """When the catalogue says, else when the last report came; None when that is not within the last hours."""
    entry = scene.entries.get(content_id)
    over = entry is not None and entry.ends_at is not None and entry.ends_at <= scene.now_ms
    ended_at = entry.ends_at if entry is not None and over else scene.reported_ms(content_id)
    return ended_at if ended_at is not None and ended_at >= scene.now_ms - PAST_MS else None


def _told(scene: Scene, content_id: str, ended_at: int) -> Ended:
    entry = scene.entries.get(content_id)
    known_start = entry.starts_at if entry is not None and entry.starts_at is not None else 0
    begun_at = max(ended_at - DAY_MS, min(known_start, ended_at) - HOUR_MS)
    return Ended(content_id, entry, ended_at, scene.peak(content_id, begun_at, ended_at))
