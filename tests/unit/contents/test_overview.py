"""What is on now, what comes and what has ended."""

from typing import Any

import pytest

from shared.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.builders import KICK_OFF
from tests.unit.audience.stage import OPERATOR, PUBLISH
from tests.unit.contents.stage import Stage


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    (row,) = rows
    return row


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["content_id"] for row in rows]


def test_the_most_watched_stand_first_and_the_others_are_counted() -> None:
    stage = Stage()
    for content_id, viewers in (("a", 2), ("b", 5), ("c", 2), ("d", 1)):
        stage.watch(content_id, viewers)
    seen = stage.at(4_000).overview(limit=3)
    assert (ids(seen["live"]), seen["more"]) == (["b", "a", "c"], 1)
    assert [one["concurrent"] for one in seen["live"]] == [5, 2, 2]


def test_nothing_on_is_an_empty_overview() -> None:
    seen = Stage().overview()
    assert (seen["live"], seen["more"], seen["upcoming"], seen["ended"]) == ([], 0, [], [])
    assert seen["delay_ms"] is None


def test_the_figures_are_those_of_the_audience_api() -> None:
    stage = Stage()
    stage.watch("derby", 7, -7 * MINUTE_MS)
    stage.watch("derby", 3, -4 * MINUTE_MS)
    stage.watch("derby", 5, -1_000, watched_ms=9_000)
    stage.watch("derby", 1, 2_000, event_type="stall", stall_ms=1_000)
    stage.at(3_000)
    shown = only(stage.overview()["live"])
    now = stage.client.get("/v1/contents/derby/audience/now").json()
    assert (shown["concurrent"], shown["concurrent_error"]) == (now["concurrent"], now["concurrent_error"]) == (5, 0)
    assert shown["rebuffering_ratio"] == round(1_000 / 46_000, 6)
    minutes = {one["start"]: one["concurrent"] for one in stage.windows("derby", resolution="1m")}
    spark = shown["sparkline"]
    assert (spark["from"], spark["resolution"], len(spark["concurrent"])) == ("2026-10-28T17:31:00Z", "1m", 30)
    assert [one for one in spark["concurrent"] if one is not None] == list(minutes.values())
    assert spark["concurrent"][22:] == [7, None, None, 3, None, None, 5, 5]


def test_rolled_up_minutes_and_fresh_ones_make_one_sparkline() -> None:
    stage = Stage()
    for minute in range(0, 12, 2):
        stage.at(minute * MINUTE_MS).watch("derby", 10 + minute, minute * MINUTE_MS)
    before = only(stage.overview()["live"])["sparkline"]["concurrent"]
    marked = stage.marks()
    stage.roll(2)
    assert len(stage.marks()) < len(marked)
    stage.at(10 * MINUTE_MS + 2_000)
    after = only(stage.overview()["live"])["sparkline"]["concurrent"]
    assert after == before
    assert [one for one in after if one is not None] == [10, 12, 14, 16, 18, 20]


def test_the_change_is_against_five_minutes_ago() -> None:
    stage = Stage()
    stage.watch("derby", 4)
    stage.watch("derby", 9, 5 * MINUTE_MS)
    stage.watch("new", 9, 5 * MINUTE_MS)
    seen = stage.at(5 * MINUTE_MS + 1_000).overview()["live"]
    assert [(one["content_id"], one["change"]) for one in seen] == [("derby", 5), ("new", None)]


def test_who_comes_back_after_a_break_is_a_change_from_nobody() -> None:
    stage = Stage()
    stage.watch("derby", 4)
    stage.watch("derby", 9, 9 * MINUTE_MS)
    shown = only(stage.at(9 * MINUTE_MS + 1_000).overview()["live"])
    assert (shown["concurrent"], shown["change"]) == (9, 9)


def test_the_catalogue_says_what_contents_are_called_and_when_they_began() -> None:
    stage = Stage()
    stage.watch("derby", 1)
    stage.put("derby", "Harbour City – Northern Stars", starts_at=KICK_OFF - MINUTE_MS)
    shown = only(stage.at(1_000).overview()["live"])
    assert (shown["title"], shown["starts_at"]) == ("Harbour City – Northern Stars", "2026-10-28T17:59:00Z")


