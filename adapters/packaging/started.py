"""Run by checking.py in an interpreter of its own, with an unpacked archive and the standard library alone."""

import asyncio
import importlib
import json
import os
import sys
from typing import Any

DOCUMENT = "/openapi.json"


def main() -> None:
    """Import all that the archive may import, then host its function as its runtime would, and ask it something."""
    asked = json.load(sys.stdin)
    sys.path[:0] = asked["path"]
    module, _, name = asked["handler"].rpartition(".")
    if getattr(importlib.import_module(module), name) is None:
        raise SystemExit(f"{asked['handler']} is nothing")
    for each in asked["modules"]:
        importlib.import_module(each)
    if asked["suite"]:
        answer(asked["suite"], speaks_http=asked["speaks_http"])


def answer(suite: str, *, speaks_http: bool) -> None:
    """Make the function with its provider's ports; one that speaks HTTP says what it serves. No cloud is asked."""
    environment, hosting, settings = (
        importlib.import_module(name)
        for name in ("adapters.common.environment", "adapters.common.hosting", "shared.settings")
    )
    given = settings.load_settings(os.environ)
    ports = importlib.import_module(suite).Suite(given, os.environ).ports
    hosted = hosting.Hosted(environment.hosted_function(os.environ), ports, given)
    if speaks_http:
        status = asyncio.run(get(hosted.app, DOCUMENT))
        if status != 200:
            raise SystemExit(f"GET {DOCUMENT} is answered by {status}")


async def get(app: Any, path: str) -> int:
    """The status that an ASGI app answers with."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 443),
    }
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    status: int = said[0]["status"]
    return status


if __name__ == "__main__":
    main()
