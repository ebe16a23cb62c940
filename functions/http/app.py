"""The HTTP edge: one ASGI layer that routes, checks who asks, limits bodies and tells errors as problem documents."""

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.http import pages
from functions.http.auth import Guard
from functions.http.endpoint import Endpoint
from functions.http.endpoint import Scope as Opens
from functions.http.origins import Headers, Origins
from functions.http.problems import Refused, log, problem_of
from shared.errors import InvalidInput
from shared.ports import Ports
from shared.settings import Settings

Lifespan = Callable[[], AbstractAsyncContextManager[None]]
Ready = Callable[[], str | None]

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
PRIVATE = (b"cache-control", b"private, no-store")


def always_ready() -> str | None:
    """Readiness of a host whose requests alone are its life."""
    return None


def build_app(
    endpoints: Sequence[Endpoint],
    ports: Ports,
    settings: Settings,
    *,
    loopback: bool,
    lifespan: Lifespan = nullcontext,
    ready: Ready = always_ready,
) -> ASGIApp:
    """The ASGI app of `endpoints`, with `/healthz`, `/openapi.json` and `/docs` beside them.

    `loopback`: served on this machine only, so no credential is needed and `Host` and `Origin` are checked.
    `lifespan` surrounds the serving; `ready` returns why the host cannot serve yet, or None.
    """
    everything = [*endpoints, *pages.make(endpoints, settings, loopback=loopback, ready=ready)]
    guard = Guard(ports.secrets, settings, loopback=loopback)
    origins = Origins(settings.allowed_origins, loopback=loopback)
    return Edge(Routes(everything), guard, origins, settings.max_body_bytes, lifespan)


class Routes:
    """Endpoints by path and method. `{id}` takes any characters, `/` and newlines too, for ids are data.

    A `/` inside an id is sent as `%2F`, so the path as it was sent says which is which. Where something on the way
    has decoded it, the pattern that says most after its last `{…}` wins, then the one that says most in all:
    `/v1/contents/x/audience` is the audience of `x` rather than the content `x/audience`.
    """

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._fixed: dict[str, dict[str, Endpoint]] = {}
        self._patterns: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            self._add(endpoint)
        most_specific_first = sorted(self._patterns, key=_literals, reverse=True)
        self._as_sent = [(_compiled(path, "[^/]+"), self._patterns[path]) for path in most_specific_first]
        self._decoded = [(_compiled(path, ".+"), self._patterns[path]) for path in most_specific_first]

    def _add(self, endpoint: Endpoint) -> None:
        methods = (self._patterns if "{" in endpoint.path else self._fixed).setdefault(endpoint.path, {})
        if endpoint.scope is Opens.VIEWER and "{id}" not in endpoint.path:
            raise ValueError(f"{endpoint.path} opens to viewers, so it needs an {{id}} that says to whom")
        for method in endpoint.methods:
            if method in methods:
                raise ValueError(f"{method} {endpoint.path} is there twice")
            methods[method] = endpoint

    def find(self, path: str, as_sent: str) -> tuple[dict[str, Endpoint], dict[str, str]]:
        """The endpoints of a path by method, and what its `{…}` stand for. Raises Refused (404).

        `as_sent` is the path with its percent-encoding, or empty where the host does not tell it.
        """
        methods = self._fixed.get(path)
        if methods is not None:
            return methods, {}
        for pattern, methods in self._as_sent:
            match = pattern.fullmatch(as_sent)
            if match:
                return methods, {name: unquote(value) for name, value in match.groupdict().items()}
        for pattern, methods in self._decoded:
            match = pattern.fullmatch(path)
            if match:
                return methods, match.groupdict()
        raise Refused(
            "There is nothing at this address. /docs lists what there is.", status=404, reason="no-such-path"
        )


def _compiled(path: str, inside: str) -> re.Pattern[str]:
    """A pattern whose `{name}` stand for `inside`."""
    pattern = re.sub(r"\\\{(\w+)(?::path)?\\\}", rf"(?P<\1>{inside})", re.escape(path))
    return re.compile(pattern, re.DOTALL)


