"""CloudEvents 1.0 that carry native events: structured, batched and binary.

Source: CloudEvents 1.0.2, its JSON event format and HTTP protocol binding. `source` and `id` together name an event,
so they make its `event_id`, and what a sender repeats is known again.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from events.crowds import refuse_crowds, refuse_many
from events.event import EVENT_TYPES, Body, Rejection
from events.native import Native
from events.timestamps import to_ms
from shared.errors import InvalidInput

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
HEADER_PREFIX: Final = "ce-"
REQUIRED: Final = ("id", "source", "type")
LONGEST_ID: Final = 200


class _NotAnEvent(Exception):
    """Why an envelope was not taken: a code to count and a reason to tell."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Envelope:
    id: str
    source: str
    defaults: dict[str, Any]
    """What the attributes say where the data does not."""
    data: Any


def is_cloudevent(headers: Mapping[str, str]) -> bool:
    """Whether a request carries CloudEvents, in any of the three ways."""
    lower = {name.lower() for name in headers}
    return _media_type(headers) in (STRUCTURED, BATCH) or f"{HEADER_PREFIX}specversion" in lower


def decode(headers: Mapping[str, str], body: bytes, *, native: Native, max_events: int = 10_000) -> Body:
    """The native events in a request; a list in `data` holds several.

    An envelope that is no CloudEvent is rejected alone. Raises InvalidInput for a body that cannot be read (400) or
    that holds too many events (413).
    """
    refuse_crowds(body, max_events)
    media_type = _media_type(headers)
    if media_type in (STRUCTURED, BATCH):
        decoded = _json(body)
        if isinstance(decoded, list) != (media_type == BATCH):
            raise InvalidInput(f"{media_type} holds a JSON {'array' if media_type == BATCH else 'object'}.")
        envelopes = decoded if isinstance(decoded, list) else [decoded]
    else:
        if not _is_json(media_type):
            raise InvalidInput("A CloudEvent's data must be application/json.", status=415, reason="wrong-type")
        envelopes = [{**_attributes(headers), "data": _json(body)}]
    refuse_many(len(envelopes), max_events)
    return _body(envelopes, native, max_events)


def _body(envelopes: list[Any], native: Native, max_events: int) -> Body:
    """Flatten the envelopes' events, let native read them, and count indices as the flattened list does."""
    positions: list[int] = []
    events: list[Any] = []
    rejected: list[Rejection] = []
    identity = hashlib.blake2b(digest_size=16)
    at = 0
    for raw in envelopes:
        try:
            envelope = _envelope(raw)
        except _NotAnEvent as error:
            rejected.append(Rejection(at, error.code, error.reason))
            at += 1
            continue
        identity.update(msgspec.json.encode((envelope.source, envelope.id)))
        refuse_many(at + (len(envelope.data) if isinstance(envelope.data, list) else 1), max_events)
        for event in _events(envelope):
            if isinstance(event, dict) and "event_type" not in event:
                rejected.append(Rejection(at, "unknown_type", _UNKNOWN_TYPE))
            else:
                events.append(event)
                positions.append(at)
            at += 1
    body = native.decode(_as_json(events))
    body.indices = [positions[index] for index in body.indices]
    body.rejected = rejected + [Rejection(positions[r.index], r.code, r.reason) for r in body.rejected]
    body.batch_id = f"cloudevents-{identity.hexdigest()}" if events else None
    return body


def _events(envelope: _Envelope) -> Iterator[Any]:
    """The events in the data, completed by the attributes."""
    several = isinstance(envelope.data, list)
    for number, event in enumerate(envelope.data if several else [envelope.data]):
        if not isinstance(event, dict):
            yield event
            continue
        said = {name: value for name, value in event.items() if value is not None}
        event_id = _event_id(envelope, f"/{number}" if several else "")
        yield {"event_id": event_id, **envelope.defaults, **said}


def _event_id(envelope: _Envelope, suffix: str) -> str:
    event_id = f"{envelope.source}/{envelope.id}{suffix}"
    if len(event_id.encode()) <= LONGEST_ID:
        return event_id
    return hashlib.blake2b(event_id.encode(), digest_size=16).hexdigest()


def _envelope(raw: Any) -> _Envelope:
    if not isinstance(raw, dict):
        raise _NotAnEvent("not_an_object", "a CloudEvent is a JSON object")
    if raw.get("specversion") != "1.0":
        raise _NotAnEvent("specversion", 'specversion must be "1.0"')
    for name in REQUIRED:
        if not isinstance(raw.get(name), str) or not raw[name]:
            raise _NotAnEvent("missing", f"{name} is missing: CloudEvents 1.0 requires id, source, specversion, type")
    time, subject = raw.get("time"), raw.get("subject")
    moment = to_ms(time) if isinstance(time, str) else None
    if time is not None and moment is None:
        raise _NotAnEvent("wrong_type", "time must be RFC 3339, as 2026-11-20T18:00:00Z")
    defaults = {"event_timestamp": moment, "content_id": subject, "event_type": _event_type(raw["type"])}
    return _Envelope(
        id=raw["id"],
        source=raw["source"],
        defaults={name: value for name, value in defaults.items() if value is not None},
        data=_data(raw),
    )


def _event_type(name: str) -> str | None:
    """`io.example.heartbeat` is a heartbeat; other types are for the data to tell."""
    last = name.rpartition(".")[2]
    return last if last in EVENT_TYPES else None


_UNKNOWN_TYPE: Final = (
    "neither the data's event_type nor the last part of the CloudEvent's type is one of: " + ", ".join(EVENT_TYPES)
)


def _data(raw: Mapping[str, Any]) -> Any:
    if not _is_json(str(raw.get("datacontenttype") or "application/json")):
        raise _NotAnEvent("wrong_type", "datacontenttype must be application/json")
    if raw.get("data_base64") is not None:
        try:
            return _json(base64.b64decode(str(raw["data_base64"]), validate=True))
        except (binascii.Error, ValueError, InvalidInput) as error:
            raise _NotAnEvent("unreadable", f"data_base64 is not JSON in Base64: {error}") from None
    if raw.get("data") is None:
        raise _NotAnEvent("missing", "data is missing: send the event, or a list of events, in data")
    return raw["data"]


def _attributes(headers: Mapping[str, str]) -> dict[str, str]:
    """The attributes of a binary CloudEvent, percent-encoded in its headers."""
    found = ((name.lower().removeprefix(HEADER_PREFIX), name, value) for name, value in headers.items())
    return {short: unquote(value) for short, name, value in found if len(short) < len(name)}


def _media_type(headers: Mapping[str, str]) -> str:
    """The Content-Type without its parameters; empty where there is none."""
    content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    return content_type.partition(";")[0].strip().lower()


def _is_json(media_type: str) -> bool:
    kind = media_type.partition(";")[0].strip().lower()
    return kind in ("", "application/json", "text/json") or kind.endswith("+json")


def _as_json(events: list[Any]) -> bytes:
    try:
        return msgspec.json.encode(events)
    except RecursionError:  # decoded at the very limit of nesting
        raise InvalidInput("The JSON is nested too deep; events are flat objects.", reason="unreadable") from None


def _json(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"This is not JSON: {error}", reason="unreadable") from None
