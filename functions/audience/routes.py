"""The audience API: what operators and widgets ask of a content."""

from collections.abc import Collection, Iterable
from typing import Any, Final

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from functions.audience import figures, recent
from functions.audience.listing import Listings
from functions.http.answer import json_answer, read_body, read_query, rfc3339
from functions.http.endpoint import Doc, Endpoint, Scope
from functions.http.public import Made, answered, is_public, unknown_content
from functions.http.shared_answers import SharedAnswers
from shared.audience.completeness import TotalsReader
from shared.audience.estimate import Estimate
from shared.audience.query import AudienceReader
from shared.audience.rollup import HOUR, MINUTE, MINUTES_KEPT_MS, RESOLUTIONS, WINDOW, Audience, Resolution
from shared.audience.top import ranked, with_viewers
from shared.contents.catalogue import Catalogue
from shared.errors import InvalidInput
from shared.health.delay import DelayReader
from shared.ports import Ports
from shared.settings import Settings
from shared.units import DAY_MS, HOUR_MS

DEFAULT_RANGE_MS: Final = HOUR_MS
MAX_WINDOWS: Final = {"5s": 2_880, "1m": 10_080, "1h": 9_600}
"""In one answer, of those in which anything was counted: four hours, a week, 400 days."""
COARSER: Final = {"5s": "1m", "1m": "1h"}
CLOCKS_APART_MS: Final = 60_000
"""How far ahead of this clock that of an ingest may be."""
NOW_KEPT_MS: Final = 1_000
TOP_KEPT_MS: Final = 5_000


def make(ports: Ports, settings: Settings) -> list[Endpoint]:
    """The endpoints of one suite."""
    api = AudienceApi(ports, settings)
    now = "What the audience is now: the newest closed window and the running one"
    return [
        Endpoint(
            ("GET",),
            "/v1/contents/{id}/audience",
            api.audience,
            Scope.OPERATOR,
            "A content's audience, window by window",
            _audience_doc,
        ),
        Endpoint(("GET",), "/v1/contents/{id}/audience/now", api.now, Scope.PUBLISH, now, _now_doc, cors=True),
        *recent.make(ports, settings),
        Endpoint(
            ("GET",),
            "/v1/contents/top",
            api.top,
            Scope.PUBLISH,
            "The contents that are watched most",
            _top_doc,
            cors=True,
        ),
        Endpoint(
            ("PUT",),
            "/v1/contents/{id}/listing",
            api.set_listing,
            Scope.OPERATOR,
            "Whether a publish key may see the content",
            _listing_doc,
        ),
    ]


