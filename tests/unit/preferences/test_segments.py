"""How segments of an audience fare, and that no group of few is told by itself."""

from collections import defaultdict
from pathlib import Path
from statistics import median_low
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.event import Event
from events.limits import MAX_AMOUNT
from functions.audience.models import Shares
from shared.units import DAY_MS, HOUR_MS
from tests.builders import KICK_OFF, delivered, event, packed
from tests.unit.preferences.stage import Stage, crowd, watching

PATH = "/v1/contents/match/segments"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def sizes(answer: Any) -> dict[str | None, int]:
    return {segment["value"]: segment["viewers"] for segment in answer["segments"]}


def test_a_history_that_does_not_exist_yet_has_no_segments(stage: Stage) -> None:
    assert stage.get(PATH) == {
        "content_id": "match",
        "by": "device_type",
        "from": "2026-10-28T17:30:00Z",
        "to": "2026-10-28T18:30:00Z",
        "as_of": None,
        "segments": [],
    }


def test_each_figure_of_a_segment_follows_its_definition(stage: Stage) -> None:
    tv = {"device_type": "tv", "session_id": "s"}
    on_tv = watching("match", *crowd("tv", 8), device_type="tv", bitrate_kbps=4_000, watched_ms=9_000)
    on_tv += [event("play", viewer_id=f"tv{n}", startup_ms=100 * n, **tv) for n in range(8)]
    on_tv += [
        event("stall", viewer_id="tv0", stall_ms=2_000, watched_ms=8_000, bitrate_kbps=1_000, **tv),
        event("reaction", viewer_id="tv1", **tv),
        event("chat", viewer_id="tv1", **tv),
        event("poll_vote", viewer_id="tv2", **tv),
        event("error", viewer_id="tv3", **tv),
    ]
    stage.happened([*on_tv, *watching("match", *crowd("phone", 5), device_type="phone", watched_ms=None)])
    assert stage.get(PATH)["segments"] == [
        {
            "value": "tv",
            "viewers": 8,
            "watched_ms": 80_000,
            "engaged_viewers": 2,
            "engagement_rate": 0.25,
            "startups": 8,
            "startup_ms_p50": 300,
            "stalls": 1,
            "stall_ms": 2_000,
            "rebuffering_ratio": 0.02439,
            "bitrate_kbps": 3_700.0,
            "errors": 1,
        },
        {
            "value": "phone",
            "viewers": 5,
            "watched_ms": 0,
            "engaged_viewers": 0,
            "engagement_rate": 0.0,
            "startups": 0,
            "startup_ms_p50": None,
            "stalls": 0,
            "stall_ms": 0,
            "rebuffering_ratio": None,
            "bitrate_kbps": None,
            "errors": 0,
        },
    ]


def test_without_watched_time_a_bitrate_is_the_mean_of_reports(stage: Stage) -> None:
    viewers = crowd("v", 5)
    stage.happened(watching("match", *viewers, watched_ms=None, bitrate_kbps=2_000))
    stage.happened(watching("match", *viewers, watched_ms=None, bitrate_kbps=4_000))
    assert stage.get(PATH)["segments"][0]["bitrate_kbps"] == 3_000.0


def test_the_largest_figures_that_a_player_may_report_can_be_told(stage: Stage) -> None:
    largest = {"watched_ms": MAX_AMOUNT, "bitrate_kbps": MAX_AMOUNT, "stall_ms": MAX_AMOUNT, "startup_ms": MAX_AMOUNT}
    stage.happened(watching("match", *crowd("v", 5), **largest), level=6)
    (segment,) = stage.get(PATH)["segments"]
    assert (segment["watched_ms"], segment["bitrate_kbps"]) == (5 * 64 * MAX_AMOUNT, MAX_AMOUNT)
    assert (segment["stall_ms"], segment["startup_ms_p50"]) == (5 * 64 * MAX_AMOUNT, MAX_AMOUNT)


