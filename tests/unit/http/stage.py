"""A suite of stand-in endpoints, one for each scope, behind the real edge."""

import json
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import Response

from functions.http.answer import json_answer
from functions.http.app import build_app
from functions.http.endpoint import Endpoint, Scope
from shared.errors import Misconfigured
from shared.ports import Ports
from shared.settings import Settings
from tests.asgi import Client


class Safe:
    """Secrets in a dictionary."""

    def __init__(self, **held: str) -> None:
        self.held = {name.replace("_", "-"): value.encode() for name, value in held.items()}

    def get(self, name: str) -> bytes:
        if name not in self.held:
            raise Misconfigured(f"no secret {name}")
        return self.held[name]


class At:
    """A clock that stands still."""

    def now_ms(self) -> int:
        return 0


def unused(*_: object) -> NoReturn:
    raise AssertionError("the edge touches no store")


def ports(secrets: Safe) -> Ports:
    return Ports(At(), secrets, unused, unused, unused, unused, unused, unused, unused)


async def echo(request: Request) -> Response:
    """Say what arrived."""
    state = request.state
    caller = state.caller.name if state.caller else None
    body = await request.body()
    return json_answer(
        {"source": state.source, "caller": caller, "bytes": len(body), "id": request.path_params.get("id")}
    )


def endpoint(path: str, scope: Scope, *methods: str, cors: bool = False) -> Endpoint:
    return Endpoint(methods or ("GET",), path, echo, scope, "Says what arrived", cors=cors)


EVERY_SCOPE = (
    endpoint("/v1/events", Scope.WRITE, "POST", cors=True),
    endpoint("/v1/contents/{id}/audience/now", Scope.PUBLISH, cors=True),
    endpoint("/v1/contents/top", Scope.PUBLISH, cors=True),
    endpoint("/v1/viewers/{id}/watch-time", Scope.VIEWER, cors=True),
    endpoint("/v1/completeness", Scope.OPERATOR),
)
KEYS = {
    "write_keys": json.dumps({"site": "write-secret", "app": "write-other"}),
    "publish_keys": json.dumps({"page": "publish-secret"}),
    "operator_keys": json.dumps({"ops": "operator-secret"}),
    "viewer_token": "a shared secret that is long enough for HS256",
}


def client(
    *endpoints: Endpoint,
    secrets: Safe | None = None,
    settings: Settings | None = None,
    loopback: bool = False,
    base_url: str = "http://grandstand.test",
) -> Client:
    app = build_app(
        endpoints or EVERY_SCOPE, ports(secrets or Safe(**KEYS)), settings or Settings(), loopback=loopback
    )
    return Client(app, base_url=base_url)


def local(*endpoints: Endpoint, settings: Settings | None = None, secrets: Safe | None = None) -> Client:
    return client(*endpoints, settings=settings, secrets=secrets, loopback=True, base_url="http://127.0.0.1:8080")