@pytest.mark.parametrize("asked", ["malmo", "MALMÖ", " ﬁnale", "Final", "sv-2"])
def test_a_search_finds_titles_and_ids_without_case_and_accents(asked: str) -> None:
    stage = Stage()
    stage.watch("SV-2026", 1)
    stage.put("SV-2026", "Malmö: Ｆinale")
    stage.watch("other", 2)
    stage.put("tomorrow", "Other", starts_at=KICK_OFF + HOUR_MS)
    seen = stage.at(1_000).overview(q=asked, limit=1)
    assert (ids(seen["live"]), seen["more"], seen["upcoming"]) == (["SV-2026"], 0, [])


def test_what_comes_stands_in_order_of_its_start() -> None:
    stage = Stage()
    stage.put("late", starts_at=KICK_OFF + DAY_MS)
    stage.put("soon", starts_at="2026-10-28T19:00:00Z")
    stage.put("far", starts_at=KICK_OFF + 8 * DAY_MS)
    stage.put("never", "No times")
    seen = stage.overview()["upcoming"]
    assert [(one["content_id"], one["starts_at"]) for one in seen] == [
        ("soon", "2026-10-28T19:00:00Z"),
        ("late", "2026-10-29T18:00:00Z"),
    ]


def test_what_should_have_begun_is_late_until_someone_watches_or_it_is_over() -> None:
    stage = Stage()
    stage.put("derby", starts_at=KICK_OFF, ends_at=KICK_OFF + HOUR_MS)
    assert only(stage.at(59_000).overview()["upcoming"])["problems"] == []
    late = only(stage.at(90_000).overview()["upcoming"])
    assert late["problems"] == [{"code": "late_start", "value": 90, "limit": 60}]
    stage.at(95_000).watch("derby", 1, 95_000)
    seen = stage.overview()
    assert (ids(seen["live"]), seen["upcoming"]) == (["derby"], [])
    other = Stage()
    other.put("derby", starts_at=KICK_OFF, ends_at=KICK_OFF + HOUR_MS)
    seen = other.at(HOUR_MS).overview()
    assert (seen["upcoming"], ids(seen["ended"])) == ([], ["derby"])


def test_who_watches_before_the_start_makes_it_live() -> None:
    stage = Stage()
    stage.put("derby", starts_at=KICK_OFF + HOUR_MS)
    stage.watch("derby", 3)
    seen = stage.at(1_000).overview()
    assert (ids(seen["live"]), seen["upcoming"]) == (["derby"], [])


def test_a_content_has_ended_when_all_have_left() -> None:
    stage = Stage()
    stage.watch("derby", 8)
    stage.watch("derby", 8, 20_000, event_type="stop")
    seen = stage.at(26_000).overview()
    ended = only(seen["ended"])
    assert seen["live"] == []
    assert (ended["content_id"], ended["ended_at"]) == ("derby", "2026-10-28T18:00:25Z")
    assert (ended["peak_concurrent"], ended["peak_concurrent_error"]) == (8, 0)
    hour = stage.at(HOUR_MS).overview()["ended"]
    assert (only(hour)["peak_concurrent"], only(hour)["ended_at"]) == (8, "2026-10-28T18:01:00Z")
    assert stage.at(4 * HOUR_MS).overview()["ended"] == []


def test_the_peak_of_what_ended_is_the_same_once_it_is_rolled_up() -> None:
    stage = Stage()
    for minute, viewers in enumerate((3, 9, 4)):
        stage.watch("derby", viewers, minute * MINUTE_MS)
    before = only(stage.at(10 * MINUTE_MS).overview()["ended"])
    stage.at(80 * MINUTE_MS).roll(6)
    after = only(stage.overview()["ended"])
    assert before["peak_concurrent"] == after["peak_concurrent"] == 9
    assert before["ended_at"] == after["ended_at"] == "2026-10-28T18:03:00Z"


def test_the_catalogue_says_when_a_content_is_over_while_viewers_keep_it_live() -> None:
    stage = Stage()
    stage.put("derby", ends_at=KICK_OFF + 30_000)
    stage.watch("derby", 2, 40_000)
    assert stage.at(41_000).live() == ["derby"]
    seen = stage.at(90_000).overview()
    assert (seen["live"], only(seen["ended"])["ended_at"]) == ([], "2026-10-28T18:00:30Z")


