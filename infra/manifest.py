"""`infra/manifest.json`: `functions/manifest.py` and the routes of its HTTP functions, for tools that know no Python.

`python -m infra.manifest` writes it; a test says when it is out of date. Everything in it is sorted, so that it
changes only when the manifest does.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from functions.http.endpoint import Endpoint, Scope
from functions.manifest import FUNCTIONS, Every, Function, Http, OnQueue, OnStream
from shared.ports import Ports
from shared.settings import Settings

PATH: Final = Path(__file__).with_name("manifest.json")
SHORTEST_SCHEDULE_SECONDS: Final = 60
"""Every cloud's scheduler starts a function once a minute at most; a shorter schedule repeats inside that minute."""


def main() -> None:
    """Write `infra/manifest.json`."""
    PATH.write_text(rendered())


def rendered() -> str:
    """The file as it should be."""
    return json.dumps(manifest(), indent=2) + "\n"


def manifest() -> dict[str, Any]:
    """What the file holds."""
    functions = sorted(FUNCTIONS, key=lambda one: one.name)
    used = {name for one in functions for name in one.hosted_reads | one.hosted_writes}
    used |= {f"stream:{one.trigger.stream}" for one in functions if isinstance(one.trigger, OnStream)}
    used |= {f"queue:{one.trigger.queue}" for one in functions if isinstance(one.trigger, OnQueue)}
    return {
        "functions": [_function(one) for one in functions],
        "tables": _named(used, "table"),
        "objects": _named(used, "objects"),
        "queues": _named(used, "queue"),
        "streams": _named(used, "stream"),
        "secrets": _named(used, "secret"),
    }


def served(function: Function) -> Sequence[Endpoint]:
    """The endpoints of an HTTP function, made without anything behind them."""
    endpoints: Sequence[Endpoint] = function.load()(_no_ports(), Settings())
    return endpoints


def _function(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "trigger": _trigger(function),
        "reads": sorted(function.hosted_reads),
        "writes": sorted(function.hosted_writes),
        "memory_mb": function.memory_mb,
        "timeout_seconds": _timeout_seconds(function),
    }


def _trigger(function: Function) -> dict[str, Any]:
    match function.trigger:
        case Http():
            return {"kind": "http", "routes": _routes(served(function))}
        case OnStream(stream, batch_records, window_ms):
            return {"kind": "stream", "stream": stream, "batch_records": batch_records, "window_ms": window_ms}
        case OnQueue(queue, max_attempts):
            return {"kind": "queue", "queue": queue, "max_attempts": max_attempts}
        case Every(seconds):
            return {"kind": "schedule", "every_seconds": seconds}


def _routes(endpoints: Iterable[Endpoint]) -> list[dict[str, Any]]:
    routes = [
        {
            "path": one.path,
            "methods": sorted(one.methods),
            "scope": one.scope.value,
            "cacheable": one.scope is Scope.PUBLISH and one.methods == ("GET",),
        }
        for one in endpoints
    ]
    return sorted(routes, key=lambda route: (route["path"], route["methods"]))


def _timeout_seconds(function: Function) -> int:
    trigger = function.trigger
    repeats = isinstance(trigger, Every) and trigger.seconds < SHORTEST_SCHEDULE_SECONDS
    return function.timeout_seconds + (SHORTEST_SCHEDULE_SECONDS if repeats else 0)


def _named(used: Iterable[str], kind: str) -> list[str]:
    return sorted(name.partition(":")[2] for name in used if name.startswith(f"{kind}:"))


def _no_ports() -> Ports:
    """Ports for looking at what a function serves: it may take them, and may use none."""
    nothing: Any = object()

    def lend(*_: str) -> Any:
        return nothing

    return Ports(
        clock=nothing,
        secrets=nothing,
        stream=lend,
        table=lend,
        objects=lend,
        queue=lend,
        mailer=lend,
        warehouse=lend,
        history_uri=lend,
    )


if __name__ == "__main__":
    main()