def test_sampled_events_stand_for_those_left_out(stage: Stage) -> None:
    viewers = crowd("v", 5)
    told = {"session_id": "s", "stall_ms": 500}
    stage.happened([*watching("match", *viewers), event("stall", viewer_id="v0", **told)], level=3)
    stage.happened([event("error", viewer_id="v0", session_id="s")], level=3)
    (segment,) = stage.get(PATH)["segments"]
    assert (segment["viewers"], segment["watched_ms"]) == (5, 5 * 8 * 10_000)
    assert (segment["stalls"], segment["stall_ms"], segment["errors"]) == (8, 8 * 500, 1)


def test_what_a_sender_without_batch_ids_repeats_counts_once(stage: Stage) -> None:
    events = [event(viewer_id=name, session_id=name, event_id=name, watched_ms=10_000) for name in crowd("v", 5)]
    for received_at in (KICK_OFF, KICK_OFF + 1):
        stage.happened(events, exact=False, received_at=received_at)
    assert stage.get(PATH)["segments"][0]["watched_ms"] == 50_000


def test_what_a_sender_with_batch_ids_tells_is_no_repeat(stage: Stage) -> None:
    events = [event(viewer_id=name, session_id=name, event_id=name, watched_ms=10_000) for name in crowd("v", 5)]
    for received_at in (KICK_OFF, KICK_OFF + 1):
        stage.happened(events, received_at=received_at)
    stage.happened(events, exact=False, received_at=KICK_OFF + 2)
    assert stage.get(PATH)["segments"][0]["watched_ms"] == 100_000


def test_children_count_as_sessions(stage: Stage) -> None:
    stage.happened(watching("match", *crowd("child", 6), child=True, device_type="tablet"))
    assert sizes(stage.get(PATH)) == {"tablet": 6}


def test_few_stand_together_with_those_who_told_nothing(stage: Stage) -> None:
    counts: dict[str | None, int] = {"tv": 9, "phone": 7, "console": 4, "fridge": 2, None: 1}
    stage.happened(
        one
        for device, size in counts.items()
        for one in watching("match", *crowd(f"{device}-", size), device_type=device)
    )
    assert sizes(stage.get(PATH)) == {"tv": 9, "phone": 7, None: 7}


def test_who_would_stand_alone_takes_the_smallest_segment_along(stage: Stage) -> None:
    events = watching("match", *crowd("tv", 9), device_type="tv")
    events += watching("match", *crowd("phone", 7), device_type="phone")
    stage.happened([*events, *watching("match", "alone", device_type="fridge")])
    assert sizes(stage.get(PATH)) == {"tv": 9, None: 8}


@pytest.mark.parametrize(("alone", "told"), [(4, {"tv": 7, None: 9}), (5, {"tv": 7, "phone": 5, None: 5})])
def test_five_may_stand_for_themselves_and_four_may_not(
    stage: Stage, alone: int, told: dict[str | None, int]
) -> None:
    stage.happened(watching("match", *crowd("t", 7), device_type="tv"))
    stage.happened(watching("match", *crowd("p", 5), device_type="phone"))
    stage.happened(watching("match", *crowd("u", alone)))
    assert sizes(stage.get(PATH)) == told


def test_one_viewer_with_many_small_values_is_one_viewer(stage: Stage) -> None:
    stage.happened(watching("match", *crowd("t", 6), device_type="tv"))
    for device in crowd("device-", 5):
        stage.happened(watching("match", "v", device_type=device))
    assert sizes(stage.get(PATH)) == {None: 7}


def test_an_audience_of_few_is_not_told_of(stage: Stage) -> None:
    stage.happened(watching("match", *crowd("tv", 4), device_type="tv"))
    answer = stage.get(PATH)
    assert answer["segments"] == []
    assert answer["as_of"] == "2026-10-28T18:00:00Z"


