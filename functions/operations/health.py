"""What operators see of the suite itself: each function's work and state, lag, and what holds up the rest."""

from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.http.answer import rfc3339
from functions.http.endpoint import Doc, Endpoint, Scope
from functions.http.shared_answers import SharedAnswers
from functions.manifest import FUNCTIONS, Every, Function, OnQueue, OnStream
from shared.health.meter import SLOT_MS
from shared.health.report import FunctionHealth, Health, HealthReader
from shared.health.rules import Watched
from shared.ports import Ports

KEPT_MS: Final = 1_000


def endpoint(ports: Ports) -> Endpoint:
    """`GET /v1/health` of one suite."""
    return Endpoint(
        ("GET",),
        "/v1/health",
        HealthApi(ports).health,
        Scope.OPERATOR,
        "What each function of the suite does, how late its figures are, and what holds it up",
        _doc,
    )


class HealthApi:
    """However many look on, one of them reads, and a second long all get the same."""

    def __init__(self, ports: Ports) -> None:
        self._reader = HealthReader(ports, [_watched(function) for function in FUNCTIONS])
        self._answers: SharedAnswers[bytes] = SharedAnswers(ports.clock, KEPT_MS)

    async def health(self, _: Request) -> Response:
        """Health as of now, or of at most a second ago."""
        body = await self._answers.get("health", lambda: orjson.dumps(_told(self._reader.read())))
        return Response(body, media_type="application/json")


def _watched(function: Function) -> Watched:
    match function.trigger:
        case OnStream(stream=stream, window_ms=window_ms):
            feeders = frozenset(each.name for each in FUNCTIONS if f"stream:{stream}" in each.writes)
            return Watched(function.name, "stream", window_ms=window_ms, feeders=feeders)
        case OnQueue():
            return Watched(function.name, "queue")
        case Every(seconds=seconds):
            return Watched(function.name, "schedule", every_ms=seconds * 1_000)
        case _:
            return Watched(function.name, "http")


def _told(health: Health) -> dict[str, object]:
    recent = vars(health.recent)
    return {
        "as_of": rfc3339(health.as_of),
        "functions": [_function(each) for each in health.functions],
        "lag": health.lag,
        "bottleneck": health.bottleneck,
        "recent": {
            "from": rfc3339(health.recent.since),
            "step_seconds": SLOT_MS // 1_000,
            **{name: value for name, value in recent.items() if name != "since"},
        },
    }


def _function(function: FunctionHealth) -> dict[str, object]:
    error = function.last_error
    return {
        **vars(function),
        "last_seen": None if function.last_seen is None else rfc3339(function.last_seen),
        "last_error": error and {"at": rfc3339(error.at), "reason": error.reason},
    }


def _doc() -> Doc:
    from functions.operations.models import HealthAnswer

    return Doc(answers={200: HealthAnswer})