def test_who_falls_silent_without_leaving_is_missed_for_two_minutes() -> None:
    stage = Stage()
    stage.watch("derby", 5)
    silent = stage.at(40_000).overview()
    shown = only(silent["live"])
    assert (shown["concurrent"], silent["ended"]) == (0, [])
    assert {"code": "no_reports", "value": 35, "limit": 30} in shown["problems"]
    seen = stage.at(4 * MINUTE_MS).overview()
    assert (seen["live"], ids(seen["ended"])) == ([], ["derby"])


def test_what_the_catalogue_says_is_on_is_missed_until_it_is_over() -> None:
    stage = Stage()
    stage.put("derby", starts_at=KICK_OFF, ends_at=KICK_OFF + HOUR_MS)
    stage.watch("derby", 5)
    shown = only(stage.at(30 * MINUTE_MS).overview()["live"])
    assert shown["problems"] == [{"code": "no_reports", "value": 29 * 60, "limit": 30}]
    assert ids(stage.at(HOUR_MS).overview()["ended"]) == ["derby"]


def test_what_is_on_for_weeks_is_missed_too() -> None:
    stage = Stage()
    stage.put("marathon", starts_at=KICK_OFF - 10 * DAY_MS, ends_at=KICK_OFF + 10 * DAY_MS)
    stage.watch("marathon", 5)
    shown = only(stage.at(30 * MINUTE_MS).overview()["live"])
    assert shown["problems"] == [{"code": "no_reports", "value": 29 * 60, "limit": 30}]


def test_what_is_on_demand_is_not_live_unless_the_catalogue_says_when_it_begins() -> None:
    stage = Stage()
    for content_id in ("film", "premiere"):
        stage.watch(content_id, 2, content_type="vod")
    stage.put("premiere", starts_at=KICK_OFF)
    assert stage.at(1_000).live() == ["premiere"]
    assert ids(stage.at(10 * MINUTE_MS).overview()["ended"]) == ["premiere"]


def test_it_is_read_once_in_two_seconds_whatever_is_asked() -> None:
    stage = Stage()
    stage.watch("derby", 2)
    assert stage.at(1_000).live() == ["derby"]
    stage.watch("other", 3)
    assert stage.live(q="other") == []
    assert stage.at(3_000).live() == ["other", "derby"]


def test_a_publish_key_is_told_of_listed_contents_only() -> None:
    stage = Stage(loopback=False)
    for content_id in ("shown", "secret"):
        stage.watch(content_id, 2)
        stage.put(f"{content_id} soon", starts_at=KICK_OFF + HOUR_MS, headers=OPERATOR)
        stage.put(f"{content_id} over", ends_at=KICK_OFF - HOUR_MS, headers=OPERATOR)
    for content_id in ("secret", "secret soon", "secret over"):
        stage.client.put(f"/v1/contents/{content_id}/listing", json={"listed": False}, headers=OPERATOR)
    stage.at(1_000)
    answers = {name: stage.client.get("/v1/overview?limit=1", headers=key) for name, key in KEYS.items()}
    public = answers["publish"].json()
    assert (ids(public["live"]), public["more"]) == (["shown"], 0)
    assert (ids(public["upcoming"]), ids(public["ended"])) == (["shown soon"], ["shown over"])
    assert "secret" not in answers["publish"].text
    everything = answers["operator"].json()
    assert (everything["more"], len(everything["upcoming"]), len(everything["ended"])) == (1, 2, 2)
    assert {name: answer.headers["cache-control"] for name, answer in answers.items()} == {
        "publish": "public, s-maxage=2",
        "operator": "private, no-store",
    }
    assert {answer.headers["vary"] for answer in answers.values()} == {"Authorization"}


KEYS = {"publish": PUBLISH, "operator": OPERATOR}


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=many", "q=" + "x" * 201, "more=1"])
def test_a_bad_query_is_refused(query: str) -> None:
    assert Stage().client.get(f"/v1/overview?{query}").status_code == 400
