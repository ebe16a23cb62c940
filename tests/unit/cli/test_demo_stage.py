"""What surrounds the demo's matches."""

import asyncio
import json
import time

import httpx

from adapters.cli.demo_stage import mark_moments, moments, name_probes, set_stage, title
from lab.crowd.match import FULL_TIME, KICK_OFF, Match
from tests.unit.contents.stage import Stage


def test_every_match_has_two_teams_and_a_name_of_its_own() -> None:
    names = [title(number) for number in range(30)]
    assert len({*names}) == 30
    assert all(home != away for home, away in (name.split(" – ") for name in names))


def test_a_match_is_marked_from_kick_off_to_full_time_and_its_score_adds_up() -> None:
    match = Match(viewers=10, seconds=100, start_ms=0, contents=3)
    marked = moments(match)
    assert marked == sorted(marked, key=lambda one: one.at)
    for content_id in match.content_ids:
        own = [one for one in marked if one.content_id == content_id]
        assert (own[0].kind, own[0].at) == ("kick_off", match.at(KICK_OFF))
        assert (own[-1].kind, own[-1].at) == ("full_time", match.at(FULL_TIME))
        scores = [one.label.split()[:3:2] for one in own if one.kind == "goal"]
        assert [sum(map(int, score)) for score in scores] == [*range(1, len(scores) + 1)]
        assert len({one.mark_id for one in own}) == len(own)


def test_the_suite_is_told_of_all_of_it() -> None:
    stage = Stage()
    now = int(time.time() * 1_000)
    stage.clock.time_ms = now
    match = Match(viewers=20, seconds=100, start_ms=now - 100_000, contents=2)
    posted: list[int] = []

    async def told(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if request.method == "POST":
            posted.append(len(body["events"]))
            return httpx.Response(202)
        answer = await stage.client.send("PUT", request.url.raw_path.decode(), json=body)
        return httpx.Response(answer.status_code)

    async def staged() -> int:
        async with httpx.AsyncClient(base_url="http://suite", transport=httpx.MockTransport(told)) as client:
            events = await set_stage(client, match)
            await mark_moments(client, match)
            await name_probes(client, ["probe-1"])
            return events

    assert asyncio.run(staged()) == sum(posted) == 60
    stage.clock.advance(2_000)
    seen = stage.overview()
    assert [one["title"] for one in seen["upcoming"]] == [title(2), title(3)]
    assert title(4) in {one["title"] for one in seen["ended"]}
    assert stage.client.get("/v1/contents/probe-1").json()["title"].startswith("Probe 1")
    for content_id in match.content_ids:
        marked = stage.client.get(f"/v1/contents/{content_id}/marks").json()["marks"]
        assert [mark["mark_id"] for mark in marked] == [
            one.mark_id for one in moments(match) if one.content_id == content_id
        ]
