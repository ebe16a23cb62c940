"""The viewers API: what a viewer, or an operator, may ask of that viewer."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from functions.http.answer import json_answer, read_body, read_query, rfc3339
from functions.http.endpoint import Doc, Endpoint, Scope
from shared.errors import InvalidInput
from shared.ports import Ports
from shared.privacy.pseudonym import SECRET, KeyRing, load_key_ring, pseudonym
from shared.settings import Settings
from shared.units import DAY_MS, WINDOW_MS
from shared.viewing.attributes import NAMES, erase_attributes, put_attributes, read_attributes

Handle = Callable[[Request], Awaitable[Response]]
DEFAULT_RANGE_MS: Final = 30 * DAY_MS
VIEWERS: Final = "viewers"
PRIVATE: Final = {"Cache-Control": "private, no-store"}


def make(ports: Ports, settings: Settings) -> list[Endpoint]:
    """The endpoints of one suite."""
    api = ViewersApi(ports, settings)
    path = "/v1/viewers/{id}/attributes"
    watch_time = "How long the viewer watched, at most a minute behind"
    return [
        _endpoint("GET", "/v1/viewers/{id}/watch-time", api.watch_time, watch_time, _watch_time_doc),
        _endpoint("GET", path, api.get_attributes, "What the viewer is known by", _get_doc),
        _endpoint("PUT", path, api.put_attributes, "Say what the viewer is known by", _put_doc),
        _endpoint("DELETE", path, api.delete_attributes, "Forget the viewer's attributes", _delete_doc),
    ]


def _endpoint(method: str, path: str, handle: Handle, summary: str, document: Callable[[], Doc]) -> Endpoint:
    """Open to the platform's own pages, which send the viewer's token themselves."""
    return Endpoint((method,), path, handle, Scope.VIEWER, summary, document, cors=True)


class ViewersApi:
    """Handlers; each reads its stores in a worker thread."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._ports = ports
        self._settings = settings

    async def watch_time(self, request: Request) -> Response:
        """Reports with a timestamp in [from, to)."""
        from functions.viewers.models import WatchTimeQuery

        query = read_query(request, WatchTimeQuery)
        now = self._ports.clock.now_ms()
        to = now + self._settings.max_ahead_seconds * 1_000 if query.to is None else query.to
        since = max(0, min(to, now) - DEFAULT_RANGE_MS) if query.since is None else query.since
        if since >= to:
            raise InvalidInput("`from` must be before `to`.", reason="query")
        viewer_id: str = request.path_params["id"]
        answer = await run_in_threadpool(self._watched, viewer_id, since, to)
        asked = {"viewer_id": viewer_id, "from": rfc3339(since), "to": rfc3339(to)}
        return json_answer({**asked, **answer}, headers=PRIVATE)

    async def get_attributes(self, request: Request) -> Response:
        """Null where nothing is known, also of a viewer who never was."""
        viewer_id: str = request.path_params["id"]
        known = await run_in_threadpool(lambda: read_attributes(self._table(), self._pseudonyms(viewer_id)))
        return json_answer({"viewer_id": viewer_id, **{name: known.get(name) for name in NAMES}}, headers=PRIVATE)

    async def put_attributes(self, request: Request) -> Response:
        """Replaces all attributes; 204."""
        from functions.viewers.models import AttributesBody

        body = await read_body(request, AttributesBody, '{"country": "NO", "consent": "analytics"}')
        viewer_id: str = request.path_params["id"]
        told = body.model_dump(mode="json", include={*NAMES})
        await run_in_threadpool(self._put, viewer_id, told, body.consent, body.child)
        return Response(status_code=204)

    async def delete_attributes(self, request: Request) -> Response:
        """Also when there are none; 204."""
        viewer_id: str = request.path_params["id"]
        await run_in_threadpool(self._erase, viewer_id)
        return Response(status_code=204)

    def _watched(self, viewer_id: str, since: int, to: int) -> dict[str, Any]:
        from functions.viewers.watched import watched

        return watched(self._ports, self._pseudonyms(viewer_id, since, to), since, to)

    def _put(self, viewer_id: str, told: dict[str, str | None], consent: str, child: bool) -> None:
        if child or consent == "none":
            self._erase(viewer_id)
            return
        now = self._ports.clock.now_ms()
        key = self._ring().at(now // WINDOW_MS)
        put_attributes(self._table(), pseudonym(key.secret, viewer_id), told, now, consent)

    def _erase(self, viewer_id: str) -> None:
        now = self._ports.clock.now_ms()
        for each in self._pseudonyms(viewer_id):
            erase_attributes(self._table(), each, now)

    def _table(self) -> Any:
        return self._ports.table(VIEWERS)

    def _ring(self) -> KeyRing:
        return load_key_ring(self._ports.secrets.get(SECRET))

    def _pseudonyms(self, viewer_id: str, since: int | None = None, to: int | None = None) -> list[bytes]:
        """Under every key that served some window between `since` and `to`."""
        ring = self._ring()
        ends = [*ring.starts[1:], None]
        serving = [
            key
            for number, (key, end) in enumerate(zip(ring.keys, ends, strict=True))
            if (to is None or number == 0 or key.from_window * WINDOW_MS < to)
            and (since is None or end is None or end * WINDOW_MS > since)
        ]
        return [pseudonym(key.secret, viewer_id) for key in serving]


def _watch_time_doc() -> Doc:
    from functions.viewers.models import WatchTimeAnswer, WatchTimeQuery

    return Doc(query=WatchTimeQuery, answers={200: WatchTimeAnswer})


def _get_doc() -> Doc:
    from functions.viewers.models import AttributesAnswer

    return Doc(answers={200: AttributesAnswer})


def _put_doc() -> Doc:
    from functions.viewers.models import AttributesBody

    return Doc(request={"application/json": AttributesBody}, answers={204: None})


def _delete_doc() -> Doc:
    return Doc(answers={204: None})