def test_no_more_than_sixteen_values_are_told_apart(stage: Stage) -> None:
    events: list[Event] = []
    for number in range(18):
        events += watching("match", *crowd(f"{number}-", 5 + (number < 15)), country=f"C{number:02d}")
    stage.happened(events)
    told = sizes(stage.get(PATH, by="country"))
    assert [*told] == [*(f"C{number:02d}" for number in range(16)), None]
    assert told[None] == 10


@pytest.mark.parametrize("by", Shares.model_fields)
def test_an_audience_is_divided_by_all_that_it_is_split_by(stage: Stage, by: str) -> None:
    for value in ("a", "b"):
        stage.happened(watching("match", *crowd(value, 5), **{by: value}))
    assert sizes(stage.get(PATH, by=by)) == {"a": 5, "b": 5}


def test_who_asks_for_another_split_is_not_given_the_one_that_is_kept(stage: Stage) -> None:
    stage.happened(watching("match", *crowd("v", 5), device_type="tv", country="DE"))
    assert [sizes(stage.get(PATH, by=by)) for by in ("device_type", "country")] == [{"tv": 5}, {"DE": 5}]


def test_a_viewer_who_changes_counts_under_each_value(stage: Stage) -> None:
    for quality in ("1080p", "720p"):
        stage.happened(watching("match", *crowd("v", 5), quality_level=quality))
    assert sizes(stage.get(PATH, by="quality_level")) == {"1080p": 5, "720p": 5}


@pytest.mark.parametrize(
    ("since", "to", "found"),
    [
        (KICK_OFF, KICK_OFF + 1, True),
        (KICK_OFF - 1, KICK_OFF, False),
        (KICK_OFF + 1, KICK_OFF + HOUR_MS, False),
        (KICK_OFF - 12 * HOUR_MS, KICK_OFF + 12 * HOUR_MS, True),
        (KICK_OFF - DAY_MS, KICK_OFF + DAY_MS, True),
        (KICK_OFF - 9 * DAY_MS, KICK_OFF + 9 * DAY_MS, True),
        (KICK_OFF - 9 * DAY_MS, KICK_OFF - DAY_MS, False),
    ],
)
def test_a_span_holds_its_first_moment_and_not_its_last(stage: Stage, since: int, to: int, found: bool) -> None:
    stage.happened(watching("match", *crowd("v", 5)))
    assert bool(stage.get(PATH, **{"from": since, "to": to})["segments"]) is found


@pytest.mark.parametrize("away", [-DAY_MS, -HOUR_MS, 0, HOUR_MS, 6 * HOUR_MS, DAY_MS, 3 * DAY_MS])
def test_every_hour_of_a_span_is_looked_at(stage: Stage, away: int) -> None:
    stage.happened(watching("match", *crowd("v", 5), event_timestamp=KICK_OFF + away))
    span = {"from": KICK_OFF - DAY_MS, "to": KICK_OFF + 3 * DAY_MS + 1}
    assert len(stage.get(PATH, **span)["segments"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        "by=viewer_id",
        "by=",
        f"from={KICK_OFF}&to={KICK_OFF}",
        "from=0",
        "from=yesterday",
        "limit=3",
    ],
)
def test_what_cannot_be_asked_is_refused(stage: Stage, query: str) -> None:
    assert stage.client.get(f"{PATH}?{query}").status_code == 400
    assert stage.warehouse.asked == 0


def test_what_it_may_be_divided_by_is_told_to_who_asks_for_something_else(stage: Stage) -> None:
    detail = stage.client.get(f"{PATH}?by=viewer_id").json()["detail"]
    assert detail.startswith("by: Input should be 'country', ") and detail.endswith("or 'player_state'.")


