"""Marked moments over HTTP."""

import re
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import quote

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from functions.audience.listing import Listings
from functions.contents.entries import content_id_of
from functions.http.answer import json_answer, read_body, read_query, rfc3339
from functions.http.endpoint import Doc, Endpoint, Scope
from functions.http.moment import END_OF_TIME_MS
from functions.http.public import Made, answered, is_public, unknown_content
from shared.audience.query import AudienceReader
from shared.contents.catalogue import Catalogue
from shared.contents.moments import Moment, Moments
from shared.errors import InvalidInput
from shared.ports import Ports
from shared.settings import Settings

PATH: Final = "/v1/contents/{id}/marks"
ONE: Final = f"{PATH}/{{mark_id}}"
MARK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
EXAMPLE: Final = '{"kind": "goal", "label": "1 – 0"}'
KEPT_SECONDS: Final = 2


def make(ports: Ports, settings: Settings) -> list[Endpoint]:
    """The endpoints of one suite."""
    api = MarksApi(ports, settings)
    listed = "The moments that were marked, in order of time"
    return [
        Endpoint(("GET",), PATH, api.list, Scope.PUBLISH, listed, _list_doc, cors=True),
        Endpoint(("POST",), PATH, api.post, Scope.OPERATOR, "Mark a moment, now unless told otherwise", _post_doc),
        Endpoint(("PUT",), ONE, api.put, Scope.OPERATOR, "Mark a moment under the caller's own id", _put_doc),
        Endpoint(("DELETE",), ONE, api.delete, Scope.OPERATOR, "Take a mark away", _delete_doc),
    ]


class MarksApi:
    """Handlers; each works in a thread."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._clock = ports.clock
        self._moments = Moments(ports, settings)
        self._listings = Listings(ports)
        self._catalogue = Catalogue(ports)
        self._reader = AudienceReader(ports)
        self._state_days = settings.state_days

    async def list(self, request: Request) -> Response:
        """The marks in [from, to). A publish key learns nothing of contents that are not listed."""
        from functions.contents.models import MarksQuery

        query = read_query(request, MarksQuery)
        since = 0 if query.since is None else query.since
        to = END_OF_TIME_MS if query.to is None else query.to
        if since >= to:
            raise InvalidInput("`from` must be before `to`.", reason="query")
        made = await run_in_threadpool(self._make, request.path_params["id"], since, to, public=is_public(request))
        return answered(request, made, KEPT_SECONDS)

    async def post(self, request: Request) -> Response:
        """201 with the mark, its address in `Location`."""
        from functions.contents.models import MarkBody

        body = await read_body(request, MarkBody, EXAMPLE)
        content_id = content_id_of(request)
        at = self._clock.now_ms() if body.at is None else body.at
        moment = Moment(token_urlsafe(12), at, body.kind, body.label)
        await run_in_threadpool(self._moments.put, content_id, moment)
        return _marked(content_id, moment, 201)

    async def put(self, request: Request) -> Response:
        """201 where there was none. Sent again it changes nothing: without `at`, the mark stays when it was."""
        from functions.contents.models import MarkBody

        body = await read_body(request, MarkBody, EXAMPLE)
        content_id, mark_id = content_id_of(request), _mark_id_of(request)

        def write() -> tuple[Moment, bool]:
            known = self._moments.get(content_id, mark_id)
            unsaid = known.at if known else self._clock.now_ms()
            moment = Moment(mark_id, unsaid if body.at is None else body.at, body.kind, body.label)
            self._moments.put(content_id, moment)
            return moment, known is None

        moment, created = await run_in_threadpool(write)
        return _marked(content_id, moment, 201 if created else 200)

    async def delete(self, request: Request) -> Response:
        """Also where there is none; 204."""
        await run_in_threadpool(self._moments.delete, request.path_params["id"], _mark_id_of(request))
        return Response(status_code=204)

    def _make(self, content_id: str, since: int, to: int, *, public: bool) -> Made:
        listed = self._listings.listed(content_id)
        if public and not listed:  # before anything that how many marks there are may be told by
            raise unknown_content()
        found = self._moments.between(content_id, since, to)
        if not found and not self._known(content_id):
            raise unknown_content()
        answer = {"content_id": content_id, "marks": [_told(moment) for moment in found]}
        return Made(orjson.dumps(answer), listed)

    def _known(self, content_id: str) -> bool:
        if self._catalogue.get(content_id) is not None:
            return True
        return self._reader.known(content_id, self._clock.now_ms(), self._state_days)


def _mark_id_of(request: Request) -> str:
    mark_id: str = request.path_params["mark_id"]
    if not MARK_ID.fullmatch(mark_id):
        raise InvalidInput("A mark's id has 1 to 64 letters, digits, `_` or `-`.", reason="path")
    return mark_id


def _marked(content_id: str, moment: Moment, status: int) -> Response:
    location = f"/v1/contents/{quote(content_id, safe='')}/marks/{moment.moment_id}"
    return json_answer(_told(moment), status, {"Location": location} if status == 201 else None)


def _told(moment: Moment) -> dict[str, Any]:
    return {
        "mark_id": moment.moment_id,
        "at": rfc3339(moment.at),
        "kind": moment.kind,
        "label": moment.label,
    }


def _list_doc() -> Doc:
    from functions.contents.models import MarksAnswer, MarksQuery

    return Doc(query=MarksQuery, answers={200: MarksAnswer})


def _post_doc() -> Doc:
    from functions.contents.models import Mark, MarkBody

    return Doc(request={"application/json": MarkBody}, answers={201: Mark})


def _put_doc() -> Doc:
    from functions.contents.models import Mark, MarkBody

    return Doc(request={"application/json": MarkBody}, answers={200: Mark, 201: Mark})


def _delete_doc() -> Doc:
    return Doc(answers={204: None})
