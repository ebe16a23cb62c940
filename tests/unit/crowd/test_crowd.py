"""The simulated audience: believable, small in memory, the same every time, and its truth is true."""

import json
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from statistics import fmean
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.event import ENGAGEMENT_TYPES, EVENT_TYPES, Event
from lab import oracle
from lab.crowd.crowd import Crowd
from lab.crowd.kinds import Kind
from lab.crowd.match import Match
from lab.crowd.show import Show
from shared.errors import InvalidInput

START = 1_763_661_600_000


def played(show: Show) -> tuple[list[dict[str, Any]], list[dict[str, object]]]:
    """The events as a file holds them, and the truth's windows."""
    events: list[dict[str, Any]] = []
    windows: list[dict[str, object]] = []
    for step in show.steps():
        for post in step.posts:
            events.extend(json.loads(line) for line in bytes(post.rows).splitlines())
        windows.extend(window.told() for window in step.windows)
    return events, windows


def bodies(show: Show) -> Iterator[bytes]:
    for step in show.steps():
        for post in step.posts:
            yield post.body()


def test_every_line_is_an_event_of_the_native_format() -> None:
    show = Show(Match(viewers=3_000, seconds=30, start_ms=START, contents=4))
    decoder = msgspec.json.Decoder(Event, strict=True)
    told = Counter[str]()
    for step in show.steps():
        for post in step.posts:
            for line in bytes(post.rows).splitlines():
                event = decoder.decode(line)
                told[event.event_type] += 1
                assert event.report_every_seconds == 10
                assert START - 400 <= event.event_timestamp <= START + 30_400
                assert event.watched_ms is not None
                assert 0 <= event.watched_ms <= 10_000
    assert set(told) == set(EVENT_TYPES)


def test_events_carry_what_their_type_needs() -> None:
    events, _ = played(Show(Match(viewers=3_000, seconds=30, start_ms=START, contents=2)))
    by_type = defaultdict(list)
    for event in events:
        by_type[event["event_type"]].append(event)
    assert all(event["stall_ms"] >= 200 or event["watched_ms"] < 250 for event in by_type["stall"])
    assert any(event.get("startup_ms", 0) >= 300 for event in by_type["play"])
    assert all(event["seek_from_seconds"] >= 0 for event in by_type["seek"])
    assert all(1 <= event["rating"] <= 5 for event in by_type["rating"])
    assert all(event["poll_id"] and event["option"] for event in by_type["poll_vote"])
    assert all(by_type[engagement] for engagement in ENGAGEMENT_TYPES)


def test_the_same_seed_and_start_give_the_same_bytes() -> None:
    match = Match(viewers=500, seconds=20, start_ms=START, seed=7)
    first = list(bodies(Show(match, late=0.1, duplicates=0.1, separator=b",", clocks=True)))
    assert first == list(bodies(Show(match, late=0.1, duplicates=0.1, separator=b",", clocks=True)))
    other = Match(viewers=500, seconds=20, start_ms=START, seed=8)
    assert first != list(bodies(Show(other, late=0.1, duplicates=0.1, separator=b",", clocks=True)))


def test_ids_are_each_used_once() -> None:
    events, _ = played(Show(Match(viewers=2_000, seconds=40, start_ms=START)))
    ids = [event["event_id"] for event in events]
    assert len(set(ids)) == len(ids)
    viewers_of = defaultdict(set)
    contents_of = defaultdict(set)
    for event in events:
        viewers_of[event["session_id"]].add(event["viewer_id"])
        contents_of[event["session_id"]].add(event["content_id"])
    assert {len(viewers) for viewers in viewers_of.values()} == {1}
    assert {len(contents) for contents in contents_of.values()} == {1}


@settings(max_examples=25, deadline=None)
@given(
    viewers=st.integers(1, 300),
    seconds=st.integers(1, 90),
    contents=st.integers(1, 5),
    seed=st.integers(0, 2**32),
    start=st.integers(START, START + 20_000),
)
def test_the_truth_is_what_the_raw_events_say(
    viewers: int, seconds: int, contents: int, seed: int, start: int
) -> None:
    match = Match(viewers=viewers, seconds=seconds, start_ms=start, contents=contents, seed=seed)
    events, windows = played(Show(match, truth=True))
    expected = oracle.audience(events)
    told = {(window["content_id"], window["start"]): window for window in windows}
    assert len(told) == len(windows) == sum(len(by_start) for by_start in expected.values())
    for content, by_start in expected.items():
        for start_ms, window in by_start.items():
            at = np.datetime64(start_ms, "ms").astype("datetime64[s]")
            assert told[content, f"{at}Z"] == {
                "content_id": content,
                "start": f"{at}Z",
                "viewers": len(window.viewers),
                "concurrent": window.concurrent,
                "events": dict(window.events),
                "watched_ms": window.watched_ms,
            }


