"""Marked moments: read back in order of time, changed by their own id, seen by whom they may be."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.contents.models import Mark, MarksAnswer
from functions.http.moment import END_OF_TIME_MS
from lab.memory import MemoryClock, MemorySuite
from shared.contents.moments import AHEAD_MS, BLOCK_MS, MAX_LISTED, MOMENTS_TABLE, Moment, Moments
from shared.errors import CorruptData, InvalidInput
from shared.settings import Settings
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.builders import KICK_OFF
from tests.unit.audience.stage import OPERATOR, PUBLISH
from tests.unit.contents.stage import Stage, path

MARKS = path("derby", "marks")


def marks(stage: Stage, **query: Any) -> list[tuple[str, str]]:
    answer = stage.client.get(MARKS, params=query)
    assert answer.status_code == 200, answer.text
    told = MarksAnswer.model_validate_json(answer.content).marks
    return [(mark.kind, mark.at) for mark in told]


def test_marks_stand_in_order_of_time() -> None:
    stage = Stage()
    stage.client.post(MARKS, json={"kind": "goal", "label": "1 – 0", "at": "2026-10-28T17:50:00Z"})
    stage.client.post(MARKS, json={"kind": "full_time"})
    stage.client.post(MARKS, json={"kind": "kick_off", "at": KICK_OFF - HOUR_MS})
    assert marks(stage) == [
        ("kick_off", "2026-10-28T17:00:00Z"),
        ("goal", "2026-10-28T17:50:00Z"),
        ("full_time", "2026-10-28T18:00:00Z"),
    ]
    goal = {"from": "2026-10-28T17:50:00Z", "to": KICK_OFF}
    assert marks(stage, **goal) == [("goal", "2026-10-28T17:50:00Z")]


def test_a_posted_mark_has_an_address_of_its_own() -> None:
    stage = Stage()
    made = stage.client.post(path("a/b", "marks"), json={"kind": "goal", "label": "<i>=1+1"})
    mark = Mark.model_validate_json(made.content)
    assert made.status_code == 201
    assert made.headers["location"] == f"/v1/contents/a%2Fb/marks/{mark.mark_id}"
    assert stage.client.get(path("a/b", "marks")).json()["marks"] == [made.json()]
    for _ in range(2):
        assert stage.client.request("DELETE", made.headers["location"]).status_code == 204
    stage.put("a/b")
    assert stage.client.get(path("a/b", "marks")).json()["marks"] == []


def test_a_mark_under_the_callers_id_is_made_once_and_stays_when_it_was() -> None:
    stage = Stage()
    first = stage.client.put(f"{MARKS}/goal-1", json={"kind": "goal"})
    again = stage.at(MINUTE_MS).client.put(f"{MARKS}/goal-1", json={"kind": "goal", "label": "Own goal"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["location"] == f"{MARKS}/goal-1"
    assert again.json() == {"mark_id": "goal-1", "at": "2026-10-28T18:00:00Z", "kind": "goal", "label": "Own goal"}
    stage.client.put(f"{MARKS}/goal-1", json={"kind": "goal", "at": KICK_OFF - BLOCK_MS})
    assert marks(stage) == [("goal", "2026-09-28T18:00:00Z")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "Goal"},
        {"kind": "1st"},
        {"kind": "x" * 33},
        {"kind": "goal\n"},
        {"kind": "goal", "label": "x" * 201},
        {"kind": "goal", "at": "soon"},
        {"kind": "goal", "at": KICK_OFF + 2 * DAY_MS},
        {"kind": "goal", "at": KICK_OFF - 401 * DAY_MS},
        {"kind": "goal", "who": "ada"},
    ],
)
def test_a_mark_that_is_none_is_refused(body: dict[str, Any]) -> None:
    stage = Stage()
    assert stage.client.post(MARKS, json=body).status_code == 400
    assert stage.client.put(f"{MARKS}/one", json=body).status_code == 400
    assert stage.client.get(MARKS).status_code == 404


@pytest.mark.parametrize("mark_id", ["a%20b", "a%2Fb", "x" * 65, "é"])
def test_a_marks_id_is_plain(mark_id: str) -> None:
    stage = Stage()
    assert stage.client.put(f"{MARKS}/{mark_id}", json={"kind": "goal"}).status_code == 400
    assert stage.client.request("DELETE", f"{MARKS}/{mark_id}").status_code == 400


@pytest.mark.parametrize("query", ["from=2&to=2", "from=x", "limit=3"])
def test_a_bad_stretch_is_refused(query: str) -> None:
    assert Stage().client.get(f"{MARKS}?{query}").status_code == 400


def test_a_content_that_nothing_was_said_of_has_no_marks() -> None:
    stage = Stage()
    assert stage.client.get(MARKS).json()["type"] == "/docs#problem-no-such-content"
    stage.watch("derby", 1)
    assert marks(stage) == []


def test_a_publish_key_sees_the_marks_of_listed_contents_and_makes_none() -> None:
    stage = Stage(loopback=False)
    stage.client.post(MARKS, json={"kind": "goal"}, headers=OPERATOR)
    for key in (PUBLISH, OPERATOR):
        answer = stage.client.get(MARKS, headers=key)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, s-maxage=2")
        assert answer.headers["vary"] == "Authorization"
    stage.client.put(path("derby", "listing"), json={"listed": False}, headers=OPERATOR)
    hidden, unknown = (stage.client.get(path(name, "marks"), headers=PUBLISH) for name in ("derby", "nothing"))
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json()["detail"] == unknown.json()["detail"]
    assert stage.client.get(MARKS, headers=OPERATOR).headers["cache-control"] == "private, no-store"
    assert stage.client.post(MARKS, json={"kind": "goal"}, headers=PUBLISH).status_code == 403
    assert stage.client.put(f"{MARKS}/one", json={"kind": "goal"}, headers=PUBLISH).status_code == 403
    assert stage.client.request("DELETE", f"{MARKS}/one", headers=PUBLISH).status_code == 403


def test_a_publish_key_is_not_told_how_many_marks_there_are_of_what_is_not_listed() -> None:
    stage = Stage(loopback=False)
    stage.client.put(path("derby", "listing"), json={"listed": False}, headers=OPERATOR)
    moments = Moments(stage.ports, stage.settings)
    for number in range(MAX_LISTED + 1):
        moments.put("derby", Moment(str(number), KICK_OFF - number, "goal"))
    assert stage.client.get(MARKS, headers=OPERATOR).status_code == 400
    assert stage.client.get(MARKS, headers=PUBLISH).status_code == 404


def memory(clock: MemoryClock | None = None) -> Moments:
    return Moments(MemorySuite(clock or MemoryClock(KICK_OFF)).ports, Settings())


def test_too_many_marks_are_asked_for_in_stretches() -> None:
    moments = memory()
    for number in range(MAX_LISTED + 1):
        moments.put("derby", Moment(str(number), KICK_OFF - number, "goal"))
    with pytest.raises(InvalidInput, match="one stretch after the other"):
        moments.between("derby", 0, KICK_OFF + 1)
    assert len(moments.between("derby", 0, KICK_OFF)) == MAX_LISTED


def test_marks_are_kept_as_long_as_the_history() -> None:
    clock = MemoryClock(KICK_OFF)
    moments = memory(clock)
    moments.put("derby", Moment("goal", KICK_OFF, "goal"))
    clock.advance(400 * DAY_MS - 1)
    assert len(moments.between("derby", 0, clock.now_ms())) == 1
    clock.advance(1)
    assert moments.between("derby", 0, clock.now_ms()) == []


def test_what_lies_as_far_ahead_as_may_be_is_found() -> None:
    clock = MemoryClock(KICK_OFF)
    moments = memory(clock)
    moments.put("derby", Moment("final", KICK_OFF + AHEAD_MS, "final"))
    assert [moment.moment_id for moment in moments.between("derby", 0, END_OF_TIME_MS)] == ["final"]


def test_a_moment_that_cannot_be_read_is_said_to_be() -> None:
    suite = MemorySuite()
    suite.ports.table(MOMENTS_TABLE).put("id#derby", "goal", b"{")
    with pytest.raises(CorruptData, match="marked moment"):
        Moments(suite.ports, Settings()).get("derby", "goal")


TIMES = st.integers(KICK_OFF - 3 * BLOCK_MS, KICK_OFF)
CHANGES = st.lists(st.tuples(st.sampled_from("abcd"), st.one_of(st.none(), TIMES)), max_size=20)


@settings(max_examples=80, deadline=None)
@given(CHANGES, st.tuples(TIMES, TIMES))
def test_every_mark_is_found_once_where_it_was_put_last(
    changes: list[tuple[str, int | None]], stretch: tuple[int, int]
) -> None:
    moments = memory()
    kept: dict[str, int] = {}
    for moment_id, at in changes:
        if at is None:
            moments.delete("derby", moment_id)
            kept.pop(moment_id, None)
        else:
            moments.put("derby", Moment(moment_id, at, "goal"))
            kept[moment_id] = at
    since, until = sorted(stretch)
    expected = sorted((at, name) for name, at in kept.items() if since <= at < until)
    found = moments.between("derby", since, until)
    assert [(one.at, one.moment_id) for one in found] == expected