@st.composite
def reports(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What viewers report, some of it more than once, by senders with and without batch ids."""
    one = st.fixed_dictionaries(
        {
            "viewer_id": st.sampled_from(crowd("v", 14)),
            "event_type": st.sampled_from(["heartbeat", "play", "stall", "error", "reaction"]),
            "event_id": st.sampled_from(crowd("e", 40)),
            "device_type": st.sampled_from(["tv", "tv", "phone", "tablet", None]),
            "watched_ms": st.sampled_from([None, 0, 5_000, 10_000]),
            "bitrate_kbps": st.sampled_from([None, 1_000, 6_000]),
            "startup_ms": st.sampled_from([None, None, 300, 700, 900]),
            "stall_ms": st.sampled_from([None, None, 400]),
            "exact": st.booleans(),
            "level": st.sampled_from([0, 0, 3]),
        }
    )
    return draw(st.lists(one, min_size=20, max_size=60))


@settings(max_examples=15, deadline=None)
@given(rows=reports())
def test_segments_are_what_counting_event_by_event_gives(rows: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        for at, row in enumerate(rows):
            told = {name: value for name, value in row.items() if name not in ("exact", "level")}
            one = event(**told, session_id=row["viewer_id"])
            header = {"exact": row["exact"], "level": row["level"], "received_at": KICK_OFF + at}
            stage.world.stage(delivered(packed([one], **header)))
        stage.world.commit()
        answer = stage.get(PATH)
    assert answer["segments"] == _counted(_once(rows))


def _once(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of one (session, event id), all with a batch id and another only where it came first."""
    seen = set()
    kept = []
    for row in rows:
        key = row["viewer_id"], row["event_id"]
        if row["exact"] or key not in seen:
            weight = 8 if row["level"] and row["event_type"] in ("heartbeat", "stall") else 1
            kept.append({**row, "weight": weight})
        seen.add(key)
    return kept


def _counted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    viewers: dict[str | None, set[str]] = defaultdict(set)
    for row in rows:
        viewers[row["device_type"]].add(row["viewer_id"])
    named = sorted(
        (name for name in viewers if name and len(viewers[name]) >= 5), key=lambda n: (-len(viewers[n]), n)
    )

    def rest() -> set[str]:
        return set().union(*(who for name, who in viewers.items() if name not in named))

    if named and 0 < len(rest()) < 5:
        named.pop()
    told = [_segment([row for row in rows if row["device_type"] == name], name) for name in named]
    if len(rest()) >= 5:
        told.append(_segment([row for row in rows if row["device_type"] not in named], None))
    return told


def _segment(rows: list[dict[str, Any]], value: str | None) -> dict[str, Any]:
    def total(name: str) -> int:
        return sum((row[name] or 0) * row["weight"] for row in rows)

    viewers = {row["viewer_id"] for row in rows}
    engaged = {row["viewer_id"] for row in rows if row["event_type"] == "reaction"}
    startups = [row["startup_ms"] for row in rows if row["startup_ms"] is not None for _ in range(row["weight"])]
    watched_ms, stall_ms = total("watched_ms"), total("stall_ms")
    bitrates = [row for row in rows if row["bitrate_kbps"] is not None]
    played = [(row["bitrate_kbps"], (row["watched_ms"] or 0) * row["weight"]) for row in bitrates]
    if not any(weight for _, weight in played):
        played = [(row["bitrate_kbps"], row["weight"]) for row in bitrates]
    bitrate = sum(rate * weight for rate, weight in played) / sum(weight for _, weight in played) if played else None
    return {
        "value": value,
        "viewers": len(viewers),
        "watched_ms": watched_ms,
        "engaged_viewers": len(engaged),
        "engagement_rate": round(len(engaged) / len(viewers), 4),
        "startups": len(startups),
        "startup_ms_p50": median_low(startups) if startups else None,
        "stalls": sum(row["weight"] for row in rows if row["event_type"] == "stall"),
        "stall_ms": stall_ms,
        "rebuffering_ratio": round(stall_ms / (stall_ms + watched_ms), 6) if stall_ms + watched_ms else None,
        "bitrate_kbps": None if bitrate is None else round(bitrate, 1),
        "errors": sum(row["event_type"] == "error" for row in rows),
    }
