"""`health`: what each function of the suite does, and what holds it up."""

from datetime import datetime
from typing import Any

import typer

from adapters.cli.api import Api
from adapters.cli.options import DEFAULT_URL, AsJson, Key, Url
from adapters.cli.terminal import print_json, print_table, readable

_COLUMNS = {
    "function": "name",
    "state": "state",
    "instances": "instances",
    "calls/s": "calls_per_second",
    "failures/s": "failures_per_second",
    "events in/s": "events_in_per_second",
    "events out/s": "events_out_per_second",
    "busy": "busy",
    "p99 ms": "duration_ms_p99",
    "waiting": "waiting",
    "oldest ms": "oldest_ms",
}


def health(url: Url = DEFAULT_URL, key: Key = None, as_json: AsJson = False) -> None:
    """What each function of the suite does, how late figures are, and what holds it up."""
    answer = Api(url, key).get("/v1/health")
    if as_json:
        print_json(answer)
        return
    functions: list[dict[str, Any]] = answer["functions"]
    print_table("Health", list(_COLUMNS), [[each[name] for name in _COLUMNS.values()] for each in functions])
    lag = answer["lag"]
    typer.echo(
        f"From an event to the screen: p50 {_ms(lag['event_to_visible_ms_p50'])}, "
        f"p99 {_ms(lag['event_to_visible_ms_p99'])}; from its arrival: "
        f"p50 {_ms(lag['received_to_visible_ms_p50'])}, p99 {_ms(lag['received_to_visible_ms_p99'])}."
    )
    typer.echo(_blamed(answer))


def _blamed(answer: dict[str, Any]) -> str:
    found = answer["bottleneck"]
    if found is None:
        return "Nothing holds up the suite."
    function = next(each for each in answer["functions"] if each["name"] == found["function"])
    reasons = {
        "silent": lambda: f"it has told nothing {_since(function['last_seen'], answer['as_of'])}",
        "failing": lambda: f"{readable(found['failures_per_second'])} calls a second fail{_last(function)}",
        "behind": lambda: (
            f"{readable(found['waiting'])} records wait for it, the oldest for {_ms(found['oldest_ms'])}"
        ),
        "busy": lambda: f"it works {found['busy']:.0%} of the time",
    }
    return f"{found['function']} holds up the rest: {reasons[found['why']]()}."


def _since(last_seen: str | None, as_of: str) -> str:
    if last_seen is None:
        return "for a quarter of an hour"
    seconds = (datetime.fromisoformat(as_of) - datetime.fromisoformat(last_seen)).total_seconds()
    return f"for {seconds:.0f} s"


def _last(function: dict[str, Any]) -> str:
    error = function["last_error"]
    return f"; last, at {error['at']}: {readable(error['reason']).rstrip('.')}" if error else ""


def _ms(value: int | None) -> str:
    return "–" if value is None else f"{readable(value)} ms"
