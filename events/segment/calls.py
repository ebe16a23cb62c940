"""Segment's calls: limits, envelopes and clocks.

Source: Segment's HTTP API reference. Track calls of the Video spec become events, identify calls viewer attributes;
whatever else Segment knows is taken and left aside, as a sender shared with other destinations expects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec

from events.event import Body, Rejection
from events.segment.context import part, text
from events.segment.traits import Identify, identify_of
from events.segment.video import content_of, event_of, is_video, session_of
from events.timestamps import to_ms
from shared.errors import InvalidInput

KINDS: Final = ("batch", "track", "identify", "page", "screen")
LEFT_ASIDE: Final = ("page", "screen", "group", "alias")
MAX_CALL_BYTES: Final = 32 * 1024
MAX_BATCH_BYTES: Final = 500 * 1024
MAX_BATCH_CALLS: Final = 2_500
WHERE_CONTENT: Final = (
    "no content: send properties.content_asset_id, asset_id for content events, or content.asset_id for adverts"
)

_T = TypeVar("_T")


@dataclass(slots=True)
class SegmentCall:
    """What one request held. Segment answers 200 also where calls in it were rejected."""

    body: Body
    identifies: list[Identify] = field(default_factory=list)
    ignored: int = 0
    """Calls that are none of Grandstand's: page, screen, group, alias, and track calls outside the Video spec."""


def decode(kind: str, body: bytes, received_at: int, *, extra_fields: frozenset[str] = frozenset()) -> SegmentCall:
    """One request to `/v1/<kind>`, kind as in KINDS. `received_at` in ms since epoch.

    `extra_fields` is the operator's allow-list of properties. Raises InvalidInput (400) for a body that is over
    Segment's limits or is not the JSON of a call.
    """
    limit = MAX_BATCH_BYTES if kind == "batch" else MAX_CALL_BYTES
    if len(body) > limit:
        raise InvalidInput(
            f"{len(body)} bytes are over the limit of {limit} for {kind}: send less at a time", reason="too-large"
        )
    if kind != "batch":
        message = _decoded(body, _OBJECT)
        calls = _Calls(message, received_at, extra_fields)
        calls.add(0, message, kind)
        return calls.call
    batch = _decoded(body, _BATCH)
    calls = _Calls({"context": batch.context, "sentAt": batch.sent_at}, received_at, extra_fields)
    for index, raw in enumerate(batch.batch):
        calls.add_raw(index, bytes(raw))
    return calls.call


def write_key_of(body: bytes) -> str | None:
    """The write key in the body, where Segment's senders may carry it; None where there is none to be read."""
    try:
        return _KEYED.decode(body).write_key
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Batch(msgspec.Struct, rename="camel"):
    batch: list[msgspec.Raw]
    context: Any = None
    sent_at: Any = None


class _Keyed(msgspec.Struct, rename="camel"):
    write_key: str | None = None


_KEYED: Final = msgspec.json.Decoder(_Keyed)
_BATCH: Final = msgspec.json.Decoder(_Batch)
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])


def _decoded(body: bytes, decoder: msgspec.json.Decoder[_T]) -> _T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"This is no call of Segment's HTTP API: {error}", reason="unreadable") from None


class _Calls:
    """The calls of one request on their way to a SegmentCall."""

    def __init__(self, envelope: Mapping[str, Any], received_at: int, extra_fields: frozenset[str]) -> None:
        self._context = part(envelope, "context")
        self._received_at = received_at
        self._extra_fields = extra_fields
        self._contents: dict[tuple[str, str | None], str] = {}
        self._indices: list[int] = []
        self.call = SegmentCall(Body(events=[], indices=self._indices, sent_at=to_ms(envelope.get("sentAt"))))

    def add_raw(self, index: int, raw: bytes) -> None:
        """A call of a batch, by the limits of a batch."""
        if index >= MAX_BATCH_CALLS:
            self._reject(index, "too_many", f"a batch holds {MAX_BATCH_CALLS} calls at most: send them in several")
        elif len(raw) > MAX_CALL_BYTES:
            self._reject(index, "too_large", f"a call has {MAX_CALL_BYTES} bytes at most")
        else:
            try:
                message = _decoded(raw, _OBJECT)
            except InvalidInput as error:
                self._reject(index, "unreadable", error.detail)
            else:
                self.add(index, message, message.get("type"))

    def add(self, index: int, message: dict[str, Any], kind: Any) -> None:
        """A call of this kind."""
        if kind in LEFT_ASIDE:
            self.call.ignored += 1
        elif kind not in ("track", "identify"):
            self._reject(index, "unknown_type", "type must be track, identify, page, screen, group or alias")
        elif to_ms(message.get("timestamp")) is None and message.get("timestamp") is not None:
            self._reject(index, "wrong_type", "timestamp must be RFC 3339, as 2026-11-20T18:00:00.000Z")
        else:
            self._add(index, {**message, "context": {**self._context, **part(message, "context")}}, kind)

    def _add(self, index: int, message: Mapping[str, Any], kind: str) -> None:
        if self.call.body.sent_at is None:
            self.call.body.sent_at = to_ms(message.get("sentAt"))
        viewer_id = text(message, "userId", "anonymousId")
        if viewer_id is None:
            self._reject(index, "no_user_anon_id", "userId or anonymousId is missing")
        elif kind == "identify":
            identify = identify_of(index, message, viewer_id, self._timestamp(message))
            self.call.identifies.append(identify)
        else:
            self._track(index, message, viewer_id)

    def _track(self, index: int, message: Mapping[str, Any], viewer_id: str) -> None:
        name = message.get("event")
        if not isinstance(name, str) or not name:
            self._reject(index, "missing_event", "a track call names its event")
            return
        if not is_video(name):
            self.call.ignored += 1
            return
        content_id = self._content(message, viewer_id)
        if content_id is None:
            self._reject(index, "missing_content", WHERE_CONTENT)
            return
        event = event_of(message, content_id, viewer_id, self._timestamp(message), self._extra_fields)
        self.call.body.events.append(event)
        self._indices.append(index)

    def _content(self, message: Mapping[str, Any], viewer_id: str) -> str | None:
        """What the call names, else what the same viewer's session last named in this batch."""
        session = session_of(message)
        content_id = content_of(message)
        if content_id is None:
            return self._contents.get((viewer_id, session))
        self._contents[viewer_id, session] = self._contents[viewer_id, None] = content_id
        return content_id

    def _timestamp(self, message: Mapping[str, Any]) -> int:
        """When it happened on the sender's clock; a call that does not say happened when it was sent."""
        moments = (message.get("timestamp"), message.get("originalTimestamp"), self.call.body.sent_at)
        said = (to_ms(moment) for moment in moments)
        return next((moment for moment in said if moment is not None), self._received_at)

    def _reject(self, index: int, code: str, reason: str) -> None:
        self.call.body.rejected.append(Rejection(index, code, reason))
