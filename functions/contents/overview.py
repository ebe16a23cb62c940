"""The overview over HTTP."""

from math import ceil
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.audience.figures import told
from functions.audience.listing import Listings
from functions.http.answer import read_query, rfc3339
from functions.http.endpoint import Doc, Endpoint, Scope
from functions.http.public import Made, answered, is_public
from functions.http.shared_answers import SharedAnswers
from shared.audience.recent import AGO_MINUTES, Recent
from shared.audience.rollup import MINUTE
from shared.contents.overview import Ended, Live, Upcoming, overview
from shared.contents.problems import Problem, rebuffering_ratio
from shared.contents.scene import Scene, SceneReader
from shared.ports import Ports

KEPT_SECONDS: Final = 2


def make(ports: Ports) -> list[Endpoint]:
    """The endpoint of one suite."""
    api = OverviewApi(ports)
    summary = "Every content that is on now, the most watched first; what comes and what has ended"
    return [Endpoint(("GET",), "/v1/overview", api.overview, Scope.PUBLISH, summary, _doc, cors=True)]


class OverviewApi:
    """Cheap for any number of pollers: what there is is read once in two seconds, whatever is asked of it."""

    def __init__(self, ports: Ports) -> None:
        self._reader = SceneReader(ports)
        self._listings = Listings(ports)
        self._scenes: SharedAnswers[tuple[Scene, frozenset[str]]] = SharedAnswers(ports.clock, KEPT_SECONDS * 1_000)
        self._answers: SharedAnswers[Made] = SharedAnswers(ports.clock, KEPT_SECONDS * 1_000)

    async def overview(self, request: Request) -> Response:
        """A publish key is told of listed contents only."""
        from functions.contents.models import OverviewQuery

        query = read_query(request, OverviewQuery)
        scene, unlisted = await self._scenes.get("scene", self._see)
        public = is_public(request)
        asked = query.q, query.limit, public, scene.now_ms
        made = await self._answers.get(asked, lambda: _make(scene, unlisted, query.q, query.limit, public=public))
        return answered(request, made, KEPT_SECONDS)

    def _see(self) -> tuple[Scene, frozenset[str]]:
        return self._reader.scene(), self._listings.unlisted()


def _make(scene: Scene, unlisted: frozenset[str], asked: str, limit: int, *, public: bool) -> Made:
    hidden = unlisted if public else frozenset()
    seen = overview(scene, lambda content_id: content_id not in hidden, asked, limit)
    answer = {
        "as_of": rfc3339(scene.now_ms),
        "delay_ms": scene.delay_ms,
        "live": [_live(one) for one in seen.live],
        "more": seen.more,
        "upcoming": [_upcoming(one) for one in seen.upcoming],
        "ended": [_ended(one) for one in seen.ended],
    }
    return Made(orjson.dumps(answer), public or not unlisted)


def _live(one: Live) -> dict[str, Any]:
    entry, recent = one.entry, one.recent
    before = recent.ago[AGO_MINUTES]
    return {
        "content_id": one.content_id,
        "title": entry.title if entry else None,
        "starts_at": None if entry is None or entry.starts_at is None else rfc3339(entry.starts_at),
        **dict(told("concurrent", recent.now)),
        "change": None if before is None else recent.now.value - before.value,
        "rebuffering_ratio": rebuffering_ratio(recent),
        "sparkline": _sparkline(recent),
        "problems": _problems(one.problems),
    }


def _sparkline(recent: Recent) -> dict[str, Any]:
    return {"from": rfc3339(recent.first_minute * MINUTE.ms), "resolution": MINUTE.name, "concurrent": recent.peaks}


def _upcoming(one: Upcoming) -> dict[str, Any]:
    return {
        "content_id": one.entry.content_id,
        "title": one.entry.title,
        "starts_at": rfc3339(one.starts_at),
        "problems": _problems(one.problems),
    }


def _ended(one: Ended) -> dict[str, Any]:
    return {
        "content_id": one.content_id,
        "title": one.entry.title if one.entry else None,
        "ended_at": rfc3339(one.ended_at),
        "peak_concurrent": one.peak.value,
        "peak_concurrent_error": ceil(one.peak.error),
    }


def _problems(problems: list[Problem]) -> list[dict[str, Any]]:
    return [problem._asdict() for problem in problems]


def _doc() -> Doc:
    from functions.contents.models import OverviewAnswer, OverviewQuery

    return Doc(query=OverviewQuery, answers={200: OverviewAnswer})
