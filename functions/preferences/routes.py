"""Preferences and segments: what an audience also watches, what segments watch, how they fare. From the history."""

from collections.abc import Callable, Mapping
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.http.answer import read_query, rfc3339
from functions.http.endpoint import Doc, Endpoint, Scope
from functions.http.shared_answers import SharedAnswers
from shared.contents.catalogue import Catalogue
from shared.errors import InvalidInput
from shared.ports import Ports
from shared.preferences import also_watched, segments, top
from shared.preferences.rows import Span
from shared.settings import Settings
from shared.units import DAY_MS, HOUR_MS

KEPT_MS: Final = 30_000
AT_ONCE: Final = 1
"""A query over the history may use all of a machine, so the next one waits."""
DEFAULT_RANGE_MS: Final = HOUR_MS
MAX_RANGE_DAYS: Final = 31


def make(ports: Ports, settings: Settings) -> list[Endpoint]:
    """The endpoints of one suite."""
    api = PreferencesApi(ports, settings)
    return [
        Endpoint(
            ("GET",),
            "/v1/contents/{id}/also-watched",
            api.also_watched,
            Scope.OPERATOR,
            "What the viewers of a content also watch",
            _also_watched_doc,
        ),
        Endpoint(
            ("GET",),
            "/v1/contents/{id}/segments",
            api.segments,
            Scope.OPERATOR,
            "How the segments of a content's audience fared",
            _segments_doc,
        ),
        Endpoint(
            ("GET",),
            "/v1/preferences/top",
            api.top,
            Scope.OPERATOR,
            "The contents that each segment of the viewers watches most",
            _top_doc,
        ),
    ]


class PreferencesApi:
    """Handlers. An answer is made in a thread, one at a time, and kept for a while."""

    def __init__(self, ports: Ports, _: Settings) -> None:
        self._clock = ports.clock
        self._warehouse = ports.warehouse
        self._catalogue = Catalogue(ports)
        self._answers: SharedAnswers[bytes] = SharedAnswers(ports.clock, KEPT_MS, AT_ONCE)

    async def also_watched(self, request: Request) -> Response:
        """Over the asked window, which ends now."""
        from functions.http.moment import back_ms
        from functions.preferences.models import AlsoWatchedQuery

        query = read_query(request, AlsoWatchedQuery)
        content_id: str = request.path_params["id"]
        back = back_ms(query.window)

        def make() -> dict[str, object]:
            span = self._last(back)
            found = also_watched.also_watched(self._warehouse(), content_id, span, query.limit)
            titles = self._catalogue.titles(other.content_id for other in found.contents)
            return {
                "content_id": content_id,
                "window": query.window,
                **_reach(span, found.as_of),
                "viewers": found.viewers,
                "contents": [_other(other, titles.get(other.content_id)) for other in found.contents],
            }

        return await self._answered(("also-watched", content_id, query.window, query.limit), make)

    async def top(self, request: Request) -> Response:
        """Over the asked window, which ends now."""
        from functions.http.moment import back_ms
        from functions.preferences.models import TopQuery

        query = read_query(request, TopQuery)
        back = back_ms(query.window)

        def make() -> dict[str, object]:
            span = self._last(back)
            found = top.top(self._warehouse(), query.by, span, query.segments, query.limit)
            titles = self._catalogue.titles(each.content_id for one in found.segments for each in one.contents)
            return {
                "by": query.by,
                "window": query.window,
                **_reach(span, found.as_of),
                "segments": [_top_segment(segment, titles) for segment in found.segments],
            }

        return await self._answered(("top", query.window, query.by, query.segments, query.limit), make)

    async def segments(self, request: Request) -> Response:
        """Over [from, to)."""
        from functions.preferences.models import SegmentsQuery

        query = read_query(request, SegmentsQuery)
        content_id: str = request.path_params["id"]
        _span(query.since, query.to, self._clock.now_ms())  # what cannot be answered is refused before it waits

        def make() -> dict[str, object]:
            span = _span(query.since, query.to, self._clock.now_ms())
            found = segments.segments(self._warehouse(), content_id, query.by, span)
            return {
                "content_id": content_id,
                "by": query.by,
                **_reach(span, found.as_of),
                "segments": [_segment(segment) for segment in found.segments],
            }

        return await self._answered(("segments", content_id, query.by, query.since, query.to), make)

    async def _answered(self, asked: tuple[object, ...], make: Callable[[], dict[str, object]]) -> Response:
        body = await self._answers.get(asked, lambda: orjson.dumps(make()))
        return Response(body, media_type="application/json")

    def _last(self, back: int) -> Span:
        now = self._clock.now_ms()
        return Span(now - back, now)


def _span(since: int | None, to: int | None, now: int) -> Span:
    """What was asked for, up to `now` by default. Raises InvalidInput where it is empty or too long."""
    until = now if to is None else to
    begins = max(0, until - DEFAULT_RANGE_MS) if since is None else since
    if begins >= until:
        raise InvalidInput("`from` must be before `to`.", reason="query")
    if until - begins > MAX_RANGE_DAYS * DAY_MS:
        raise InvalidInput(f"`from` and `to` are more than {MAX_RANGE_DAYS} days apart.", reason="query")
    return Span(begins, until)


def _reach(span: Span, as_of: int | None) -> dict[str, object]:
    return {
        "from": rfc3339(span.since_ms),
        "to": rfc3339(span.until_ms),
        "as_of": None if as_of is None else rfc3339(as_of),
    }


def _other(other: also_watched.Other, title: str | None) -> dict[str, object]:
    return {
        "content_id": other.content_id,
        "title": title,
        "viewers": other.viewers,
        "share": round(other.share, 4),
        "lift": round(other.lift, 3),
    }


def _top_segment(segment: top.Segment, titles: Mapping[str, str]) -> dict[str, object]:
    return {
        "value": segment.value,
        "viewers": segment.viewers,
        "contents": [
            {
                "content_id": watched.content_id,
                "title": titles.get(watched.content_id),
                "watched_ms": watched.watched_ms,
                "viewers": watched.viewers,
            }
            for watched in segment.contents
        ],
    }


def _segment(segment: segments.Segment) -> dict[str, object]:
    ratio, bitrate = segment.rebuffering_ratio, segment.bitrate_kbps
    return {
        "value": segment.value,
        "viewers": segment.viewers,
        "watched_ms": segment.watched_ms,
        "engaged_viewers": segment.engaged_viewers,
        "engagement_rate": round(segment.engagement_rate, 4),
        "startups": segment.startups,
        "startup_ms_p50": segment.startup_ms_p50,
        "stalls": segment.stalls,
        "stall_ms": segment.stall_ms,
        "rebuffering_ratio": None if ratio is None else round(ratio, 6),
        "bitrate_kbps": None if bitrate is None else round(bitrate, 1),
        "errors": segment.errors,
    }


def _also_watched_doc() -> Doc:
    from functions.preferences.models import AlsoWatchedAnswer, AlsoWatchedQuery

    return Doc(query=AlsoWatchedQuery, answers={200: AlsoWatchedAnswer})


def _top_doc() -> Doc:
    from functions.preferences.models import TopAnswer, TopQuery

    return Doc(query=TopQuery, answers={200: TopAnswer})


def _segments_doc() -> Doc:
    from functions.preferences.models import SegmentsAnswer, SegmentsQuery

    return Doc(query=SegmentsQuery, answers={200: SegmentsAnswer})
