"""Grandstand's events described for machines: JSON Schema of what a sender writes, AsyncAPI of the stream."""

from typing import Any, Final

import msgspec

from events.event import EVENT_TYPES, MAX_ID_BYTES, MAX_TEXT_BYTES, Event
from events.record import RecordHeader

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NATIVE_EVENT: Final = "urn:grandstand:event"
ASYNCAPI_VERSION: Final = "3.0.0"
RECORD_MEDIA_TYPE: Final = "application/vnd.grandstand.record"
STREAM: Final = "events"

_ID: Final = {"minLength": 1, "maxLength": MAX_ID_BYTES}
_WORD: Final = {"maxLength": MAX_ID_BYTES}
_TEXT: Final = {"maxLength": MAX_TEXT_BYTES}
_AMOUNT: Final = {"minimum": 0, "maximum": 2**31 - 1}
_POSITION: Final = {"minimum": -1e12, "maximum": 1e12}

_FIELDS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "event_id": ("Names the event within its session; what is repeated is kept once.", _ID),
    "viewer_id": ("The platform's own id of the viewer, or an anonymous one; stored as a pseudonym.", _ID),
    "content_id": ("What is watched.", _ID),
    "session_id": ("One viewer watching one content on one device; stored as a pseudonym.", _ID),
    "event_type": ("What happened.", {"enum": list(EVENT_TYPES)}),
    "event_timestamp": ("When, on the player's clock: ms since epoch, or RFC 3339.", {}),
    "position_seconds": ("Where in the content, in seconds.", _POSITION),
    "watched_ms": ("How long was watched since the last report, in ms.", _AMOUNT),
    "quality_level": ("The rendition's name, as 1080p.", _WORD),
    "bitrate_kbps": ("The bitrate of what is shown, in kbit/s.", _AMOUNT),
    "device_type": ("As smart_tv, mobile, desktop.", _WORD),
    "network_quality": ("As excellent, good, fair, poor.", _WORD),
    "country": ("ISO 3166-1 alpha-2.", _WORD),
    "tier": ("The subscription's tier.", _WORD),
    "age_group": ("As 25-34.", _WORD),
    "report_every_seconds": ("The interval that the last answer told.", {"minimum": 1, "maximum": 3_600}),
    "content_type": ("live or vod.", _WORD),
    "consent": ("What the viewer agreed to.", {"enum": ["none", "analytics", "personalisation", None]}),
    "child": ("A child's events are never tied to a viewer.", {}),
    "stall_ms": ("How long playback stood still for want of data, in ms.", _AMOUNT),
    "startup_ms": ("From the wish to watch to the first picture, in ms.", _AMOUNT),
    "buffer_ms": ("How much is buffered ahead, in ms.", _AMOUNT),
    "throughput_kbps": ("Throughput measured by the player, in kbit/s.", _AMOUNT),
    "playback_rate": ("1 is real time.", {"minimum": -1_000, "maximum": 1_000}),
    "player_state": ("As playing, paused, rebuffering.", _WORD),
    "seek_from_seconds": ("Where a seek started, in seconds.", _POSITION),
    "error_code": ("The player's own code.", _WORD),
    "reaction": ("What a reaction says.", _WORD),
    "text": ("What was written in the chat.", _TEXT),
    "poll_id": ("The poll of a vote.", _ID),
    "option": ("What was voted for.", _WORD),
    "rating": ("The rating given.", {"minimum": -1_000_000, "maximum": 1_000_000}),
    "follow_kind": ("What sort of thing is followed, as team.", _WORD),
    "follow_id": ("What is followed.", _ID),
    "ad_id": ("The advert.", _ID),
}


def native_event_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of one event as `POST /v1/events` takes it.

    Fields that it does not name are no error: those on the operator's allow-list are kept, the rest dropped.
    """
    generated = msgspec.json.schema(Event)["$defs"]["Event"]["properties"]
    properties = {name: _described(generated[name], name) for name in _FIELDS}
    properties["event_timestamp"] = {
        "description": _FIELDS["event_timestamp"][0],
        "anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}],
    }
    return {
        "$schema": DIALECT,
        "$id": NATIVE_EVENT,
        "title": "Event",
        "description": "One thing that happened while a viewer watched.",
        "type": "object",
        "properties": properties,
        "required": ["event_type", "event_timestamp", "content_id"],
        "anyOf": [_present("viewer_id"), _present("session_id")],
    }


def asyncapi() -> dict[str, Any]:
    """An AsyncAPI 3.0 document of the stream that ingest appends to and the other functions read."""
    message = {"$ref": f"#/channels/{STREAM}/messages/record"}
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "Grandstand's stream",
            "version": "1.0.0",
            "description": "Players' events, packed in columns: many events of one partition key are one record.",
        },
        "defaultContentType": RECORD_MEDIA_TYPE,
        "channels": {
            STREAM: {
                "address": STREAM,
                "description": "At least once and in no order that a reader may rely on. The partition key is"
                " `content_id#k`; a record names itself by `record_id`, the same in every repetition.",
                "messages": {"record": {"$ref": "#/components/messages/record"}},
            }
        },
        "operations": {
            "ingest": _operation("send", "What players reported.", message),
            "aggregate": _operation("receive", "Counts each record once.", message),
            "archive": _operation("receive", "Stages each record for the history.", message),
            "watch": _operation("receive", "Keeps the facts of each viewer.", message),
        },
        "components": {
            "messages": {
                "record": {
                    "name": "record",
                    "title": "Many events of one content, in columns",
                    "contentType": RECORD_MEDIA_TYPE,
                    "headers": _record_header_schema(),
                    "payload": {"$ref": "#/components/schemas/events"},
                }
            },
            "schemas": {
                "event": native_event_schema(),
                "events": {
                    "description": "What the columns hold once they are unpacked (events/columns.py); viewer and"
                    " session ids are pseudonyms.",
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/event"},
                },
            },
        },
    }


def _described(generated: dict[str, Any], name: str) -> dict[str, Any]:
    description, limits = _FIELDS[name]
    schema = {key: value for key, value in generated.items() if key != "default"}
    return {"description": description, **schema, **limits}


def _present(name: str) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"type": "string"}}}


def _operation(action: str, summary: str, message: dict[str, str]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{STREAM}"},
        "messages": [message],
    }


def _record_header_schema() -> dict[str, Any]:
    """The record's header by name; on the wire it is a MessagePack array in this order."""
    fields = msgspec.structs.fields(RecordHeader)
    schemas, definitions = msgspec.json.schema_components([info.type for info in fields])
    properties = dict(zip((info.name for info in fields), schemas, strict=True))
    return {"type": "object", "properties": properties} | ({"$defs": definitions} if definitions else {})