class AudienceApi:
    """Handlers; each reads its tables in a worker thread."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._clock = ports.clock
        self._reader = AudienceReader(ports)
        self._totals = TotalsReader(ports, self._reader.states)
        self._listings = Listings(ports)
        self._catalogue = Catalogue(ports)
        self._delay = DelayReader(ports)
        self._state_days = settings.state_days
        self._kept_ms = {
            WINDOW: settings.state_days * DAY_MS,
            MINUTE: MINUTES_KEPT_MS,
            HOUR: settings.history_days * DAY_MS,
        }
        self._ahead_ms = settings.max_ahead_seconds * 1_000 + CLOCKS_APART_MS
        self._now: SharedAnswers[Made] = SharedAnswers(ports.clock, NOW_KEPT_MS)
        self._top: SharedAnswers[Made] = SharedAnswers(ports.clock, TOP_KEPT_MS)

    async def audience(self, request: Request) -> Response:
        """The windows that overlap [from, to)."""
        from functions.audience.models import AudienceQuery

        query = read_query(request, AudienceQuery)
        resolution = RESOLUTIONS[query.resolution]
        to = self._clock.now_ms() if query.to is None else query.to
        since = max(0, to - DEFAULT_RANGE_MS) if query.since is None else query.since
        if since >= to:
            raise InvalidInput("`from` must be before `to`.", reason="query")
        content_id: str = request.path_params["id"]
        found = await run_in_threadpool(self._audiences, content_id, resolution, since, to)
        windows = await run_in_threadpool(_told, found, query.by)
        return json_answer({"content_id": content_id, "resolution": resolution.name, "windows": windows})

    async def now(self, request: Request) -> Response:
        """Cheap for any number of pollers: one of them reads, a second long all get the same."""
        content_id: str = request.path_params["id"]
        made = await self._now.get(content_id, lambda: self._make_now(content_id))
        if not made.public and is_public(request):
            raise unknown_content()
        return answered(request, made)

    async def top(self, request: Request) -> Response:
        """A publish key is told of listed contents only."""
        from functions.audience.models import TopQuery
        from functions.http.moment import back_ms

        query = read_query(request, TopQuery)
        back = back_ms(query.window)
        asked = query.window, query.limit, is_public(request)
        return answered(request, await self._top.get(asked, lambda: self._make_top(*asked, back)))

    async def set_listing(self, request: Request) -> Response:
        """List a content or take it off the list."""
        from functions.audience.models import Listing

        listed = (await read_body(request, Listing, '{"listed": false}')).listed
        content_id: str = request.path_params["id"]
        await run_in_threadpool(self._listings.set, content_id, listed)
        return json_answer({"content_id": content_id, "listed": listed})

    def _audiences(self, content_id: str, resolution: Resolution, since: int, to: int) -> list[Audience]:
        now = self._clock.now_ms()
        since, to = max(since, now - self._kept_ms[resolution]), min(to, now + self._ahead_ms)
        found: list[Audience] = []
        first, last = resolution.number(since), resolution.number(to - 1)
        for begin, end in self._reader.stretches(content_id, resolution, first, last):
            found += self._reader.audiences(content_id, resolution, begin, end)
            if len(found) > MAX_WINDOWS[resolution.name]:
                raise too_many_windows(resolution)
        if not found:
            self._must_be_known(content_id)
        return found

    def _make_now(self, content_id: str) -> Made:
        now = self._clock.now_ms()
        running = WINDOW.number(now)
        found, concurrent = self._reader.latest(content_id, running)
        if not found and not concurrent.value:
            self._must_be_known(content_id)
        viewers = max((one.state.viewers() for one in found), key=lambda one: one.value, default=Estimate(0))
        answer = {
            "content_id": content_id,
            "resolution": WINDOW.name,
            "as_of": rfc3339(now),
            "delay_ms": self._delay.delay_ms(),
            **dict(figures.told("viewers", viewers)),
            **dict(figures.told("concurrent", concurrent)),
            "windows": _told(found, figures.SHARED),
        }
        return Made(orjson.dumps(answer), self._listings.listed(content_id))

    def _make_top(self, window: str, limit: int, public: bool, back_ms: int) -> Made:
        now = self._clock.now_ms()
        first, last = MINUTE.number(max(0, now - back_ms)), MINUTE.number(now)
        unlisted = self._listings.unlisted()
        may_list = (lambda content_id: content_id not in unlisted) if public else (lambda _: True)
        chosen = ranked(self._totals.by_content(first, last), limit, may_list)
        titles = self._catalogue.titles(content_id for content_id, _ in chosen)
        contents = [
            {
                "content_id": one.content_id,
                "title": titles.get(one.content_id),
                "content_type": self._reader.content_type(one.content_id, first, last),
                "watched_ms": one.watched_ms,
                "events": one.events,
                **dict(figures.told("viewers", one.viewers)),
            }
            for one in (with_viewers(self._reader, *pair, first, last) for pair in chosen)
        ]
        answer = {
            "window": window,
            "from": rfc3339(first * MINUTE.ms),
            "to": rfc3339(now),
            "contents": contents,
        }
        return Made(orjson.dumps(answer), public or not unlisted)

    def _must_be_known(self, content_id: str) -> None:
        if not self._reader.known(content_id, self._clock.now_ms(), self._state_days):
            raise unknown_content()


def too_many_windows(resolution: Resolution) -> InvalidInput:
    """Anything was counted in more windows than an answer holds."""
    most = MAX_WINDOWS[resolution.name]
    coarser = COARSER.get(resolution.name)
    hint = f"Use resolution={coarser}, or ask" if coarser else "Ask"
    return InvalidInput(
        f"Between `from` and `to` are more than {most:,} windows of {resolution.name} with events, which is the most "
        f"that an answer holds. {hint} for one stretch after the other, each `from` where the last ended.",
        reason="range",
    )


def _told(found: Iterable[Audience], by: Collection[str]) -> list[dict[str, Any]]:
    return [figures.window(audience, by) for audience in found]


def _audience_doc() -> Doc:
    from functions.audience.models import AudienceAnswer, AudienceQuery

    return Doc(query=AudienceQuery, answers={200: AudienceAnswer})


def _now_doc() -> Doc:
    from functions.audience.models import NowAnswer

    return Doc(answers={200: NowAnswer})


def _top_doc() -> Doc:
    from functions.audience.models import TopAnswer, TopQuery

    return Doc(query=TopQuery, answers={200: TopAnswer})


def _listing_doc() -> Doc:
    from functions.audience.models import Listing, ListingAnswer

    return Doc(request={"application/json": Listing}, answers={200: ListingAnswer})
