import json
from typing import Any

import pytest

from events.event import Event
from events.segment import decode
from events.segment.video import MEANING
from tests.unit.events.golden import golden

NOW = 1_795_197_721_000


def track(event: str, properties: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u", "event": event, "properties": properties, **others}


def told(message: dict[str, Any], **options: Any) -> Event:
    return decode("track", json.dumps(message).encode(), NOW, **options).body.events[0]


def test_a_whole_session_of_the_video_spec_is_told() -> None:
    call = decode("batch", golden("segment-session.json").encode(), NOW)
    assert [(event.event_type, event.event_id) for event in call.body.events] == [
        ("join", "m-2"),
        ("ad_start", "m-3"),
        ("ad_end", "m-4"),
        ("play", "m-5"),
        ("heartbeat", "m-6"),
        ("stall", "m-7"),
        ("heartbeat", "m-8"),
        ("quality_change", "m-9"),
        ("seek", "m-10"),
        ("pause", "m-11"),
        ("play", "m-12"),
        ("complete", "m-14"),
    ]
    assert call.body.rejected == []
    assert call.ignored == 2
    assert list(call.body.indices) == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14]
    assert {event.content_id for event in call.body.events} == {"final"}
    assert {event.viewer_id for event in call.body.events} == {"u-7"}
    assert {event.device_type for event in call.body.events} == {"tablet"}
    assert {event.country for event in call.body.events} == {"DE"}
    assert {event.session_id for event in call.body.events} == {"s-1", None}


def test_properties_are_told_in_our_fields_and_units() -> None:
    event = told(
        track(
            "Video Playback Started",
            {
                "session_id": "s",
                "content_asset_id": "c",
                "position": 12,
                "bitrate": 2500,
                "quality": "hd",
                "livestream": False,
            },
            messageId="m",
            timestamp="2026-11-20T18:00:00.250+01:00",
        )
    )
    assert (event.position_seconds, event.bitrate_kbps, event.quality_level) == (12.0, 2500, "hd")
    assert (event.event_timestamp, event.event_id, event.session_id) == (1_795_194_000_250, "m", "s")
    assert (event.content_type, event.player_state) == ("vod", "starting")


def test_a_seek_tells_where_from_and_where_to() -> None:
    event = told(
        track("Video Playback Seek Started", {"content_asset_id": "c", "position": 278, "seek_position": 320})
    )
    assert (event.event_type, event.seek_from_seconds, event.position_seconds) == ("seek", 278.0, 320.0)


def test_a_seek_without_a_goal_tells_its_position() -> None:
    event = told(track("Video Playback Seek Started", {"content_asset_id": "c", "position": 278}))
    assert (event.seek_from_seconds, event.position_seconds) == (None, 278.0)


def test_an_interruption_is_a_stop_with_its_cause() -> None:
    event = told(track("Video Playback Interrupted", {"content_asset_id": "c", "method": "network loss"}))
    assert (event.event_type, event.error_code) == ("stop", "network loss")


def test_an_advert_names_itself_and_its_content() -> None:
    event = told(track("Video Ad Started", {"asset_id": "ad-1", "content": {"asset_id": "c"}}))
    assert (event.event_type, event.ad_id, event.content_id) == ("ad_start", "ad-1", "c")


def test_the_end_of_a_pod_is_not_the_end_of_the_playback() -> None:
    assert told(track("Video Content Completed", {"asset_id": "c"})).event_type == "heartbeat"


def test_names_are_known_in_any_case() -> None:
    assert told(track(" video playback EXITED ", {"content_asset_id": "c"})).event_type == "stop"


@pytest.mark.parametrize("name", sorted(MEANING))
def test_every_event_of_the_spec_is_told(name: str) -> None:
    event = told(track(name.title(), {"content_asset_id": "c"}))
    assert event.event_type == MEANING[name][0]


@pytest.mark.parametrize("position", [-1, "later", True, None, [5], "nan", "inf"])
def test_a_position_that_is_none_is_left_out(position: object) -> None:
    assert told(track("Video Content Playing", {"asset_id": "c", "position": position})).position_seconds is None


def test_numbers_may_come_as_text() -> None:
    assert told(track("Video Content Playing", {"asset_id": 12, "position": "7.5"})).position_seconds == 7.5
    assert told(track("Video Content Playing", {"asset_id": 12})).content_id == "12"


def test_facts_of_the_content_are_kept_when_it_starts_and_else_by_the_allow_list() -> None:
    properties = {"asset_id": "c", "title": "The final", "league": "cup", "keywords": ["x"], "email": "a@b"}
    assert told(track("Video Content Started", properties)).extra == {"title": "The final"}
    assert told(track("Video Content Playing", properties)).extra is None
    allowed = frozenset(("league", "keywords"))
    assert told(track("Video Content Playing", properties), extra_fields=allowed).extra == {"league": "cup"}


@pytest.mark.parametrize(
    ("preferences", "consent"),
    [
        ({"Analytics": True}, "analytics"),
        ({"Analytics": True, "Personalization": True}, "personalisation"),
        ({"Analytics": False, "Advertising": True}, "none"),
        ({}, "none"),
        (None, None),
    ],
)
def test_consent_is_read_off_the_categories(preferences: dict[str, bool] | None, consent: str | None) -> None:
    context = {"consent": {"categoryPreferences": preferences}}
    assert told(track("Video Content Playing", {"asset_id": "c"}, context=context)).consent == consent


@pytest.mark.parametrize(
    ("context", "device"),
    [
        ({"device": {"type": "android"}}, "mobile"),
        ({"device": {"type": "tvos"}}, "set_top_box"),
        ({"device": {"type": "fridge"}}, None),
        ({"device": 5, "userAgent": "Mozilla/5.0 (Windows NT 10.0)"}, "desktop"),
        ({"location": {"country": "Germany"}}, None),
    ],
)
def test_the_device_is_read_off_the_context(context: dict[str, Any], device: str | None) -> None:
    event = told(track("Video Content Playing", {"asset_id": "c"}, context=context))
    assert event.device_type == device
    assert event.country is None
