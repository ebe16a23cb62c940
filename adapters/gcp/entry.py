"""What functions-framework calls: one function of the manifest, made once for an instance.

In the framework's asynchronous mode, which it chooses by the decorator: its server is then uvicorn, as on one
machine, paths arrive as they were sent, and an HTTP function's app answers by itself. All other work blocks, and so
has a thread.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any, Final, cast

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from adapters.common.environment import hosted_function, needs_extra
from adapters.common.hosting import Hosted
from adapters.gcp.needs import check
from adapters.gcp.pubsub import PubSub, PubSubSubscription, Subscription
from adapters.gcp.suite import Suite
from adapters.gcp.triggers import Call, Triggers, invocation_seconds
from functions.manifest import Http
from shared.errors import GrandstandError, Misconfigured
from shared.ports import Clock
from shared.settings import load_settings
from shared.stream import Deadline

log = logging.getLogger("grandstand.entry")

TIMEOUT: Final = "CLOUD_RUN_TIMEOUT_SECONDS"
"""How long the platform lets an invocation last, where it tells us."""


class Deployment:
    """The function that `GRANDSTAND_FUNCTION` names, with its ports. No client is made before one is used."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
        seconds: float | None = None,
    ) -> None:
        """`seconds` is how long an invocation may last, where it is not as long as it needs. Raises Misconfigured."""
        self.function = hosted_function(environ)
        self._environ = environ
        check(self.function, environ)
        self._settings = load_settings(environ)
        self.suite = Suite(self._settings, environ, clock=clock)
        self.hosted = Hosted(self.function, self.suite.ports, self._settings, sleep=sleep)
        self._seconds = seconds or _seconds(environ, invocation_seconds(self.function), self.function.name)

    async def handle(self, request: Request) -> ASGIApp:
        """The answer to a request, as the app that sends it."""
        if isinstance(self.function.trigger, Http):
            return self._app
        end = time.monotonic() + self._seconds
        call = Call(request.method, request.url.path, dict(request.headers), await request.body())
        deadline = Deadline(lambda: int(1_000 * (end - time.monotonic())))
        try:
            reply = await asyncio.to_thread(self._triggers.answer, call, deadline)
        except Exception as error:
            expected = isinstance(error, GrandstandError)
            log.error("%s failed: %s", call.path, error, exc_info=None if expected else error)
            return PlainTextResponse(f"{type(error).__name__}: {error}", 500)
        return PlainTextResponse(reply.text, reply.status)

    @cached_property
    def _app(self) -> ASGIApp:
        from adapters.gcp.http import HttpFunction

        return HttpFunction(self.hosted)

    @cached_property
    def _triggers(self) -> Triggers:
        return Triggers(self.hosted, self.suite.ports.clock, self._settings, self._subscribe)

    def _subscribe(self, stream: str, function: str) -> Subscription:
        return PubSubSubscription(PubSub(self._environ, self.suite.clients), stream, function)


def registered(handle: Callable[[Request], Awaitable[ASGIApp]]) -> Callable[[Request], Awaitable[Any]]:
    """The same, known to functions-framework as asynchronous."""
    with needs_extra("gcp"):
        from functions_framework import aio

    made: Any = handle  # the framework's types speak of responses; what is returned is called as the ASGI app it is
    return cast("Callable[[Request], Awaitable[Any]]", aio.http(made))


def _seconds(environ: Mapping[str, str], needed: int, name: str) -> int:
    told = environ.get(TIMEOUT, "").strip()
    if told and (not told.isdecimal() or int(told) < needed):
        raise Misconfigured(
            f"{TIMEOUT}={told!r}: an invocation of {name} may last {needed} s. Set the function's timeout to that."
        )
    return needed
