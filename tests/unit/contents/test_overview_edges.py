"""Where one list of the overview ends and the next begins, and what the lists leave out."""

from typing import Any

import pytest

from shared.contents import overview as module
from shared.contents.problems import ENDING_MS
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.builders import KICK_OFF
from tests.unit.contents.stage import Stage
from tests.unit.contents.test_overview import ids, only


@pytest.mark.parametrize(("after_ms", "live"), [(120_000, True), (120_001, False)])
def test_the_two_minutes_of_silence_begin_where_the_last_window_ends(after_ms: int, live: bool) -> None:
    stage = Stage()
    stage.watch("derby", 5)
    seen = stage.at(5_000 + after_ms).overview()
    assert (ids(seen["live"]) == ["derby"], ids(seen["ended"]) == ["derby"]) == (live, not live)


def test_who_left_before_the_start_has_not_seen_it_begin() -> None:
    stage = Stage()
    stage.put("derby", starts_at=KICK_OFF + 5_000)
    stage.watch("derby", 2)
    stage.watch("derby", 2, 4_000, event_type="stop")
    seen = stage.at(5_000 + 61_000).overview()
    assert (ids(seen["upcoming"]), seen["ended"]) == (["derby"], [])


def test_the_peak_of_what_ended_counts_the_hour_before_its_start() -> None:
    stage = Stage()
    stage.put("derby", starts_at=KICK_OFF, ends_at=KICK_OFF + HOUR_MS)
    for viewers, at in ((20, -61 * MINUTE_MS), (9, -10 * MINUTE_MS), (4, 10 * MINUTE_MS)):
        stage.watch("derby", viewers, at)
    assert only(stage.at(HOUR_MS).overview()["ended"])["peak_concurrent"] == 9


def test_the_peak_of_what_no_catalogue_knows_is_that_of_a_day() -> None:
    stage = Stage()
    for viewers, at in ((20, -DAY_MS - HOUR_MS), (9, -DAY_MS + HOUR_MS), (4, 0)):
        stage.watch("derby", viewers, at)
    assert only(stage.at(10 * MINUTE_MS).overview()["ended"])["peak_concurrent"] == 9


def test_of_very_many_those_with_the_most_watched_time_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONSIDERED", 4)
    stage = Stage()
    for number in range(4):
        stage.watch(f"watched-{number}", 1, watched_ms=1_000)
    stage.watch("told-of-often", 5)
    seen = stage.at(1_000).overview(limit=2)
    assert (ids(seen["live"]), seen["more"]) == (["watched-0", "watched-1"], 3)


def test_what_players_called_on_demand_in_the_last_hour_stays_so_in_the_next() -> None:
    stage = Stage()
    assert stage.at(-15_000).overview()["live"] == []
    stage.watch("film", 2, -10_000, content_type="vod")
    stage.watch("film", 2, 1_000)
    assert stage.at(2_000).overview()["live"] == []


def problems(stage: Stage) -> list[str]:
    shown: list[dict[str, Any]] = only(stage.overview()["live"])["problems"]
    return [problem["code"] for problem in shown]


def test_errors_of_those_who_have_left_are_shared_by_those_who_were_there() -> None:
    stage = Stage()
    stage.watch("derby", 40)
    stage.watch("derby", 3, 1_000, event_type="error")
    stage.watch("derby", [f"viewer {n}" for n in range(1, 40)], 8_000, event_type="stop")
    stage.watch("derby", 1, MINUTE_MS)
    assert "errors" not in problems(stage.at(MINUTE_MS + 1_000))


@pytest.mark.parametrize(("before_end_ms", "told"), [(ENDING_MS + 1, True), (ENDING_MS, False)])
def test_a_drop_is_told_up_to_five_minutes_before_the_end(before_end_ms: int, told: bool) -> None:
    stage = Stage()
    stage.put("derby", ends_at=KICK_OFF + MINUTE_MS + before_end_ms)
    stage.watch("derby", 20)
    stage.watch("derby", 10, MINUTE_MS)
    assert ("sudden_drop" in problems(stage.at(MINUTE_MS))) is told
