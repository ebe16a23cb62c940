"""An HTTP function behind functions-framework: the app itself, which the framework's own server calls."""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.common.hosting import Hosted
from shared.health.pulses import PULSE_MS


class HttpFunction:
    """The ASGI app of a function; `rest`s before an answer ends, for after it there is no CPU."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self._app: ASGIApp = hosted.app
        self._rested_at: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_rested(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                await self._rest()
            await send(message)

        await self._app(scope, receive, send_rested)

    async def _rest(self) -> None:
        """Only now and then in a thread of its own, since changing threads costs every request."""
        now = time.monotonic()
        if self._rested_at is None or now - self._rested_at >= PULSE_MS / 1_000:
            self._rested_at = now
            await asyncio.to_thread(self._hosted.rest)
