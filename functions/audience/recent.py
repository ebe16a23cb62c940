"""The last minutes of a content's audience, told to many pages at once from one answer."""

from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.audience import figures
from functions.audience.listing import Listings
from functions.http.answer import read_query, rfc3339
from functions.http.endpoint import Doc, Endpoint, Scope
from functions.http.public import Made, answered, is_public, unknown_content
from functions.http.shared_answers import SharedAnswers
from shared.audience.query import AudienceReader
from shared.audience.rollup import RESOLUTIONS, Resolution
from shared.ports import Ports
from shared.settings import Settings
from shared.units import MINUTE_MS

BACK_MS: Final = {"5s": 3 * MINUTE_MS, "1m": 15 * MINUTE_MS}
"""How far back an answer reaches: what players report late comes mostly within this."""
KEPT_MS: Final = 5_000


def make(ports: Ports, settings: Settings) -> list[Endpoint]:
    """The endpoints of one suite."""
    return [
        Endpoint(
            ("GET",),
            "/v1/contents/{id}/audience/recent",
            RecentApi(ports, settings).recent,
            Scope.PUBLISH,
            "The last minutes of a content's audience, late reports and all",
            _recent_doc,
            cors=True,
        )
    ]


class RecentApi:
    """One read serves everyone who asks for the same within KEPT_MS."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._clock = ports.clock
        self._reader = AudienceReader(ports)
        self._listings = Listings(ports)
        self._state_days = settings.state_days
        self._recent: SharedAnswers[Made] = SharedAnswers(ports.clock, KEPT_MS)

    async def recent(self, request: Request) -> Response:
        """Windows that were told before come again, fuller where late reports came."""
        from functions.audience.models import RecentQuery

        query = read_query(request, RecentQuery)
        resolution = RESOLUTIONS[query.resolution]
        content_id: str = request.path_params["id"]
        asked = content_id, resolution, frozenset(query.by)
        made = await self._recent.get(asked, lambda: self._make(*asked))
        if not made.public and is_public(request):
            raise unknown_content()
        return answered(request, made, kept_seconds=KEPT_MS // 1_000)

    def _make(self, content_id: str, resolution: Resolution, by: frozenset[str]) -> Made:
        now = self._clock.now_ms()
        first, last = resolution.number(now - BACK_MS[resolution.name]), resolution.number(now)
        found = self._reader.audiences(content_id, resolution, first, last)
        if not found and not self._reader.known(content_id, now, self._state_days):
            raise unknown_content()
        answer = {
            "content_id": content_id,
            "resolution": resolution.name,
            "as_of": rfc3339(now),
            "from": rfc3339(first * resolution.ms),
            "to": rfc3339((last + 1) * resolution.ms),
            "windows": [figures.window(audience, by) for audience in found],
        }
        return Made(orjson.dumps(answer), self._listings.listed(content_id))


def _recent_doc() -> Doc:
    from functions.audience.models import RecentAnswer, RecentQuery

    return Doc(query=RecentQuery, answers={200: RecentAnswer})
