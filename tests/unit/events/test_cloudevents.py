import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.cloudevents import decode, is_cloudevent
from events.event import Body, CoreEvent
from events.native import Native
from shared.errors import InvalidInput
from tests.unit.events.golden import golden

STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"content-type": "application/cloudevents-batch+json"}
ENVELOPE = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/web",
    "type": "example.heartbeat",
    "subject": "final",
    "time": "2026-11-20T18:00:00Z",
    "data": {"session_id": "s-1"},
}


def structured(**attributes: Any) -> Body:
    envelope = {name: value for name, value in {**ENVELOPE, **attributes}.items() if value is not ...}
    return decode(STRUCTURED, json.dumps(envelope).encode(), native=Native())


def events(body: Body) -> list[CoreEvent]:
    return [*body.events, *body.core]


def only(body: Body) -> CoreEvent:
    (event,) = events(body)
    return event


def test_the_attributes_complete_the_data() -> None:
    event = only(structured())
    assert (event.event_type, event.event_timestamp, event.content_id) == ("heartbeat", 1_795_197_600_000, "final")
    assert (event.event_id, event.session_id) == ("/web/e-1", "s-1")


def test_an_attribute_that_is_null_is_not_there() -> None:
    nothing = dict.fromkeys(("datacontenttype", "dataschema", "data_base64", "time"))
    assert only(structured(data={"session_id": "s", "event_timestamp": 5}, **nothing)).event_timestamp == 5
    assert only(structured(data=None, data_base64=base64.b64encode(b'{"viewer_id":"v"}').decode())).viewer_id == "v"


def test_what_the_data_says_goes_first() -> None:
    data = {"session_id": "s", "event_type": "stop", "content_id": "c", "event_id": "own", "event_timestamp": 5}
    event = only(structured(data=data))
    assert (event.event_type, event.event_timestamp, event.content_id, event.event_id) == ("stop", 5, "c", "own")


def test_a_batch_is_flattened_in_order() -> None:
    body = decode(BATCH, golden("cloudevents-batch.json").encode(), native=Native())
    told = [(event.event_type, event.content_id, event.event_timestamp, event.event_id) for event in events(body)]
    assert told == [
        ("heartbeat", "final", 1_795_197_600_500, "https://players.example/web/e-1"),
        ("pause", "other", 1_795_197_601_000, "https://players.example/web/e-2/0"),
        ("play", "other", 1_795_197_602_000, "own"),
        ("stop", "final", 1_795_197_603_000, "https://players.example/tv/e-3"),
    ]
    assert list(body.indices) == [0, 1, 2, 3]
    assert events(body)[3].viewer_id == "v-9"


def test_binary_attributes_are_headers_and_the_body_is_the_data() -> None:
    headers = {
        "CE-SpecVersion": "1.0",
        "ce-id": "e%2D1",
        "ce-source": "/web",
        "ce-type": "heartbeat",
        "ce-subject": "f%C3%BCr%20alle",
        "ce-time": "2026-11-20T18:00:00Z",
        "Content-Type": "application/json",
    }
    assert is_cloudevent(headers)
    event = only(decode(headers, b'{"session_id":"s"}', native=Native()))
    assert (event.event_id, event.content_id) == ("/web/e-1", "für alle")


def test_a_cloudevent_is_known_by_its_media_type_or_its_header() -> None:
    assert is_cloudevent(STRUCTURED)
    assert is_cloudevent(BATCH)
    assert not is_cloudevent({"content-type": "application/json"})


def test_source_and_id_make_what_is_repeated_known_again() -> None:
    assert structured().batch_id == structured().batch_id
    assert structured().batch_id != structured(id="e-2").batch_id
    assert structured().batch_id != structured(source="/tv").batch_id
    assert only(structured(source="/tv")).event_id != only(structured()).event_id


