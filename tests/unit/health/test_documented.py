"""docs/metrics.md tells the rules by which states are given."""

import re
from pathlib import Path
from typing import get_args

from functions.manifest import FUNCTIONS, OnStream
from shared.health.merging import QUIET_MS
from shared.health.rules import BEHIND_MS, BUSY_SHARE, FAILING_SHARE, FAR_BEHIND_MS, State

PAGE = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()
HEALTH = PAGE.partition("\n## Health\n")[2]
ROWS: dict[str, str] = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", HEALTH, re.MULTILINE))


def test_every_state_is_told_in_the_order_of_the_rules() -> None:
    assert set(ROWS) == set(get_args(State))
    assert list(ROWS)[:4] == ["silent", "failing", "behind", "busy"]


def test_thresholds_are_told_as_they_are() -> None:
    assert f"{QUIET_MS // 1_000} s" in ROWS["silent"]
    assert f"{FAILING_SHARE:.0%}" in ROWS["failing"]
    assert f"over {BEHIND_MS // 1_000} s" in ROWS["behind"]
    assert f"over {FAR_BEHIND_MS // 1_000} s" in ROWS["behind"]
    assert f"{BUSY_SHARE}" in ROWS["busy"]


def test_the_times_for_which_batches_are_gathered_are_told_as_they_are() -> None:
    gathering = [(each.name, each.trigger.window_ms) for each in FUNCTIONS if isinstance(each.trigger, OnStream)]
    assert all(f"{ms // 1_000} s for `{name}`" in ROWS["behind"] for name, ms in gathering if ms)
