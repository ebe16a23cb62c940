"""An HTTP function behind the ASGI support of azure-functions."""

import asyncio
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import azure.functions as func
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.http.problems import problem_of
from shared.errors import InvalidInput
from shared.health.pulses import PULSE_MS

NOT_TEXT: Final = "The address is not UTF-8. Percent-encode its characters as UTF-8."


class HttpFunction:
    """An app, called with one of the host's requests; `rest` is called after an answer, now and then."""

    def __init__(self, app: ASGIApp, rest: Callable[[], None]) -> None:
        self._app = app
        self._rest = rest
        self._rested_at: float | None = None

    async def __call__(self, request: func.HttpRequest, context: func.Context | None = None) -> func.HttpResponse:
        sent = _as_sent(self._app, urlsplit(request.url).path)
        try:
            answer: func.HttpResponse = await func.AsgiMiddleware(sent).handle_async(request, context)  # type: ignore[no-untyped-call]
        except UnicodeDecodeError:
            refused = problem_of(InvalidInput(NOT_TEXT, reason="address"), "(an address that is not UTF-8)")
            return func.HttpResponse(
                bytes(refused.body), status_code=refused.status_code, mimetype=refused.media_type
            )
        now = time.monotonic()
        if self._rested_at is None or now - self._rested_at >= PULSE_MS / 1_000:
            self._rested_at = now
            await asyncio.to_thread(self._rest)
        return answer


def _as_sent(app: ASGIApp, path: str) -> ASGIApp:
    """The app with the path as it was sent: an id may hold `%2F`, which the library has decoded.

    As any server does, it keeps back the body of what answers a HEAD.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_headers(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        as_sent = {**scope, "raw_path": path.encode("utf-8")}
        await app(as_sent, receive, send_headers if scope["method"] == "HEAD" else send)

    return call
