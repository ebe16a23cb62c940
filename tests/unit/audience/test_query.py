"""The audience API, asked over HTTP about records that were told to `aggregate`."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from functions.audience.models import AudienceAnswer, NowAnswer
from functions.audience.routes import MAX_WINDOWS
from shared.audience.query import runs
from shared.audience.stored import DecodedStates
from shared.fan_out import set_fan_out
from shared.health.delay import DelayReader
from shared.ports import Item
from shared.units import HOUR_MS, MINUTE_MS
from tests.builders import KICK_OFF, event
from tests.unit.audience.stage import OPERATOR, PUBLISH, Stage

NOW = "/v1/contents/match/audience/now"


@pytest.fixture
def match() -> Stage:
    """Three viewers at kick-off, one of whom stops; a minute later two are left."""
    stage = Stage()
    stage.tell(
        [
            event("join", viewer_id="ada", device_type="tv", country="DE", startup_ms=800),
            event("heartbeat", viewer_id="grace", device_type="phone", watched_ms=4_000, bitrate_kbps=3_000),
            event("heartbeat", viewer_id="mary", device_type="phone", watched_ms=1_000, bitrate_kbps=8_000),
            event("stall", viewer_id="mary", device_type="phone", stall_ms=500),
            event("reaction", viewer_id="mary", device_type="phone", reaction="goal"),
            event("stop", viewer_id="mary", device_type="phone", event_timestamp=KICK_OFF + 4_000),
        ],
        content_type="live",
    )
    stage.tell([event(viewer_id=name, event_timestamp=KICK_OFF + MINUTE_MS) for name in ("ada", "grace")])
    return stage.at(MINUTE_MS + 3_000)


def test_a_window_tells_who_watched_how_well_and_what_they_did(match: Stage) -> None:
    first = match.windows()[0]
    told = {name: figure for name, figure in first.items() if name != "by"}
    assert told == {
        "start": "2026-10-28T18:00:00Z",
        "viewers": 3,
        "viewers_error": 0,
        "concurrent": 2,
        "concurrent_error": 0,
        "concurrent_mean": 2,
        "concurrent_mean_error": 0,
        "engaged_viewers": 1,
        "engaged_viewers_error": 0,
        "engagement_rate": 0.3333,
        "engagements": 1,
        "events": {"join": 1, "heartbeat": 2, "stall": 1, "stop": 1, "reaction": 1},
        "events_error": {},
        "watched_ms": 5_000,
        "watched_ms_error": 0,
        "startups": 1,
        "startup_ms_mean": 800.0,
        "startup_ms_p50": told["startup_ms_p50"],
        "startup_ms_p95": told["startup_ms_p95"],
        "stalls": 1,
        "stall_ms": 500,
        "rebuffering_ratio": 0.090909,
        "bitrate_kbps": 4_000.0,
        "throughput_kbps": None,
        "buffer_ms": None,
        "quality_changes": 0,
        "errors": 0,
        "sample_rate": 1.0,
    }
    assert told["startup_ms_p50"] == pytest.approx(800, rel=0.045)
    assert first["by"]["device_type"] == [
        {"value": "phone", "viewers": 2, "viewers_error": 0, "events": 5},
        {"value": "tv", "viewers": 1, "viewers_error": 0, "events": 1},
    ]


def test_bitrate_is_told_by_reports_where_no_watched_time_comes_with_any() -> None:
    stage = Stage()
    stage.tell([event(bitrate_kbps=3_000), event(bitrate_kbps=5_000, viewer_id="grace")])
    assert stage.at(1)
    assert stage.windows()[0]["bitrate_kbps"] == 4_000


@pytest.mark.parametrize("resolution", ["5s", "1m", "1h"])
def test_answers_are_as_documented_in_order_and_without_empty_windows(match: Stage, resolution: str) -> None:
    answer = match.client.get("/v1/contents/match/audience", params={"resolution": resolution})
    told = AudienceAnswer.model_validate(answer.json())
    starts = [window.start for window in told.windows]
    assert starts == sorted(starts)
    assert len(starts) == {"5s": 2, "1m": 2, "1h": 1}[resolution]
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("since", "to", "starts"),
    [
        (0, MINUTE_MS, ["18:00:00"]),
        (0, MINUTE_MS + 1, ["18:00:00", "18:01:00"]),
        (1, MINUTE_MS, ["18:00:00"]),
        (5_000, HOUR_MS, ["18:01:00"]),
    ],
)
def test_from_is_included_and_to_is_not(match: Stage, since: int, to: int, starts: list[str]) -> None:
    windows = match.windows(since=KICK_OFF + since, to=KICK_OFF + to)
    assert [window["start"][11:19] for window in windows] == starts
    assert match.windows(since="2026-10-28T18:00:00Z", to="2026-10-28T19:00:01+01:00")[0]["viewers"] == 3


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("from=yesterday", "from: give RFC 3339"),
        ("resolution=2s", "resolution: Input should be '5s', '1m' or '1h'"),
        ("from=2&to=1", "before `to`"),
        ("form=1", "form: Extra inputs are not permitted"),
    ],
)
def test_a_bad_query_is_told_what_a_good_one_is(match: Stage, query: str, told: str) -> None:
    answer = match.client.get(f"/v1/contents/match/audience?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert told in answer.json()["detail"]


@pytest.mark.parametrize("resolution", ["5s", "1m", "1h"])
def test_any_stretch_may_be_asked_for(match: Stage, resolution: str) -> None:
    told = match.windows(resolution=resolution)
    assert match.windows(resolution=resolution, since=0) == told
    assert match.windows(resolution=resolution, since=0, to="9999-12-31T23:59:59Z") == told
    for since in (0, KICK_OFF + HOUR_MS, KICK_OFF + 10**12):
        assert match.windows(resolution=resolution, since=since, to=since + 1) == []


def test_events_of_a_week_are_found_in_one_answer() -> None:
    stage = Stage()
    days = [*range(-7, 1)]
    for day in days:
        stage.tell([event(event_timestamp=KICK_OFF + day * 24 * HOUR_MS)])
    for resolution in ("5s", "1m", "1h"):
        windows = stage.windows(since=KICK_OFF - 8 * 24 * HOUR_MS, to=KICK_OFF + HOUR_MS, resolution=resolution)
        assert [window["start"][:10] for window in windows] == [f"2026-10-{28 + day}" for day in days]


@pytest.mark.parametrize(("resolution", "advice"), [("5s", "resolution=1m"), ("1m", "resolution=1h"), ("1h", "Ask")])
def test_more_windows_than_an_answer_holds_are_refused_with_what_to_ask_instead(
    match: Stage, monkeypatch: pytest.MonkeyPatch, resolution: str, advice: str
) -> None:
    monkeypatch.setitem(MAX_WINDOWS, resolution, 0)
    answer = match.client.get(f"/v1/contents/match/audience?from=0&resolution={resolution}")
    assert answer.status_code == 400
    assert advice in answer.json()["detail"]


@pytest.mark.parametrize("path", ["audience", "audience/now"])
def test_a_content_that_nothing_was_reported_of_is_not_there(match: Stage, path: str) -> None:
    answer = match.client.get(f"/v1/contents/nothing/{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/docs#problem-no-such-content")


def test_a_known_content_that_is_quiet_has_no_windows_and_no_viewers(match: Stage) -> None:
    match.at(3 * HOUR_MS)
    assert match.windows() == []
    now = match.client.get(NOW).json()
    assert (now["viewers"], now["concurrent"], now["windows"]) == (0, 0, [])


@pytest.mark.parametrize("content_id", ["a/b", "a#1", "line\nbreak", "audience/now", "~" + "0" * 32, "x" * 256, "%"])
def test_an_id_may_hold_any_character(content_id: str) -> None:
    from urllib.parse import quote

    stage = Stage()
    stage.tell([event(content_id=content_id)])
    answer = stage.at(1).client.get(f"/v1/contents/{quote(content_id, safe='')}/audience/now").json()
    assert (answer["content_id"], answer["viewers"]) == (content_id, 1)


def test_now_tells_the_closed_window_the_running_one_and_the_larger_figures() -> None:
    stage = Stage()
    stage.tell([event(viewer_id=name) for name in ("ada", "grace")])
    stage.tell([event(viewer_id="mary", event_timestamp=KICK_OFF + 6_000)])
    now = NowAnswer.model_validate(stage.at(7_000).client.get(NOW).json())
    assert [window.viewers for window in now.windows] == [2, 1]
    assert (now.viewers, now.concurrent, now.as_of) == (2, 3, "2026-10-28T18:00:07Z")


def test_who_reports_seldom_is_concurrent_between_reports() -> None:
    stage = Stage()
    stage.tell([event(report_every_seconds=60)])
    now = stage.at(45_000).client.get(NOW).json()
    assert (now["concurrent"], now["viewers"], now["windows"]) == (1, 0, [])


def test_now_is_read_once_a_second_however_many_ask(match: Stage) -> None:
    table = match.ports.table("audience")
    asked: list[str] = []
    query = table.query

    def counting(partition: str, **options: Any) -> Any:
        asked.append(partition)
        return query(partition, **options)

    vars(table)["query"] = counting

    async def poll() -> None:
        answers = await asyncio.gather(*(match.client.send("GET", NOW) for _ in range(50)))
        assert {answer.status_code for answer in answers} == {200}

    asyncio.run(poll())
    once = len(asked)
    asyncio.run(poll())
    assert len(asked) == once
    match.clock.advance(1_000)
    asyncio.run(poll())
    assert len(asked) == 2 * once


def test_an_error_is_not_kept(match: Stage) -> None:
    assert match.client.get("/v1/contents/later/audience/now").status_code == 404
    match.tell([event(content_id="later", event_timestamp=KICK_OFF + MINUTE_MS)])
    assert match.client.get("/v1/contents/later/audience/now").status_code == 200


def test_what_is_listed_is_public_for_a_second() -> None:
    stage = Stage(loopback=False)
    stage.tell([event()])
    for credential in (PUBLISH, OPERATOR):
        answer = stage.at(1).client.get(NOW, headers=credential)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, s-maxage=1")
        assert answer.headers["vary"] == "Authorization"


def test_an_answer_varies_by_the_key_only_where_its_address_does_not_hold_it() -> None:
    stage = Stage(loopback=False)
    stage.tell([event()])
    key = PUBLISH["Authorization"].removeprefix("Bearer ")

    by_address = stage.client.get(NOW, params={"key": key})
    by_both = stage.client.get(NOW, params={"key": key}, headers=OPERATOR)

    assert (by_address.status_code, by_address.headers["cache-control"]) == (200, "public, s-maxage=1")
    assert "vary" not in by_address.headers
    assert by_both.headers["vary"] == "Authorization"


def test_what_is_not_listed_does_not_exist_for_a_publish_key() -> None:
    stage = Stage(loopback=False)
    stage.tell([event()])
    set_to = stage.client.put("/v1/contents/match/listing", json={"listed": False}, headers=OPERATOR)
    assert set_to.json() == {"content_id": "match", "listed": False}
    hidden = stage.at(1).client.get(NOW, headers=PUBLISH)
    unknown = stage.client.get("/v1/contents/nothing/audience/now", headers=PUBLISH)
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json()["detail"] == unknown.json()["detail"]
    seen = stage.client.get(NOW, headers=OPERATOR)
    assert (seen.status_code, seen.headers["cache-control"]) == (200, "private, no-store")
    stage.client.put("/v1/contents/match/listing", json={"listed": True}, headers=OPERATOR)
    assert stage.at(2_000).client.get(NOW, headers=PUBLISH).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"listed": "no"}', b'{"listed": 0}', b'{"listed": true, "more": 1}']
)
def test_a_listing_that_is_none_is_refused(match: Stage, body: bytes) -> None:
    assert match.client.put("/v1/contents/match/listing", content=body).status_code == 400


@pytest.mark.parametrize("path", ["/v1/contents/match/audience", "/v1/contents/match/listing"])
def test_a_publish_key_opens_now_and_not_the_rest(path: str) -> None:
    stage = Stage(loopback=False)
    method = "PUT" if path.endswith("listing") else "GET"
    assert stage.client.request(method, path, headers=PUBLISH).status_code == 403
    assert stage.client.request(method, path).status_code == 401


def test_viewers_are_counted_once_across_partitions_and_a_change_of_fan_out() -> None:
    stage = Stage()
    change = set_fan_out(stage.ports.table("schedules"), "match", 2, KICK_OFF) * 5_000
    at = change - KICK_OFF
    before = [event(viewer_id=name, event_timestamp=change - 1_000) for name in ("ada", "grace", "mary")]
    after = [event(viewer_id=name, event_timestamp=change + 1_000) for name in ("ada", "grace")]
    stage.tell(before)
    stage.tell(after[:1], k=0)
    stage.tell(after[1:], k=1)
    stage.at(at + 3_000)
    told = [(window["viewers"], window["concurrent"]) for window in stage.windows()]
    assert told == [(3, 3), (2, 3)]
    assert [window["viewers"] for window in stage.windows(resolution="1h")] == [3]


def test_a_sampled_window_says_at_what_rate_and_how_far_it_may_be_off() -> None:
    stage = Stage()
    stage.tell([event(viewer_id=f"viewer {n}", watched_ms=10_000) for n in range(40)], level=3)
    window = stage.at(1).windows()[0]
    assert (window["sample_rate"], window["events"], window["watched_ms"]) == (0.125, {"heartbeat": 320}, 3_200_000)
    assert window["events_error"]["heartbeat"] > 0
    assert window["watched_ms_error"] > 0


def test_shares_beyond_sixteen_values_are_told_together() -> None:
    stage = Stage()
    stage.tell([event(viewer_id=f"v{n}", country=f"C{n:02d}") for n in range(20)])
    shares = stage.at(1).windows()[0]["by"]["country"]
    assert [share["value"] for share in shares] == [f"C{n:02d}" for n in range(16)] + [None]
    assert shares[-1] == {"value": None, "viewers": 4, "viewers_error": 0, "events": 4}


def test_decoded_states_are_kept_by_version_and_within_bounds(match: Stage) -> None:
    table = match.ports.table("audience")
    (item, *_) = table.query(f"match#0#{KICK_OFF // HOUR_MS}").items
    kept = DecodedStates(limit=2 * len(item.value))
    first = kept.state(item)
    assert kept.state(item) is first
    newer = Item(item.partition, item.sort, item.value, "newer")
    assert kept.state(newer) is not first
    for number in range(3):
        kept.state(Item("other", str(number), item.value, "1"))
    assert kept.state(newer) is not kept.state(item)


def test_numbers_fall_into_unbroken_runs() -> None:
    def told(*numbers: int) -> Iterator[tuple[int, int]]:
        return runs(numbers)

    assert list(told(1, 2, 3, 7, 9, 10)) == [(1, 3), (7, 7), (9, 10)]
    assert list(told()) == []


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ("none", []),
        ("country", ["country"]),
        ("country,device_type,country", ["country", "device_type"]),
    ],
)
def test_windows_carry_the_splits_that_were_asked_for(by: str, told: list[str]) -> None:
    stage = Stage()
    stage.tell([event(country="NO", device_type="tv")])
    everything, (window,) = stage.at(1).windows()[0], stage.windows(by=by)
    assert {*window["by"]} == {*told}
    assert window["by"] == {name: everything["by"][name] for name in told}
    assert {**window, "by": None} == {**everything, "by": None}
    AudienceAnswer.model_validate(stage.client.get(f"/v1/contents/match/audience?by={by}").json())


@pytest.mark.parametrize("by", ["", "planet", "none,country", "country,", "country, tier", "engagement"])
def test_a_split_that_is_none_is_refused(match: Stage, by: str) -> None:
    answer = match.client.get("/v1/contents/match/audience", params={"by": by})
    assert (answer.status_code, "network_quality" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize("delay", [None, 0, 1_500])
def test_now_says_how_far_it_is_behind(monkeypatch: pytest.MonkeyPatch, match: Stage, delay: int | None) -> None:
    monkeypatch.setattr(DelayReader, "delay_ms", lambda _: delay)
    assert NowAnswer.model_validate(match.client.get(NOW).json()).delay_ms == delay
