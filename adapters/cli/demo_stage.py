"""What surrounds the demo's matches: names, what comes, what was on before, and the moments that are marked."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from lab.crowd.match import FULL_TIME, HALF_TIME, KICK_OFF

if TYPE_CHECKING:
    import httpx

    from lab.crowd.match import Match

_CLUBS: Final = (
    "Harbour City",
    "Northern Stars",
    "Athletic Vale",
    "Red Bridge",
    "Lake Town",
    "Olympia 1904",
    "Union Castle",
    "River Rovers",
    "Saint Malo",
    "Dynamo East",
    "Blue Mountain",
    "Old Forge",
    "Real Corona",
    "Seaside Wanderers",
    "Green Valley",
    "Western Wolves",
)
_MOST_STAGED: Final = 24
"""Of many matches the first so many have names and marks; the others are numbers."""
_GOALS: Final = (0.17, 0.29, 0.41, 0.63, 0.71, 0.86)
"""Fractions of the run; each match has some of them."""
_MINUTE_MS: Final = 60_000
_EARLIER_VIEWERS: Final = 1_000
_EARLIER_EVENTS: Final = (("join", 20_000, None), ("heartbeat", 11_000, 9_000), ("stop", 1_000, 10_000))
"""Each with its time before the end and the time watched since the last report, in ms."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a match, in ms since epoch."""

    content_id: str
    mark_id: str
    at: int
    kind: str
    label: str


def title(number: int) -> str:
    """Who plays in the match of this number, from 0 on."""
    home = 2 * number % len(_CLUBS)
    away = (home + 1 + 2 * (2 * number // len(_CLUBS))) % len(_CLUBS)
    return f"{_CLUBS[home]} – {_CLUBS[away]}"


def moments(match: "Match") -> list[Moment]:
    """All that is marked as the matches go on, in order of time."""
    found = [one for number, name in enumerate(_staged(match)) for one in _of_match(match, number, name)]
    return sorted(found, key=lambda one: one.at)


def _of_match(match: "Match", number: int, content_id: str) -> Iterator[Moment]:
    def at(fraction: float) -> int:
        return match.start_ms + match.at(fraction)

    yield Moment(content_id, "kick-off", at(KICK_OFF), "kick_off", "Kick-off")
    yield Moment(content_id, "half-time", at(HALF_TIME[0]), "half_time", "Half-time")
    yield Moment(content_id, "second-half", at(HALF_TIME[1]), "second_half", "Second half")
    yield Moment(content_id, "full-time", at(FULL_TIME), "full_time", "Full-time")
    score = [0, 0]
    teams = title(number).split(" – ")
    for goal, fraction in enumerate(_GOALS):
        if (goal + number) % 2:
            side = (goal // 2 + number) % 2
            score[side] += 1
            label = f"{score[0]} – {score[1]} {teams[side]}"
            yield Moment(content_id, f"goal-{sum(score)}", at(fraction), "goal", label)


async def set_stage(client: "httpx.AsyncClient", match: "Match") -> int:
    """Name the matches, announce two more and tell of one that is over. Returns how many events that took."""
    names = [
        (name, number, match.start_ms + match.at(KICK_OFF), match.start_ms + match.seconds * 1_000)
        for number, name in enumerate(_staged(match))
    ]
    quarter = 15 * _MINUTE_MS
    for soon, number in ((2, len(names)), (8, len(names) + 1)):
        starts_at = (match.start_ms // quarter + soon) * quarter
        names.append((f"next-{number}", number, starts_at, starts_at + 105 * _MINUTE_MS))
    ended_at = match.start_ms - 25 * _MINUTE_MS
    earlier = "earlier-today"
    names.append((earlier, len(names), ended_at - 105 * _MINUTE_MS, ended_at))
    for content_id, number, starts_at, ends_at in names:
        entry = {"title": title(number), "starts_at": starts_at, "ends_at": ends_at}
        (await client.put(_path(content_id), json=entry)).raise_for_status()
    body = _earlier_events(match, earlier, ended_at)
    (await client.post("/v1/events", json=body)).raise_for_status()
    return len(body["events"])


async def name_probes(client: "httpx.AsyncClient", probed: list[str]) -> None:
    """Say what the probes' contents are for, wherever they are listed."""
    for number, content_id in enumerate(probed, 1):
        entry = {"title": f"Probe {number}: how soon events are seen"}
        (await client.put(_path(content_id), json=entry)).raise_for_status()


def _earlier_events(match: "Match", content_id: str, ended_at: int) -> dict[str, Any]:
    """Its last moments: who is there at the end leaves within a second."""
    viewers = min(match.viewers, _EARLIER_VIEWERS)
    events = [
        {
            "event_type": kind,
            "event_timestamp": ended_at - before_ms + viewer % 1_000,
            "event_id": f"{kind}-{viewer}",
            "content_id": content_id,
            "content_type": "live",
            "viewer_id": f"earlier-{viewer}",
            "session_id": f"earlier-{viewer}",
            "watched_ms": watched_ms,
        }
        for viewer in range(viewers)
        for kind, before_ms, watched_ms in _EARLIER_EVENTS
    ]
    return {"batch_id": f"earlier-{match.run_id}", "events": events}


async def mark_moments(client: "httpx.AsyncClient", match: "Match") -> None:
    """Mark each moment when it comes."""
    for moment in moments(match):
        await asyncio.sleep(max(0.0, moment.at / 1_000 - time.time()))
        mark = {"at": moment.at, "kind": moment.kind, "label": moment.label}
        (await client.put(_path(moment.content_id, "marks", moment.mark_id), json=mark)).raise_for_status()


def _staged(match: "Match") -> list[str]:
    return match.content_ids[:_MOST_STAGED]


def _path(*parts: str) -> str:
    return "/".join(("/v1/contents", *(quote(part, safe="") for part in parts)))
