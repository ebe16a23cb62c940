import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.segment import KINDS, SegmentCall, decode, write_key_of
from shared.errors import InvalidInput

NOW = 1_795_197_721_000
PLAYING: dict[str, Any] = {
    "type": "track",
    "userId": "u",
    "event": "Video Content Playing",
    "properties": {"asset_id": "c"},
}


def sent(kind: str, message: Any) -> SegmentCall:
    return decode(kind, json.dumps(message).encode(), NOW)


def batch(*messages: Any, **envelope: Any) -> SegmentCall:
    return sent("batch", {"batch": messages, **envelope})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 5_000, b'{"a":' * 5_000])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_call_is_a_bad_request(kind: str, body: bytes) -> None:
    with pytest.raises(InvalidInput) as raised:
        decode(kind, body, NOW)
    assert raised.value.status == 400


@pytest.mark.parametrize("body", [{}, {"batch": {}}, {"batch": None}])
def test_a_batch_holds_a_list(body: object) -> None:
    with pytest.raises(InvalidInput):
        sent("batch", body)


@pytest.mark.parametrize(("kind", "limit"), [("track", 32 * 1024), ("batch", 500 * 1024)])
def test_a_request_over_segments_limit_is_a_bad_request_that_names_it(kind: str, limit: int) -> None:
    whole = b'{"batch":[]}' if kind == "batch" else json.dumps(PLAYING).encode()
    decode(kind, whole.ljust(limit), NOW)
    with pytest.raises(InvalidInput, match=str(limit)) as raised:
        decode(kind, whole.ljust(limit + 1), NOW)
    assert raised.value.status == 400


def test_a_call_of_a_batch_over_the_limit_is_rejected_alone() -> None:
    call = batch(PLAYING, {**PLAYING, "context": {"x": "y" * 33_000}}, PLAYING)
    assert list(call.body.indices) == [0, 2]
    assert [(rejection.index, rejection.code) for rejection in call.body.rejected] == [(1, "too_large")]


def test_calls_beyond_2500_are_rejected() -> None:
    call = batch(*[{**PLAYING, "userId": "u" * 40}] * 2_501)
    assert len(call.body.events) == 2_500
    assert [(rejection.index, rejection.code) for rejection in call.body.rejected] == [(2_500, "too_many")]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (7, "unreadable"),
        ({"type": "track", "event": "Video Content Playing"}, "no_user_anon_id"),
        ({"type": "identify", "traits": {}}, "no_user_anon_id"),
        ({"type": "track", "userId": "u"}, "missing_event"),
        ({"type": "track", "userId": "u", "event": 5}, "missing_event"),
        ({"type": "sing", "userId": "u"}, "unknown_type"),
        ({"userId": "u"}, "unknown_type"),
        ({"type": ["track"], "userId": "u"}, "unknown_type"),
        ({"type": "track", "userId": "u", "event": "Video Content Playing"}, "missing_content"),
        (
            {"type": "track", "userId": "u", "event": "Video Ad Started", "properties": {"asset_id": "a"}},
            "missing_content",
        ),
        ({**PLAYING, "timestamp": "yesterday"}, "wrong_type"),
    ],
)
def test_a_bad_call_is_rejected_alone_with_the_reason(message: Any, code: str) -> None:
    call = batch(message, {**PLAYING, "userId": "someone else"})
    assert [rejection.code for rejection in call.body.rejected] == [code]
    assert list(call.body.indices) == [1]


@pytest.mark.parametrize("kind", ["page", "screen", "group", "alias"])
def test_other_calls_are_taken_and_left_aside(kind: str) -> None:
    call = batch({"type": kind, "userId": "u"})
    assert (call.ignored, call.body.events, call.body.rejected) == (1, [], [])


@pytest.mark.parametrize("kind", ["page", "screen"])
def test_single_pages_and_screens_are_left_aside(kind: str) -> None:
    assert sent(kind, {"userId": "u", "name": "Home"}).ignored == 1


def test_the_path_says_what_a_single_call_is() -> None:
    message = {name: value for name, value in PLAYING.items() if name != "type"}
    assert sent("track", message).body.events[0].event_type == "heartbeat"


def test_an_anonymous_id_stands_in_for_the_user() -> None:
    message = {**PLAYING, "userId": None, "anonymousId": "anon"}
    assert sent("track", message).body.events[0].viewer_id == "anon"


def test_the_sending_time_is_told_so_that_the_clock_can_be_corrected() -> None:
    in_batch = batch({**PLAYING, "sentAt": "2026-11-20T18:00:05Z"}, sentAt="2026-11-20T18:00:00Z")
    alone = sent("track", {**PLAYING, "sentAt": "2026-11-20T18:00:05Z"})
    inside = batch({**PLAYING, "sentAt": "2026-11-20T18:00:05Z"})
    assert in_batch.body.sent_at == 1_795_197_600_000
    assert alone.body.sent_at == inside.body.sent_at == 1_795_197_605_000
    assert in_batch.body.batch_id is None


def test_a_call_without_a_time_happened_when_it_was_sent_or_else_received() -> None:
    assert batch(PLAYING, sentAt="2026-11-20T18:00:00Z").body.events[0].event_timestamp == 1_795_197_600_000
    assert batch(PLAYING).body.events[0].event_timestamp == NOW
    original = {**PLAYING, "originalTimestamp": "2026-11-20T17:00:00Z"}
    assert batch(original).body.events[0].event_timestamp == 1_795_194_000_000


def test_a_call_without_content_is_about_what_the_same_session_last_watched() -> None:
    other = {**PLAYING, "userId": "v", "properties": {"asset_id": "d"}}
    completed = {**PLAYING, "event": "Video Playback Completed", "properties": {"content_asset_id": None}}
    events = batch(PLAYING, other, completed, {**completed, "userId": "v"}).body.events
    assert [event.content_id for event in events] == ["c", "d", "c", "d"]


def test_a_write_key_may_come_in_the_body() -> None:
    for call in ({**PLAYING, "writeKey": "w"}, {"batch": [PLAYING], "writeKey": "w"}):
        assert write_key_of(json.dumps(call).encode()) == "w"
    for none in (b"{}", b'{"writeKey":7}', b"[]", b"", b"\xff", b"[" * 9_000):
        assert write_key_of(none) is None


def test_the_context_of_a_batch_holds_for_its_calls() -> None:
    call = batch({**PLAYING, "context": {"location": {"country": "FR"}}}, context={"device": {"type": "ios"}})
    assert (call.body.events[0].device_type, call.body.events[0].country) == ("mobile", "FR")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(KINDS),
    st.dictionaries(
        st.sampled_from(
            [
                "type",
                "userId",
                "anonymousId",
                "event",
                "properties",
                "context",
                "timestamp",
                "sentAt",
                "traits",
                "batch",
                "messageId",
            ]
        ),
        json_values | st.sampled_from(["track", "identify", "Video Content Playing", "Video Ad Started"]),
    ),
)
def test_no_call_is_a_crash(kind: str, message: dict[str, Any]) -> None:
    try:
        call = sent(kind, {"batch": [message]} if kind == "batch" else message)
    except InvalidInput:
        return
    held = len(call.body.events) + len(call.body.rejected) + len(call.identifies) + call.ignored
    assert held == 1
