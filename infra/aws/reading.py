"""What the stack makes of the manifest's JSON, without the CDK."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

BESIDE: Final = ("/docs", "/healthz")
"""What every HTTP function answers beside its routes; `FRONT` does so for all."""
FRONT: Final = "ingest"
SHORTEST_SECONDS: Final = 60

Function = Mapping[str, Any]


def paths_of(function: Function) -> list[str]:
    """The paths of a function's routes. Each takes every method: the function refuses those it does not serve."""
    paths = {route["path"] for route in function["trigger"]["routes"]}
    return sorted({*paths, *BESIDE} if function["name"] == FRONT else paths)


def check_paths(functions: Iterable[Function]) -> None:
    """Two functions cannot share a path. Raises ValueError."""
    owners: dict[str, str] = {}
    for function in functions:
        for path in paths_of(function):
            owner = owners.setdefault(path, function["name"])
            if owner != function["name"]:
                raise ValueError(f"{path} is served by {owner} and by {function['name']}; give it to one of them")


def kept_patterns(routes: Sequence[Mapping[str, Any]]) -> list[str]:
    """CloudFront's patterns for the routes whose answers may be kept; its `*` stands for any characters."""
    patterns = {re.sub(r"\{.*?\}", "*", route["path"]) for route in routes if route["cacheable"]}
    return sorted(patterns, key=lambda pattern: ("*" in pattern, pattern))


def id_patterns(routes: Sequence[Mapping[str, Any]]) -> list[str]:
    """CloudFront's patterns for what lies below an id."""
    return sorted({route["path"].partition("{")[0] + "*" for route in routes if "{" in route["path"]})


def has_fan_out(function: Function) -> bool:
    """Whether a stream's function has a pipe of its own: where a batch is not to be gathered, 70 ms count."""
    trigger = function["trigger"]
    return bool(trigger["kind"] == "stream" and trigger["window_ms"] == 0)


def rate(every_seconds: int) -> str:
    """EventBridge's words for an interval, whole minutes of at least one."""
    minutes = max(1, every_seconds // SHORTEST_SECONDS)
    return f"rate({minutes} minute{'s' if minutes > 1 else ''})"
