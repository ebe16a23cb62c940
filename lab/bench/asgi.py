"""The two apps whose posts are compared: one that only decodes, and the suite's own with a stream that discards."""

from collections.abc import Sequence
from dataclasses import replace

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.local.clock import SystemClock
from functions.http.app import build_app
from functions.ingest.routes import make
from lab.bench.bare import decode
from lab.bench.path import SETTINGS
from lab.memory import MemoryClock, MemorySuite
from shared.stream import NewRecord


async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    """Decode the body's events and say 202: the least that an ASGI app can do."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if scope["method"] == "POST":
        decode(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


class Discarding:
    """A stream that takes everything and keeps nothing."""

    def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        return [None] * len(records)


def ingest_app() -> ASGIApp:
    """Ingest behind the suite's HTTP edge, as it is served on loopback; neither samples nor sheds."""
    clock = SystemClock()
    ports = replace(MemorySuite(MemoryClock(clock.now_ms())).ports, clock=clock, stream=lambda _: Discarding())
    return build_app(make(ports, SETTINGS), ports, SETTINGS, loopback=True)