def test_an_overlong_identity_still_gives_an_id_of_allowed_length() -> None:
    assert len(only(structured(source="/" + "ü" * 300)).event_id or "") == 32


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"specversion": "0.3"}, "specversion"),
        ({"specversion": ...}, "specversion"),
        ({"id": ...}, "missing"),
        ({"id": 5}, "missing"),
        ({"source": ""}, "missing"),
        ({"type": None}, "missing"),
        ({"time": "noon"}, "wrong_type"),
        ({"time": 5}, "wrong_type"),
        ({"type": "example.unheard-of"}, "unknown_type"),
        ({"data": ...}, "missing"),
        ({"data": None}, "missing"),
        ({"datacontenttype": "text/xml"}, "wrong_type"),
        ({"data_base64": "!!"}, "unreadable"),
        ({"data_base64": base64.b64encode(b"{").decode()}, "unreadable"),
        ({"data": "text"}, "wrong_type"),
        ({"data": {"session_id": 5}}, "wrong_type"),
        ({"time": ..., "data": {"session_id": "s"}}, "missing"),
    ],
)
def test_what_is_no_event_is_rejected_alone_with_the_reason(attributes: dict[str, Any], code: str) -> None:
    bad = {name: value for name, value in {**ENVELOPE, **attributes}.items() if value is not ...}
    body = decode(BATCH, json.dumps([ENVELOPE, bad, ENVELOPE]).encode(), native=Native())
    assert [(rejection.index, rejection.code) for rejection in body.rejected] == [(1, code)]
    assert body.rejected[0].reason
    assert list(body.indices) == [0, 2]


def test_an_item_of_a_batch_that_is_no_object_is_rejected_alone() -> None:
    body = decode(BATCH, b"[7]", native=Native())
    assert [rejection.code for rejection in body.rejected] == ["not_an_object"]
    assert body.batch_id is None


@pytest.mark.parametrize(
    ("headers", "crowd"),
    [
        (BATCH, [ENVELOPE] * 4),
        (BATCH, [{**ENVELOPE, "data": [{"session_id": "s"}] * 2}] * 2),
        (STRUCTURED, {**ENVELOPE, "data": [{"session_id": "s"}] * 4}),
        (STRUCTURED, {**ENVELOPE, "data": {"x": [1] * 1_000}}),
    ],
)
def test_too_many_events_are_refused_with_the_limit(headers: dict[str, str], crowd: Any) -> None:
    with pytest.raises(InvalidInput, match="more than 3 events") as raised:
        decode(headers, json.dumps(crowd).encode(), native=Native(), max_events=3)
    assert raised.value.status == 413


def test_other_json_media_types_are_data_too() -> None:
    assert only(structured(datacontenttype="application/vnd.example+json")).content_id == "final"


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (STRUCTURED, b"[]", 400),
        (BATCH, b"{}", 400),
        (STRUCTURED, b"{", 400),
        (STRUCTURED, b"\xff", 400),
        (BATCH, b"[" * 5_000, 400),
        ({"ce-specversion": "1.0", "content-type": "text/plain"}, b"{}", 415),
        ({"ce-specversion": "1.0"}, b"", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_invalid(headers: dict[str, str], body: bytes, status: int) -> None:
    with pytest.raises(InvalidInput) as raised:
        decode(headers, body, native=Native())
    assert raised.value.status == status


def test_data_nested_to_the_limit_is_an_answer_and_no_crash() -> None:
    start = json.dumps({**ENVELOPE, "data": ...}, default=lambda _: 0).encode()[:-2]
    for depth in range(900, 1_010):
        body = start + b'{"a":' + b"[" * depth + b"]" * depth + b"}}"
        try:
            decode(STRUCTURED, body, native=Native())
        except InvalidInput as error:
            assert error.status == 400


@given(
    st.lists(
        st.fixed_dictionaries(
            {}, optional={name: st.sampled_from([ENVELOPE.get(name), 5, None]) for name in ENVELOPE}
        )
    )
)
def test_every_envelope_is_an_event_or_a_rejection(envelopes: list[dict[str, Any]]) -> None:
    body = decode(BATCH, json.dumps(envelopes).encode(), native=Native())
    places = [*body.indices, *(rejection.index for rejection in body.rejected)]
    assert sorted(places) == list(range(len(envelopes)))
