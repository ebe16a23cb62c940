"""A client that calls an ASGI app in this process, one event loop a request.

Starlette's own test client wants a library beside httpx; this is all that the tests need of it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
from starlette.types import ASGIApp


class Client:
    """`client.get("/path").json()`, against `app`."""

    def __init__(self, app: ASGIApp, *, base_url: str = "http://127.0.0.1:8080", root_path: str = "") -> None:
        self._app = app
        self._base_url = base_url
        self._root_path = root_path

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self.send(method, path, **options))

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request inside a running loop, for tests that send several at a time."""
        transport = httpx.ASGITransport(self._app, root_path=self._root_path)
        async with httpx.AsyncClient(transport=transport, base_url=self._base_url) as client:
            return await client.request(method, path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.request("PUT", path, **options)


async def chunked(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """A body of unstated length."""
    for chunk in chunks:
        yield chunk


async def speak(app: ASGIApp, kind: str, *received: dict[str, Any]) -> list[dict[str, Any]]:
    """What `app` sends in a conversation of another kind than HTTP (`lifespan`, `websocket`)."""
    waiting, sent = list(received), list[dict[str, Any]]()

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(dict(message))

    await app({"type": kind}, receive, send)
    return sent
