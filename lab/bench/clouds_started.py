"""Run by clouds.py in an interpreter of its own, on an unpacked package: starts its function, and calls it.

Times are of this process alone. `processor` is what it computed itself, so that no emulator's time is in it.
"""

import asyncio
import importlib
import json
import os
import sys
from base64 import b64decode
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any


def main() -> None:
    """Print the seconds until imported, of the first call, and of each later one."""
    asked = json.load(sys.stdin)
    sys.path[:0] = asked["path"]
    started = perf_counter()
    if asked["client"]:
        exec(asked["client"], {})  # noqa: S102 - a statement of the bench's
        print(json.dumps({"import": perf_counter() - started}))
        return
    importlib.import_module(asked["handler"])
    imported = perf_counter()
    call = caller(asked)
    call(0)
    answered = perf_counter()
    computed, elapsed = process_time(), perf_counter()
    for number in range(1, asked["calls"]):
        call(number)
    later = max(asked["calls"] - 1, 1)
    print(
        json.dumps(
            {
                "import": imported - started,
                "first": answered - imported,
                "processor": (process_time() - computed) / later,
                "elapsed": (perf_counter() - elapsed) / later,
            }
        )
    )


def caller(asked: Any) -> Callable[[int], None]:
    """Hands the function its n-th body (HTTP) or record (a stream), and fails unless it is taken."""
    environment, hosting, settings, stream = (
        importlib.import_module(name)
        for name in ("adapters.common.environment", "adapters.common.hosting", "shared.settings", "shared.stream")
    )
    given = settings.load_settings(os.environ)
    ports = importlib.import_module(asked["suite"]).Suite(given, os.environ).ports
    hosted = hosting.Hosted(environment.hosted_function(os.environ), ports, given)
    bodies = [b64decode(each) for each in asked["bodies"]]
    if asked["http"] is None:
        return lambda number: settled(hosted, stream, ports.clock.now_ms(), number, bodies[number])
    loop = asyncio.new_event_loop()

    def call(number: int) -> None:
        status = loop.run_until_complete(answered(hosted.app, asked["http"], bodies[number % len(bodies)]))
        if status not in (200, 202):
            raise SystemExit(f"{asked['http']['path']} answers {status}")

    return call


def settled(hosted: Any, stream: Any, now_ms: int, number: int, body: bytes) -> None:
    """One record through a stream function."""
    record = stream.Record(number.to_bytes(16, "big"), f"match-{number % 10:06d}#0", "0", number, now_ms, 1, body)
    again = hosted.settler.settle([record], stream.NO_DEADLINE, stop=True)
    if again:
        raise SystemExit("the record was not settled")


async def answered(app: Any, http: Any, body: bytes) -> int:
    """The status that an ASGI app answers with."""
    path, _, query = http["path"].partition("?")
    headers = {"host": "bench.example", "content-length": str(len(body)), **http["headers"]}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": http["method"],
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("bench.example", 443),
    }
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    status: int = said[0]["status"]
    return status


if __name__ == "__main__":
    main()