def test_the_crowd_surges_at_kick_off_dips_at_half_time_and_goes_home() -> None:
    show = Show(Match(viewers=4_000, seconds=1_000, start_ms=START, contents=1), truth=True)
    watching = {}
    for step in show.steps():
        for window in step.windows:
            watching[(window.start_ms - START) // 1000] = window.concurrent
    before, first_half, half_time = watching[50], watching[450], watching[555]
    assert before < 0.2 * first_half
    assert half_time < 0.8 * first_half
    assert watching[650] > half_time * 1.1
    assert watching[990] < 0.3 * first_half
    assert show.peak == max(watching.values())


def test_pictures_and_stalls_follow_the_network() -> None:
    events, _ = played(Show(Match(viewers=5_000, seconds=60, start_ms=START)))
    heartbeats = [event for event in events if event["event_type"] == "heartbeat"]
    stalls = Counter(event["network_quality"] for event in events if event["event_type"] == "stall")

    def bitrate(network: str) -> float:
        return fmean([event["bitrate_kbps"] for event in heartbeats if event["network_quality"] == network])

    def stall_rate(network: str) -> float:
        return stalls[network] / len([event for event in heartbeats if event["network_quality"] == network])

    assert bitrate("excellent") > bitrate("good") > bitrate("fair") > bitrate("poor")
    assert stall_rate("poor") > 3 * stall_rate("good")


def test_viewers_hop_between_contents_and_say_goodbye_to_the_first() -> None:
    events, _ = played(Show(Match(viewers=1_000, seconds=60, start_ms=START, contents=3)))
    by_viewer = defaultdict(list)
    for event in events:
        by_viewer[event["viewer_id"]].append(event)
    hops = 0
    for told in by_viewer.values():
        for earlier, later in pairwise(told):
            if earlier["content_id"] != later["content_id"]:
                hops += 1
                assert (earlier["event_type"], later["event_type"]) == ("stop", "join")
    assert hops > 100


def test_who_watches_one_match_of_a_league_often_watches_the_other() -> None:
    crowd = Crowd(Match(viewers=4_000, seconds=400, start_ms=START, contents=6))
    watched = np.zeros((4_000, 6), np.bool_)
    while not crowd.over:
        happened = crowd.step(10)
        watched[happened.viewer, happened.content] = True
    third, fourth, fifth = (watched[:, content] for content in (2, 3, 4))
    assert fourth[third].mean() > 1.5 * fourth.mean()
    assert fourth[third].mean() > 3 * fifth[third].mean()


def test_a_viewer_takes_twenty_bytes() -> None:
    crowd = Crowd(Match(viewers=200_000, seconds=60, start_ms=START))
    assert crowd.nbytes / 200_000 <= 20


def test_a_large_crowd_is_played_in_little_memory() -> None:
    viewers = 200_000
    tracemalloc.start()
    try:
        show = Show(Match(viewers=viewers, seconds=10, start_ms=START, contents=50), truth=True)
        events = sum(post.events for step in show.steps() for post in step.posts)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert events > viewers
    assert peak / viewers < 400


def test_players_report_as_often_as_they_are_told() -> None:
    crowd = Crowd(Match(viewers=300, seconds=120, start_ms=START))
    gaps = defaultdict(list)
    last: dict[int, int] = {}
    while not crowd.over:
        told = crowd.step(30)
        assert told.report_every_seconds == 30
        for viewer, at, kind in zip(told.viewer.tolist(), told.at.tolist(), told.kind.tolist(), strict=True):
            if kind == Kind.HEARTBEAT:
                gaps[viewer].append(at - last[viewer])
            last[viewer] = at
    longest = max(max(each) for each in gaps.values())
    assert longest == 30_000


def test_a_match_of_impossible_size_is_refused() -> None:
    with pytest.raises(InvalidInput, match="viewers is 0"):
        Match(viewers=0, seconds=10, start_ms=START)
    with pytest.raises(InvalidInput, match="seed"):
        Match(viewers=1, seconds=10, start_ms=START, seed=-1)
