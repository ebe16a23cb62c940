"""What each segment of the viewers watches most."""

from pathlib import Path

import pytest

from shared.contents.catalogue import Catalogue, Entry
from shared.units import DAY_MS
from tests.builders import KICK_OFF
from tests.unit.preferences.stage import Stage, crowd, watching

PATH = "/v1/preferences/top"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_history_that_does_not_exist_yet_has_no_segments(stage: Stage) -> None:
    assert stage.get(PATH) == {
        "by": "country",
        "window": "7d",
        "from": "2026-10-21T18:30:00Z",
        "to": "2026-10-28T18:30:00Z",
        "as_of": None,
        "segments": [],
    }


def test_each_segment_has_its_contents_by_watched_time(stage: Stage) -> None:
    germans, dutch = crowd("de", 8), crowd("nl", 6)
    stage.happened(watching("match", *germans, country="DE", watched_ms=60_000))
    stage.happened(watching("film", *germans, country="DE", watched_ms=20_000))
    stage.happened(watching("film", *dutch, country="NL", watched_ms=50_000))
    Catalogue(stage.ports).put(Entry("film", "Der Film"))
    answer = stage.get(PATH)
    assert answer["segments"] == [
        {
            "value": "DE",
            "viewers": 8,
            "contents": [
                {"content_id": "match", "title": None, "watched_ms": 480_000, "viewers": 8},
                {"content_id": "film", "title": "Der Film", "watched_ms": 160_000, "viewers": 8},
            ],
        },
        {
            "value": "NL",
            "viewers": 6,
            "contents": [{"content_id": "film", "title": "Der Film", "watched_ms": 300_000, "viewers": 6}],
        },
    ]
    assert answer["as_of"] == "2026-10-28T18:00:00Z"
    first = stage.get(PATH, limit=1)["segments"]
    assert [[each["content_id"] for each in segment["contents"]] for segment in first] == [["match"], ["film"]]


def test_segments_past_the_asked_number_stand_together(stage: Stage) -> None:
    for country, size in (("DE", 9), ("NL", 8), ("FR", 7), ("ES", 6)):
        stage.happened(watching("match", *crowd(country, size), country=country))
    told = stage.get(PATH, segments=2)["segments"]
    assert [(segment["value"], segment["viewers"]) for segment in told] == [("DE", 9), ("NL", 8), (None, 13)]
    assert told[2]["contents"][0]["viewers"] == 13


def test_a_viewer_of_two_small_segments_counts_once_among_the_others(stage: Stage) -> None:
    stage.happened(watching("match", *crowd("de", 9), country="DE"))
    for country in ("LI", "MC"):
        stage.happened(watching("match", *crowd("traveller", 4), country=country, watched_ms=1_000))
    stage.happened(watching("match", *crowd("unknown", 3)))
    others = stage.get(PATH)["segments"][-1]
    assert (others["value"], others["viewers"]) == (None, 7)
    assert others["contents"] == [{"content_id": "match", "title": None, "watched_ms": 38_000, "viewers": 7}]


def test_groups_of_fewer_than_five_are_not_told(stage: Stage) -> None:
    stage.happened(watching("match", *crowd("de", 9), country="DE"))
    stage.happened(watching("film", *crowd("de", 4), country="DE"))
    stage.happened(watching("match", "prince", country="MC"))
    assert stage.get(PATH)["segments"] == [
        {
            "value": None,  # told apart, the nine would give away the one
            "viewers": 10,
            "contents": [{"content_id": "match", "title": None, "watched_ms": 100_000, "viewers": 10}],
        }
    ]


def test_children_count_as_sessions(stage: Stage) -> None:
    stage.happened(watching("cartoon", *crowd("child", 6), child=True, country="DE"))
    assert stage.get(PATH)["segments"][0]["viewers"] == 6


def test_sampled_watched_time_stands_for_what_was_left_out(stage: Stage) -> None:
    stage.happened(watching("match", *crowd("v", 5), tier="free"), level=3)
    (segment,) = stage.get(PATH, by="tier")["segments"]
    assert segment["contents"][0]["watched_ms"] == 5 * 8 * 10_000


def test_only_the_asked_window_counts(stage: Stage) -> None:
    stage.happened(watching("match", *crowd("v", 5), country="DE", event_timestamp=KICK_OFF - 2 * DAY_MS))
    assert stage.get(PATH, window="1d")["segments"] == []
    assert stage.get(PATH, window="3d")["segments"][0]["value"] == "DE"


@pytest.mark.parametrize(
    "query", ["by=quality_level", "by=viewer_id", "segments=0", "segments=33", "limit=51", "window=x"]
)
def test_what_cannot_be_asked_is_refused(stage: Stage, query: str) -> None:
    assert stage.client.get(f"{PATH}?{query}").status_code == 400
    assert stage.warehouse.asked == 0
