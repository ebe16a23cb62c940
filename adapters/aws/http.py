"""HTTP by API Gateway (payload 2.0) or a function URL: Mangum calls the function's own ASGI app."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, unquote

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.aws.triggers import Event

TEXT: Final = [*DEFAULT_TEXT_MIME_TYPES, "application/problem+json"]
"""Answers that Lambda takes as they are; all others travel as base64."""
_THREAD: Final = threading.local()
PLAIN: Final = "%/:@!$&'()*+,;=~"


def serve(app: ASGIApp) -> Callable[[Event, Any], dict[str, Any]]:
    """A function from Lambda's HTTP event and context to its answer."""
    logging.getLogger("mangum.http").setLevel(logging.WARNING)  # it tells each path, and with it who asks
    asyncio.set_event_loop(_loop())
    mangum: Any = Mangum(_AsSent(app), lifespan="off", text_mime_types=TEXT)

    def answer(event: Event, context: Any) -> dict[str, Any]:
        asyncio.set_event_loop(_loop())
        told = dict(mangum(dict(event), context))
        return _without_body(told) if _bodiless(event, told["statusCode"]) else told

    return answer


def _bodiless(event: Event, status: int) -> bool:
    return status in (204, 304) or event["requestContext"]["http"]["method"] == "HEAD"


def _without_body(told: dict[str, Any]) -> dict[str, Any]:
    """As servers leave it out. Mangum invents a type for what has none, which a cache would take over from a 304."""
    headers = dict(told.get("headers") or {})
    if told["statusCode"] in (204, 304):
        headers.pop("content-type", None)
    return told | {"body": "", "isBase64Encoded": False, "headers": headers}


def _loop() -> asyncio.AbstractEventLoop:
    """This thread's event loop, kept between invocations; Mangum takes the one that is set."""
    loop: asyncio.AbstractEventLoop | None = getattr(_THREAD, "loop", None)
    if loop is None or loop.is_closed():
        loop = _THREAD.loop = asyncio.new_event_loop()
    return loop


class _AsSent:
    """Tells the app its path as it was sent, which Mangum leaves out, so that `%2F` stays inside an id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        event = scope["aws.event"]
        path = _inside_stage(str(event.get("rawPath") or "/"), str(event["requestContext"].get("stage", "")))
        scope = {**scope, "path": unquote(path), "raw_path": quote(path, safe=PLAIN).encode()}
        await self._app(scope, receive, send)


def _inside_stage(path: str, stage: str) -> str:
    """The path below an API's stage, which is part of it unless the stage is the default one."""
    if stage in ("", "$default"):
        return path
    below = path.removeprefix(f"/{stage}")
    return below if below.startswith("/") else path if below else "/"
