"""What an audience also watches, and of whom that is never told."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contents.catalogue import Catalogue, Entry
from shared.units import DAY_MS, HOUR_MS
from tests.builders import KICK_OFF, event
from tests.unit.preferences.stage import Stage, crowd, watching

PATH = "/v1/contents/match/also-watched"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_history_that_does_not_exist_yet_tells_of_nobody(stage: Stage) -> None:
    assert stage.get(PATH) == {
        "content_id": "match",
        "window": "7d",
        "from": "2026-10-21T18:30:00Z",
        "to": "2026-10-28T18:30:00Z",
        "as_of": None,
        "viewers": 0,
        "contents": [],
    }


def test_share_is_of_this_audience_and_lift_beside_that_of_all(stage: Stage) -> None:
    fans, others = crowd("fan", 10), crowd("other", 30)
    stage.happened(
        [*watching("match", *fans), *watching("news", *fans[:5], *others[:15]), *watching("film", *others)]
    )
    answer = stage.get(PATH)
    assert answer["viewers"] == 10
    # half of the fans, and 20 of all 40
    assert answer["contents"] == [{"content_id": "news", "title": None, "viewers": 5, "share": 0.5, "lift": 1.0}]
    assert stage.get("/v1/contents/news/also-watched")["contents"] == [
        {"content_id": "film", "title": None, "viewers": 15, "share": 0.75, "lift": 1.0},
        {"content_id": "match", "title": None, "viewers": 5, "share": 0.25, "lift": 1.0},
    ]


def test_contents_stand_in_order_and_have_their_titles(stage: Stage) -> None:
    fans = crowd("fan", 20)
    shows = {"b": 6, "a": 6, "z": 9, "rare": 6}
    events = watching("match", *fans)
    for name, viewers in shows.items():
        events += watching(name, *fans[:viewers], *(crowd("other", 9) if name != "rare" else []))
    stage.happened(events)
    Catalogue(stage.ports).put(Entry("z", "Harbour City – Northern Stars"))
    told = stage.get(PATH)["contents"]
    assert [each["content_id"] for each in told] == ["z", "rare", "a", "b"]  # who else watches decides between equals
    assert told[0]["title"] == "Harbour City – Northern Stars"
    assert [each["content_id"] for each in stage.get(PATH, limit=2)["contents"]] == ["z", "rare"]


def test_who_watches_twice_is_one_viewer(stage: Stage) -> None:
    fans = crowd("fan", 5)
    for _ in range(2):
        stage.happened([*watching("match", *fans), *watching("film", *fans)])
    answer = stage.get(PATH)
    assert (answer["viewers"], answer["contents"][0]["viewers"]) == (5, 5)


def test_groups_of_fewer_than_five_are_left_out(stage: Stage) -> None:
    fans = crowd("fan", 9)
    stage.happened([*watching("match", *fans), *watching("film", *fans[:4]), *watching("news", *fans[:5])])
    assert [each["content_id"] for each in stage.get(PATH)["contents"]] == ["news"]


@pytest.mark.parametrize("who", [{"child": True}, {"consent": "none"}])
def test_who_may_not_be_known_across_sessions_is_not(stage: Stage, who: dict[str, Any]) -> None:
    fans = crowd("fan", 9)
    hidden = [
        event(content_id=content_id, viewer_id=name, session_id=name, **who)
        for content_id in ("match", "film")
        for name in crowd("hidden", 9)
    ]
    stage.happened([*watching("match", *fans), *watching("film", *fans), *hidden])
    answer = stage.get(PATH)
    assert answer["viewers"] == 9
    assert answer["contents"] == [{"content_id": "film", "title": None, "viewers": 9, "share": 1.0, "lift": 1.0}]


def test_consent_to_analytics_is_enough(stage: Stage) -> None:
    fans = crowd("fan", 5)
    stage.happened([*watching("match", *fans, consent="analytics"), *watching("film", *fans, consent="analytics")])
    assert stage.get(PATH)["contents"][0]["viewers"] == 5


def test_a_window_ends_now_and_the_answer_says_how_far_the_history_reaches(stage: Stage) -> None:
    fans = crowd("fan", 5)
    earlier, now = KICK_OFF - DAY_MS, KICK_OFF + 61_000
    stage.happened(
        [*watching("match", *fans, event_timestamp=now), *watching("film", *fans, event_timestamp=earlier)]
    )
    day, hour = stage.get(PATH, window="2d"), stage.get(PATH, window="31m")
    assert [each["content_id"] for each in day["contents"]] == ["film"]
    assert (hour["contents"], hour["viewers"]) == ([], 5)
    assert (hour["from"], hour["to"]) == ("2026-10-28T17:59:00Z", "2026-10-28T18:30:00Z")
    assert day["as_of"] == hour["as_of"] == "2026-10-28T18:01:01Z"


@pytest.mark.parametrize("query", ["window=32d", "window=0d", "window=7w", "limit=0", "limit=101", "by=country"])
def test_what_cannot_be_asked_is_refused(stage: Stage, query: str) -> None:
    refused = stage.client.get(f"{PATH}?{query}")
    assert refused.status_code == 400
    assert query.partition("=")[0] in refused.json()["detail"]
    assert stage.warehouse.asked == 0


def test_an_answer_is_kept_for_half_a_minute(stage: Stage) -> None:
    stage.get(PATH)
    stage.clock.advance(29_999)
    stage.get(PATH)
    assert stage.warehouse.asked == 1
    stage.get(PATH, limit=3)
    assert stage.warehouse.asked == 2
    stage.clock.advance(1)
    stage.get(PATH)
    assert stage.warehouse.asked == 3


@st.composite
def watched(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Who watched what when; some of whom there may be no profile."""
    one = st.fixed_dictionaries(
        {
            "viewer_id": st.sampled_from(crowd("v", 12)),
            "content_id": st.sampled_from(["match", "film", "news"]),
            "event_timestamp": st.sampled_from([KICK_OFF, KICK_OFF - HOUR_MS, KICK_OFF - DAY_MS]),
            "child": st.sampled_from([None, None, True]),
            "consent": st.sampled_from([None, "none", "analytics", "personalisation"]),
        }
    )
    return draw(st.lists(one, min_size=30, max_size=90))


def known(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for row in rows:
        if not row["child"] and row["consent"] != "none":
            yield row["content_id"], row["viewer_id"]


@settings(max_examples=15, deadline=None)
@given(rows=watched())
def test_it_is_what_counting_those_who_may_be_known_gives(rows: list[dict[str, Any]]) -> None:
    of: dict[str, set[str]] = defaultdict(set)
    for content_id, viewer_id in known(rows):
        of[content_id].add(viewer_id)
    audience, everyone = of["match"], set().union(*of.values())
    with TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        # in one session, so that nothing but the rule keeps them apart
        stage.happened(event(session_id=row["viewer_id"], **row) for row in rows)
        answer = stage.get(PATH)
    assert answer["viewers"] == len(audience)
    told = {each["content_id"]: each for each in answer["contents"]}
    assert told.keys() == {name for name in ("film", "news") if len(of[name] & audience) >= 5}
    for name, each in told.items():
        both = len(of[name] & audience)
        assert each["viewers"] == both
        assert each["share"] == round(both / len(audience), 4)
        assert each["lift"] == round(both * len(everyone) / (len(audience) * len(of[name])), 3)
