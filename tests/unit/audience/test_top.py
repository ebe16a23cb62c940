"""Which contents are watched most."""

from collections.abc import Sequence

import pytest

from functions.audience.models import TopAnswer
from shared.units import HOUR_MS
from tests.builders import KICK_OFF, event
from tests.unit.audience.stage import OPERATOR, PUBLISH, Stage

DAY_MS = 24 * HOUR_MS


def watched(stage: Stage, content_id: str, watched_ms: int, *viewers: str, at_ms: int = 0) -> None:
    stage.tell(
        [
            event(viewer_id=name, content_id=content_id, watched_ms=watched_ms, event_timestamp=KICK_OFF + at_ms)
            for name in viewers
        ],
        content_type="live",
    )


def top(stage: Stage, query: str = "") -> list[tuple[str, int, int]]:
    answer = TopAnswer.model_validate(stage.client.get(f"/v1/contents/top{query}").json())
    return [(one.content_id, one.watched_ms, one.viewers) for one in answer.contents]


@pytest.fixture
def evening() -> Stage:
    stage = Stage()
    watched(stage, "derby", 5_000, "ada", "grace", at_ms=-DAY_MS)
    watched(stage, "derby", 5_000, "ada")
    watched(stage, "film", 20_000, "mary")
    watched(stage, "news", 1_000, "mary")
    return stage.at(1_000)


@pytest.mark.parametrize("rolls", [0, 6])
def test_contents_stand_in_order_of_their_watched_time(evening: Stage, rolls: int) -> None:
    evening.at(4 * HOUR_MS if rolls else 1_000).roll(rolls)
    assert top(evening) == [("film", 20_000, 1), ("derby", 15_000, 2), ("news", 1_000, 1)]


def test_only_the_window_counts_and_only_so_many_are_named(evening: Stage) -> None:
    assert top(evening, "?window=15m&limit=2") == [("film", 20_000, 1), ("derby", 5_000, 1)]


def test_ties_stand_in_a_fixed_order() -> None:
    stage = Stage()
    for content_id in ("b", "a", "c"):
        watched(stage, content_id, 1_000, "ada")
    assert [name for name, _, _ in top(stage.at(1))] == ["a", "b", "c"]


def test_the_kind_of_content_is_told_where_anyone_said(evening: Stage) -> None:
    evening.tell([event(content_id="unsaid")])
    kinds = {
        one["content_id"]: one["content_type"] for one in evening.client.get("/v1/contents/top").json()["contents"]
    }
    assert (kinds["film"], kinds["unsaid"]) == ("live", None)


@pytest.mark.parametrize("query", ["window=7", "window=0d", "window=32d", "window=99999d", "limit=0", "limit=101"])
def test_a_bad_query_is_refused(evening: Stage, query: str) -> None:
    assert evening.client.get(f"/v1/contents/top?{query}").status_code == 400


def test_a_publish_key_is_told_of_listed_contents_only() -> None:
    stage = Stage(loopback=False)
    for content_id in ("derby", "secret"):
        watched(stage, content_id, 1_000, "ada")
    stage.at(1).client.put("/v1/contents/secret/listing", json={"listed": False}, headers=OPERATOR)

    def named(credential: dict[str, str]) -> tuple[Sequence[str], str]:
        answer = stage.client.get("/v1/contents/top", headers=credential)
        assert answer.headers["vary"] == "Authorization"
        return [one["content_id"] for one in answer.json()["contents"]], answer.headers["cache-control"]

    assert named(PUBLISH) == (["derby"], "public, s-maxage=1")
    assert named(OPERATOR) == (["derby", "secret"], "private, no-store")


def test_nothing_watched_is_an_empty_list() -> None:
    assert top(Stage()) == []
