"""The last minutes of an audience, as pages ask for them."""

import pytest

from functions.audience.models import RecentAnswer
from functions.audience.recent import KEPT_MS
from shared.units import MINUTE_MS
from tests.builders import KICK_OFF, event
from tests.unit.audience.stage import OPERATOR, PUBLISH, Stage

RECENT = "/v1/contents/match/audience/recent"


def told(at_ms: int, viewer: str) -> Stage:
    stage = Stage()
    stage.at(at_ms).tell([event("join", viewer_id=viewer, session_id=viewer, event_timestamp=KICK_OFF + at_ms)])
    return stage


@pytest.mark.parametrize(("resolution", "windows"), [("5s", 1), ("1m", 3)])
def test_it_tells_the_same_windows_as_the_whole_audience_does(resolution: str, windows: int) -> None:
    stage = told(0, "anna")
    for at in (60_000, 400_000, 1_000_000):
        stage.at(at).tell([event("join", viewer_id=f"v{at}", session_id=f"s{at}", event_timestamp=KICK_OFF + at)])
    answer = stage.client.get(RECENT, params={"resolution": resolution, "by": "country"}).json()
    RecentAnswer.model_validate(answer)
    asked = {"from": answer["from"], "to": answer["to"], "resolution": resolution, "by": "country"}
    assert answer["windows"] == stage.client.get("/v1/contents/match/audience", params=asked).json()["windows"]
    assert len(answer["windows"]) == windows


def test_one_read_serves_all_who_ask_within_five_seconds() -> None:
    stage = told(0, "anna")
    before = stage.client.get(RECENT).json()
    stage.tell([event("join", viewer_id="ben", session_id="ben", event_timestamp=KICK_OFF)])
    stage.clock.advance(KEPT_MS - 1)
    assert stage.client.get(RECENT).json() == before
    stage.clock.advance(1)
    assert stage.client.get(RECENT).json()["windows"][0]["viewers"] == 2


def test_a_cache_may_keep_what_a_publish_key_may_see_and_nothing_else() -> None:
    stage = Stage(loopback=False)
    stage.tell([event("join", event_timestamp=KICK_OFF)])
    listed = stage.client.get(RECENT, headers=PUBLISH)
    assert (listed.headers["cache-control"], listed.headers["vary"]) == ("public, s-maxage=5", "Authorization")
    stage.client.put("/v1/contents/match/listing", json={"listed": False}, headers=OPERATOR)
    stage.clock.advance(KEPT_MS)
    assert "public" not in stage.client.get(RECENT, headers=OPERATOR).headers["cache-control"]
    assert stage.client.get(RECENT, headers=PUBLISH).status_code == 404


def test_an_unknown_content_is_told_apart_from_a_quiet_one() -> None:
    stage = told(0, "anna")
    assert stage.client.get("/v1/contents/nothing/audience/recent").status_code == 404
    assert stage.at(20 * MINUTE_MS).client.get(RECENT).json()["windows"] == []


@pytest.mark.parametrize("query", [{"resolution": "1h"}, {"by": "shoe_size"}, {"from": "0"}])
def test_what_it_does_not_take_is_refused(query: dict[str, str]) -> None:
    assert told(0, "anna").client.get(RECENT, params=query).status_code == 400
