"""`grandstand health`, and that what is shown stays data."""

import json
from typing import Any

import pytest

from tests.unit.cli.fake_suite import FakeSuite, grandstand

FUNCTION = {
    "name": "aggregate",
    "kind": "stream",
    "state": "ok",
    "instances": 1,
    "last_seen": "2026-11-20T18:00:00Z",
    "calls_per_second": 12.5,
    "failures_per_second": 0.0,
    "events_in_per_second": 48_000.0,
    "events_out_per_second": 47_000.0,
    "busy": 0.25,
    "duration_ms_p50": 3.0,
    "duration_ms_p99": 9.0,
    "waiting": 0,
    "oldest_ms": 0,
    "parked": 0,
    "last_error": None,
}
LAG = {
    "events": 10,
    "event_to_visible_ms_p50": 318,
    "event_to_visible_ms_p99": 1_204,
    "received_to_visible_ms_p50": 12,
    "received_to_visible_ms_p99": None,
}


def answer(why: str | None = None, **figures: Any) -> dict[str, Any]:
    function = FUNCTION | figures
    named = ("waiting", "oldest_ms", "busy", "failures_per_second")
    found = {"function": "aggregate", "why": why, **{name: function[name] for name in named}}
    return {
        "as_of": "2026-11-20T18:00:23.400Z",
        "functions": [function],
        "lag": LAG,
        "bottleneck": found if why else None,
        "recent": {},
    }


def test_functions_and_lag_are_shown(suite: FakeSuite) -> None:
    suite.answers["/v1/health"] = (200, answer())
    shown = grandstand("health", "--url", suite.url, "--key", "operator")
    assert shown.exit_code == 0, shown.output
    for figure in ("aggregate", "48,000", "47,000", "0.25", "p99 1,204 ms", "p99 –", "Nothing holds up the suite."):
        assert figure in shown.output
    assert suite.asked[0].headers["authorization"] == "Bearer operator"
    assert json.loads(grandstand("health", "--url", suite.url, "--json").output) == answer()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (answer("silent"), "aggregate holds up the rest: it has told nothing for 23 s."),
        (answer("silent", last_seen=None), "told nothing for a quarter of an hour."),
        (answer("behind", waiting=1_234, oldest_ms=12_345), "1,234 records wait for it, the oldest for 12,345 ms."),
        (answer("busy", busy=0.93), "it works 93% of the time."),
        (
            answer(
                "failing",
                failures_per_second=3.25,
                last_error={"at": "2026-11-20T18:00:01Z", "reason": "The disk is full."},
            ),
            "3.25 calls a second fail; last, at 2026-11-20T18:00:01Z: The disk is full.",
        ),
    ],
)
def test_the_bottleneck_is_told_with_its_reason(suite: FakeSuite, told: dict[str, Any], expected: str) -> None:
    suite.answers["/v1/health"] = (200, told)
    assert expected in grandstand("health", "--url", suite.url).output


def test_markup_and_control_characters_in_what_is_shown_are_not_obeyed(suite: FakeSuite) -> None:
    reason = "[red]bold[/] \x1b[2J [/nothing]"
    letter = {"record_id": "ab", "function": "aggregate", "reason": reason, "dead_at": "now", "bytes": 1}
    suite.answers["/v1/dead-letters"] = (200, {"letters": [letter], "next": None})
    shown = grandstand("dead-letters", "list", "--url", suite.url)
    assert shown.exit_code == 0, shown.output
    assert r"[red]bold[/] \x1b[2J [/nothing]" in shown.output
    assert "\x1b" not in shown.output
