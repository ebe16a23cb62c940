"""CMCD as players that nobody here wrote send it."""

from collections import Counter
from pathlib import Path

import pytest

from events.cmcd import CmcdContext, from_event_lines, from_query
from tests.unit.events.golden import golden

NOW = 1_795_166_100_000
BITMOVIN = Path(__file__).parents[4] / "shared" / "vectors" / "cmcd" / "bitmovin-url.log"


@pytest.mark.skipif(not BITMOVIN.exists(), reason=f"the sample log {BITMOVIN} does not lie beside the checkout")
def test_every_line_that_bitmovin_logged_is_an_event() -> None:
    lines = [line for line in BITMOVIN.read_text().splitlines() if line.startswith("CMCD=")]
    bodies = [from_query(line, NOW, context=CmcdContext()) for line in lines]
    assert len(lines) == 375
    assert [rejection for body in bodies for rejection in body.rejected] == []
    events = [event for body in bodies for event in body.events]
    assert len(events) == 375
    assert {event.content_id for event in events} == {"1111-111111-111111-11111"}
    assert {event.session_id for event in events} == {"6e2fb550-c457-11e9-bb97-0800200c9a66"}
    assert {event.bitrate_kbps for event in events} == {None, 822, 14923}
    assert max(event.buffer_ms or 0 for event in events) > 39_000
    counted: Counter[str] = Counter()
    for body in bodies:
        counted.update(body.normalised)
    assert counted["decimal_for_integer"] > 375


def test_every_request_of_hlsjs_is_a_sign_of_play() -> None:
    bodies = [from_query(line, NOW, context=CmcdContext()) for line in golden("cmcd-hlsjs-v1.txt").splitlines()]
    events = [body.events[0] for body in bodies]
    assert {event.event_type for event in events} == {"heartbeat"}
    assert {event.content_id for event in events} == {"hls-match"}
    assert {event.bitrate_kbps for event in events} == {None, 368, 966}
    assert [event.player_state for event in (events[0], events[-1])] == ["starting", "playing"]
    assert [body.normalised for body in bodies] == [{}] * len(bodies)


def test_every_event_of_dashjs_is_told() -> None:
    body = from_event_lines(golden("cmcd-dashjs-v2.txt").encode(), NOW, context=CmcdContext())
    assert body.rejected == []
    assert body.normalised == {}
    told = Counter(event.event_type for event in body.events)
    assert told == {"heartbeat": 11, "join": 1, "stall": 1, "play": 3, "pause": 1, "seek": 1}
    assert len({event.event_id for event in body.events}) == 18
    assert {event.bitrate_kbps for event in body.events} == {None, 900}
