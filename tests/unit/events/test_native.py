"""What players write in our own format, well and badly."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from events.event import Body, CoreEvent
from events.native import Native
from shared.errors import InvalidInput
from tests.builders import KICK_OFF

CORE: dict[str, Any] = {
    "event_type": "heartbeat",
    "event_timestamp": KICK_OFF,
    "content_id": "match",
    "viewer_id": "ada",
    "session_id": "ada-tv",
}
native = Native()


def dumps(value: object) -> bytes:
    return json.dumps(value).encode()


def decoded(body: Body) -> Sequence[CoreEvent]:
    return body.core or body.events


def only(body: Body) -> CoreEvent:
    assert not body.rejected
    (event,) = decoded(body)
    return event


def refused(data: bytes, decoder: Native = native) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        decoder.decode(data)
    return caught.value


def test_a_body_of_core_events_is_decoded_into_those_alone() -> None:
    body = native.decode(dumps([CORE, {**CORE, "event_id": "e2", "position_seconds": 3}]))
    assert [event.event_id for event in body.core] == [None, "e2"]
    assert body.core[1].position_seconds == 3.0
    assert (body.events, list(body.indices), body.rejected) == ([], [0, 1], [])


def test_an_envelope_says_things_of_all_its_events() -> None:
    envelope = {
        "events": [CORE],
        "sent_at": "2026-10-28T18:00:01Z",
        "batch_id": "b",
        "clock_offset_ms": 40.0,
        "consent": "analytics",
        "child": True,
        "sdk": "web/1",
    }
    body = native.decode(dumps(envelope))
    assert (body.batch_id, body.sent_at, body.clock_offset_ms) == ("b", KICK_OFF + 1_000, 40)
    assert (body.consent, body.child, len(body.core)) == ("analytics", True, 1)


def test_fields_of_a_few_event_types_and_unknown_ones_do_no_harm() -> None:
    body = native.decode(dumps([CORE, {**CORE, "event_type": "stall", "stall_ms": 90, "what": {"is": ["this"]}}]))
    assert [event.stall_ms for event in body.events] == [None, 90]
    assert body.events[1].extra is None
    assert list(body.indices) == [0, 1]


def test_extra_fields_are_kept_when_the_operator_lists_them() -> None:
    listed = Native(extra_fields=("league", "x-score"))
    sent = {**CORE, "league": {"id": 7}, "x-score": None, "other": 1, "extra": {"smuggled": 1}}
    body = listed.decode(dumps([sent, CORE]))
    assert [event.extra for event in body.events] == [{"league": {"id": 7}, "x-score": None}, None]
    assert native.decode(dumps([sent])).events[0].extra is None


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("watched_ms", "long", "wrong_type"),
        ("watched_ms", "1.5", "wrong_type"),
        ("content_id", 7, "wrong_type"),
        ("event_timestamp", "yesterday", "wrong_type"),
        ("event_timestamp", True, "wrong_type"),
        ("child", "no", "wrong_type"),
    ],
)
def test_a_wrong_type_costs_its_own_event_and_names_the_field(field: str, value: object, code: str) -> None:
    body = native.decode(dumps([CORE, {**CORE, field: value}, CORE]))
    (rejection,) = body.rejected
    assert (rejection.index, rejection.code) == (1, code)
    assert field in rejection.reason
    assert list(body.indices) == [0, 2]
    assert len(decoded(body)) == 2


def test_a_wrong_type_among_core_events_leaves_them_core_events_and_among_others_does_not() -> None:
    wrong = {**CORE, "watched_ms": "long"}
    assert len(native.decode(dumps([CORE, wrong, CORE])).core) == 2
    body = native.decode(dumps([CORE, wrong, {**CORE, "watched_ms": 5.0}, {**CORE, "stall_ms": 4}]))
    assert (body.core, [event.stall_ms for event in body.events]) == ([], [None, None, 4])
    assert (list(body.indices), body.normalised, len(body.rejected)) == ([0, 2, 3], {"whole_decimal": 1}, 1)


def test_an_event_beyond_a_limit_and_one_of_a_wrong_type_are_both_told() -> None:
    body = native.decode(dumps([CORE, {**CORE, "watched_ms": -1}, {**CORE, "watched_ms": "long"}]))
    assert [event.watched_ms for event in decoded(body)] == [None, -1]
    assert not body.sound
    assert [each.index for each in body.rejected] == [2]


def test_many_bad_events_among_many_good_ones_keep_their_places() -> None:
    sent: list[Any] = [{**CORE, "event_id": str(i)} for i in range(100)]
    for i in (0, 17, 50, 99):
        sent[i] = {**sent[i], "watched_ms": "x"}
    sent[51], sent[52] = 5, None
    body = native.decode(dumps({"events": sent, "batch_id": "b"}))
    assert [each.index for each in body.rejected] == [0, 17, 50, 51, 52, 99]
    assert [event.event_id for event in decoded(body)] == [str(i) for i in body.indices]
    assert body.batch_id == "b"


def test_a_missing_field_is_called_missing() -> None:
    (rejection,) = native.decode(dumps([{"event_type": "play"}])).rejected
    assert rejection.code == "missing"
    assert "event_timestamp" in rejection.reason or "content_id" in rejection.reason


@pytest.mark.parametrize(
    ("sent", "mended"),
    [
        ({"watched_ms": 10_000.0}, {"watched_ms": 10_000}),
        ({"watched_ms": 9_999.5, "bitrate_kbps": 1_200.4}, {"watched_ms": 10_000, "bitrate_kbps": 1_200}),
        ({"event_timestamp": "2026-10-28T18:00:00.250Z"}, {"event_timestamp": KICK_OFF + 250}),
        ({"event_timestamp": KICK_OFF + 0.4}, {"event_timestamp": KICK_OFF}),
        ({"event_timestamp": float(KICK_OFF)}, {"event_timestamp": KICK_OFF}),
    ],
)
def test_what_real_players_get_wrong_is_mended_and_counted(sent: dict[str, Any], mended: dict[str, int]) -> None:
    body = native.decode(dumps([{**CORE, **sent}]))
    event = only(body)
    assert {name: getattr(event, name) for name in mended} == mended
    assert sum(body.normalised.values()) >= 1


def test_an_unknown_event_type_is_left_for_the_rules_to_name() -> None:
    assert only(native.decode(dumps([{**CORE, "event_type": "dance"}]))).event_type == "dance"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"hello", "not JSON"),
        (b"7", "not JSON"),
        (b'[{"event_type":', "JSON"),
        (b'[{"a": NaN}]', "JSON"),
        (dumps([CORE]).replace(b'"ada"', b'"\xff\xfe"'), "UTF-8"),
        (b"[" * 100_000, "nested"),
        (b'[{"x":' + b"[" * 100_000, "nested"),
        (b'{"events":' + b"[" * 100_000, "nested"),
        (b'{"event": []}', "events"),
        (b'{"events": 7}', "array"),
        (b'{"events": [], "sent_at": "noon"}', "sent_at"),
        (b'{"events": [], "consent": "maybe"}', "consent"),
        (dumps([{**CORE, "watched_ms": "x"}]) + b"]", "JSON"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(data: bytes, words: str) -> None:
    error = refused(data)
    assert error.status == 400
    assert words in error.detail


def test_too_many_events_are_refused_with_the_limit() -> None:
    few = Native(max_events=3)
    assert len(few.decode(dumps([CORE] * 3)).core) == 3
    for crowd in (dumps([CORE] * 4), dumps([1] * 4), dumps([{**CORE, "x": 1}] * 4), b"[" + b"1," * 2_000 + b"1]"):
        error = refused(crowd, few)
        assert (error.status, "3 events" in error.detail) == (413, True)


def test_lines_are_taken_or_rejected_one_by_one() -> None:
    lines = [dumps({**CORE, "event_id": str(i)}) for i in range(40)]
    lines[3] = b"{not json"
    lines[7] = b'{"x": NaN}'
    lines[8] = b'{"text": "\xff"}'
    lines[9] = b"[" * 100_000
    lines[20] = dumps({**CORE, "watched_ms": "x"})
    body = native.decode_lines(b"\r\n".join([*lines[:5], b"", b"  ", *lines[5:], b""]))
    assert {each.index: each.code for each in body.rejected} == {
        3: "unreadable",
        7: "unreadable",
        8: "unreadable",
        9: "unreadable",
        20: "wrong_type",
    }
    assert [event.event_id for event in decoded(body)] == [str(i) for i in body.indices]
    assert all("line" in each.reason and "array" not in each.reason for each in body.rejected[:4])


@pytest.mark.parametrize("data", [b"", b"\n \r\n"])
def test_no_lines_at_all_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        native.decode_lines(data)


def test_good_lines_are_core_events_and_too_many_are_refused() -> None:
    assert len(native.decode_lines(b"\n".join([dumps(CORE)] * 3)).core) == 3
    few = Native(max_events=2)
    for crowd in ([dumps(CORE)] * 3, [dumps({**CORE, "x": 1})] * 3):
        with pytest.raises(InvalidInput, match="2 events"):
            few.decode_lines(b"\n".join(crowd))


@pytest.mark.parametrize(
    ("data", "events", "rejected"),
    [
        (dumps([CORE]), 1, 0),
        (dumps({"events": [CORE]}), 1, 0),
        (json.dumps({"events": [CORE]}, indent=2).encode(), 1, 0),
        (dumps(CORE), 1, 0),
        (dumps(CORE) + b"\n" + dumps(CORE) + b"\n", 2, 0),
        (b'{"event_type": "play"\n' + dumps(CORE), 0, -1),
        (b'{"broken": }\n' + dumps(CORE), 1, 1),
    ],
)
def test_text_may_be_json_or_lines(data: bytes, events: int, rejected: int) -> None:
    if rejected < 0:
        with pytest.raises(InvalidInput):
            native.decode_text(data)
        return
    body = native.decode_text(data)
    assert (len(decoded(body)), len(body.rejected)) == (events, rejected)


def test_half_a_surrogate_pair_is_no_text() -> None:
    assert refused(dumps([CORE]).replace(b'"ada"', b'"\\ud800"')).status == 400
    (rejection,) = native.decode_lines(dumps(CORE).replace(b'"ada"', b'"\\ud800"')).rejected
    assert rejection.code == "unreadable"


def test_a_number_beyond_all_bounds_costs_its_own_event() -> None:
    endless = dumps([CORE, {**CORE, "watched_ms": 0}]).replace(b'"watched_ms": 0', b'"watched_ms": ' + b"1" * 5_000)
    (rejection,) = native.decode(endless).rejected
    assert (rejection.index, rejection.code) == (1, "wrong_type")
    assert "out of range" in rejection.reason
    assert len(rejection.reason) < 200
