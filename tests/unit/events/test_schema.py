import json
from typing import Any

import jsonschema_rs
import pytest

from events.event import EVENT_TYPES, Event
from events.limits import RANGES, SIZES
from events.native import Native
from events.schema import asyncapi, native_event_schema

EVENT: dict[str, Any] = {
    "event_type": "heartbeat",
    "event_timestamp": 1_795_197_600_000,
    "content_id": "final",
    "viewer_id": "v",
    "watched_ms": 10_000,
}


def is_valid(event: dict[str, Any]) -> bool:
    return bool(jsonschema_rs.Draft202012Validator(native_event_schema()).is_valid(event))


def is_taken(event: dict[str, Any]) -> bool:
    return not Native().decode(json.dumps([event]).encode()).rejected


def test_the_schema_names_every_field_a_sender_may_write() -> None:
    assert native_event_schema()["properties"].keys() == set(Event.__struct_fields__) - {"extra"}


def test_the_schema_is_one() -> None:
    jsonschema_rs.meta.validate(native_event_schema())


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_type_is_valid(event_type: str) -> None:
    assert is_valid({**EVENT, "event_type": event_type})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"unheard_of": 5},
        {"event_timestamp": "2026-11-20T18:00:00Z"},
        {"watched_ms": 10_000.0},
        {"consent": None},
        {"viewer_id": None, "session_id": "s"},
        {"bitrate_kbps": None},
    ],
)
def test_what_ingest_takes_is_valid(changes: dict[str, Any]) -> None:
    assert is_valid({**EVENT, **changes})
    assert is_taken({**EVENT, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"event_type": None},
        {"content_id": None},
        {"watched_ms": "10"},
        {"watched_ms": True},
        {"child": "yes"},
    ],
)
def test_what_ingest_rejects_is_not_valid(changes: dict[str, Any]) -> None:
    assert not is_valid({**EVENT, **changes})
    assert not is_taken({**EVENT, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"event_type": "unheard-of"},
        {"watched_ms": -1},
        {"viewer_id": None},
        {"consent": "perhaps"},
        {"stall_ms": 2**31},
    ],
)
def test_what_the_rules_of_the_house_forbid_is_not_valid(changes: dict[str, Any]) -> None:
    assert not is_valid({**EVENT, **changes})


def test_the_limits_are_those_of_ingest() -> None:
    properties = native_event_schema()["properties"]
    assert {name: (properties[name]["minimum"], properties[name]["maximum"]) for name in RANGES} == RANGES
    assert {name: properties[name]["maxLength"] for name in SIZES} == SIZES


def test_every_reference_of_the_stream_document_leads_somewhere() -> None:
    document = asyncapi()

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if "$ref" in part else []
            return own + [found for value in part.values() for found in references(value)]
        if isinstance(part, list):
            return [found for value in part for found in references(value)]
        return []

    found = references(document)
    assert len(found) >= 7
    for reference in found:
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


def test_the_stream_document_is_asyncapi_3() -> None:
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert document["operations"]["ingest"]["action"] == "send"
    readers = [name for name, operation in document["operations"].items() if operation["action"] == "receive"]
    assert readers == ["aggregate", "archive", "watch"]
    assert "record_id" in document["components"]["messages"]["record"]["headers"]["properties"]
    assert json.loads(json.dumps(document)) == document