def _literals(path: str) -> tuple[int, int]:
    """How many characters of a pattern stand for themselves: after its last `{…}`, and in all."""
    return len(path) - path.rindex("}"), len(re.sub(r"\{.*?\}", "", path))


class Edge:
    """The ASGI app itself: a class rather than a stack of middleware, since every layer costs each post."""

    def __init__(
        self, routes: Routes, guard: Guard, origins: Origins, max_body_bytes: int, lifespan: Lifespan
    ) -> None:
        self._routes = routes
        self._guard = guard
        self._origins = origins
        self._max_body_bytes = max_body_bytes
        self._lifespan = lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            response = await self._answer(scope, receive)
            await response(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        endpoint: Endpoint | None = None
        try:
            self._origins.check(headers)
            methods, scope["path_params"] = self._routes.find(_path(scope), _path_as_sent(scope))
            endpoint = _of(methods, scope["method"]) or next(iter(methods.values()))
            response = await self._dispatch(methods, scope, receive, headers)
        except Exception as error:
            response = problem_of(error, f"{scope['method']} {endpoint.path if endpoint else '(no such path)'}")
        response.raw_headers += SECURITY_HEADERS
        if all(name != b"cache-control" for name, _ in response.raw_headers):
            response.raw_headers.append(PRIVATE)
        if endpoint is not None and endpoint.cors:
            self._origins.share(endpoint, headers, response)
        return response

    async def _dispatch(
        self, methods: dict[str, Endpoint], scope: Scope, receive: Receive, headers: Headers
    ) -> Response:
        method = scope["method"]
        endpoint = _of(methods, method)
        if endpoint is None:
            allowed = allow(methods)
            if method == "OPTIONS" and "access-control-request-method" in headers and _any_cors(methods):
                return self._origins.preflight(allowed, headers)
            told = ", ".join(allowed)
            raise Refused(f"Use {told} here.", status=405, reason="method", headers={"Allow": told})
        self._origins.check_sender(endpoint, headers)
        request = Request(scope, self._limited(receive, headers))
        await self._guard.admit(endpoint, request, headers)
        return await endpoint.handle(request)

    def _limited(self, receive: Receive, headers: Headers) -> Receive:
        """`receive`, which refuses bodies past the limit: by their stated length, or as they come."""
        stated = headers.get("content-length")
        if stated is None:
            return _counted(receive, self._max_body_bytes)
        if not stated.isdecimal() or int(stated) > self._max_body_bytes:
            raise too_large(self._max_body_bytes)
        return receive

    async def _live(self, receive: Receive, send: Send) -> None:
        """The ASGI lifespan protocol around `self._lifespan`; a failure is told, and the server ends on it."""
        await receive()
        phase = "startup"
        try:
            async with self._lifespan():
                await send({"type": "lifespan.startup.complete"})
                phase = "shutdown"
                await receive()
        except Exception as error:
            log.exception("%s failed", phase)
            await send({"type": f"lifespan.{phase}.failed", "message": str(error)})
        else:
            await send({"type": "lifespan.shutdown.complete"})


def _of(methods: dict[str, Endpoint], method: str) -> Endpoint | None:
    return methods.get("GET" if method == "HEAD" else method)


def allow(methods: dict[str, Endpoint]) -> list[str]:
    """The methods of a path as `Allow` lists them."""
    return sorted({*methods, *(["HEAD"] if "GET" in methods else [])})


def too_large(limit: int) -> InvalidInput:
    """A body past the limit."""
    return InvalidInput(
        f"The body is over the limit of {limit:,} bytes. Send it in several.", status=413, reason="too-large"
    )


def _any_cors(methods: dict[str, Endpoint]) -> bool:
    return any(endpoint.cors for endpoint in methods.values())


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _path_as_sent(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or b""
    return raw.decode("latin-1").removeprefix(scope.get("root_path", ""))


def _counted(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
    taken = 0

    async def count() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise too_large(limit)
        return message

    return count
