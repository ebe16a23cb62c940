"""The benchmarks' events and report; what they time is nobody's test."""

import json
from math import nan

import pytest

from lab.bench import plain_python, report
from lab.bench.client import LiveBodies
from lab.bench.figure import Figure
from lab.bench.workload import array, bodies
from lab.oracle import audience

KICK_OFF = 1_793_210_400_000


def test_every_event_has_366_bytes_and_the_same_arguments_give_the_same_ones() -> None:
    first, again = (list(bodies(3, start_ms=KICK_OFF, events=50, viewers=5)) for _ in range(2))
    assert first == again
    assert {len(event) for body in first for event in body} == {366}


def test_a_body_speaks_of_one_content_by_as_many_viewers_as_asked_for() -> None:
    body = json.loads(array(next(bodies(1, start_ms=KICK_OFF, events=500, viewers=25))))
    assert len(body) == 500
    assert len({event["viewer_id"] for event in body}) == 25
    assert len({event["content_id"] for event in body}) == 1


def test_the_plain_loop_counts_what_the_oracle_counts() -> None:
    posted = [array(body) for body in bodies(6, start_ms=KICK_OFF, events=60, viewers=6, contents=2)]
    truth = audience(event for body in posted for event in json.loads(body))
    expected = {
        (content, start, sum(window.events.values()), window.watched_ms, len(window.viewers))
        for content, windows in truth.items()
        for start, window in windows.items()
    }
    assert plain_python.count(posted) == expected


def test_live_bodies_are_stamped_with_the_time_at_which_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.bench.client.time", lambda: 1_793_210_400.25)
    body = json.loads(next(iter(LiveBodies(events=4, viewers=2, contents=1))))
    assert [event["event_timestamp"] for event in body] == [KICK_OFF + 250] * 4


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("a", 0.5, "ratio", 0.5), "met"),
        (Figure("a", 0.4, "ratio", 0.5), "not met"),
        (Figure("a", 1.5, "s", 2, at_most=True), "met"),
        (Figure("a", 2.5, "s", 2, at_most=True), "not met"),
        (Figure("a", 2.5, "s"), ""),
        (Figure("a", nan, "ratio", 4), ""),
    ],
)
def test_a_figure_is_held_against_its_budget(figure: Figure, verdict: str) -> None:
    assert report.met(figure) == verdict


def test_a_figure_that_could_not_be_taken_is_null_in_the_json() -> None:
    written = json.loads(report.as_json({"flink": [Figure("ratio", nan, "ratio", 4, "absent")]}, {"path": "failed"}))
    assert written["figures"] == [
        {
            "bench": "flink",
            "name": "ratio",
            "value": None,
            "unit": "ratio",
            "budget": 4,
            "note": "absent",
            "at_most": False,
            "met": None,
        }
    ]
    assert written["failures"] == {"path": "failed"}
