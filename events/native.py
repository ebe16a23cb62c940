"""Grandstand's own format: a JSON array of events, an envelope around one, or NDJSON.

A body is decoded in one go, into core events or else into whole ones. When that fails it is decoded in blocks and,
inside a block that fails, item by item, so that a wrong type costs its own event only. Real players' slips are
mended and counted: 10.0 or 9.6 where an integer is due, times as RFC 3339 text.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from secrets import token_hex
from threading import Lock
from types import GenericAlias
from typing import Any, Final, Literal, cast

import msgspec

from events.crowds import refuse_crowds, refuse_many
from events.event import EVENT_TYPES, Body, CoreEvent, Event, Rejection
from events.limits import LIMITED
from events.timestamps import to_ms
from events.vocabulary import Vocabulary
from shared.errors import InvalidInput

UNREADABLE: Final = 400
BLOCK: Final = 16
"""How many items share one attempt once a body has failed as a whole."""

Decode = Callable[[Any], Any]
Decoders = dict[str, Decode]

NEW_WORD: Final = "Invalid enum value"
NEW_FIELD: Final = "unknown field"
"""How msgspec says that a word, or a field, is none that it was told of."""
WRONG_TYPE: Final = "`, got `"
"""How it says that a value is of another type, rather than beyond a limit."""

_TYPES: Final = {"event_type": Literal.__getitem__(EVENT_TYPES)}


def _fields(kind: type[msgspec.Struct], types: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """The fields of a struct, in order, for another one like it but for the `types` of some."""
    return [(info.name, types.get(info.name, info.type), info.default) for info in msgspec.structs.fields(kind)]


def _hot(types: Mapping[str, Any]) -> type[msgspec.Struct]:
    """Core events of a known type; a body with anything else is for the wider decoders."""
    return msgspec.defstruct(
        "HotEvent",
        _fields(CoreEvent, {**_TYPES, **types}),
        bases=(CoreEvent,),
        kw_only=True,
        gc=False,
        forbid_unknown_fields=True,
    )


_INTEGERS: Final = frozenset(info.name for info in msgspec.structs.fields(Event) if info.type in (int, int | None))


class Envelope(msgspec.Struct, kw_only=True):
    """What is said of all events of a body; they stand beside it in `events`."""

    batch_id: str | None = None
    sent_at: Any = None
    clock_offset_ms: int | float = 0
    consent: Literal["none", "analytics", "personalisation"] | None = None
    child: bool | None = None


class _OfAnotherKind(Exception):
    """An event is valid, and yet none of the kind that was looked for."""


class Native:
    """The decoder for one allow-list of extra fields. `decode` and `decode_lines` raise InvalidInput:
    400 when the body cannot be read, 413 when it holds too many events.
    """

    def __init__(self, extra_fields: Sequence[str] = (), max_events: int = 10_000) -> None:
        self._extra = {f"extra_{i}": name for i, name in enumerate(extra_fields)}
        # `extra` is ours to fill: no sender finds it under its name
        hidden = {"extra": f"extra-{token_hex(16)}"}
        self._max_events = max_events
        wide = msgspec.defstruct(
            "WideEvent",
            [*_fields(Event, {}), *((attribute, Any, msgspec.UNSET) for attribute in self._extra)],
            bases=(Event,),
            kw_only=True,
            gc=False,
            rename=hidden | self._extra,
        )
        self._vocabulary = Vocabulary()
        self._learning = Lock()
        self._fluent = _decoders(_hot(LIMITED))
        self._plain = _decoders(_hot({}))
        self._whole = _decoders(wide)
        self._raw = _decoders(msgspec.Raw)

    def decode(self, data: bytes) -> Body:
        """A JSON array of events, or an object with `events`."""
        start = data[:1] if not data[:1].isspace() else data.lstrip()[:1]
        if not start:
            raise empty()
        if start not in b"[{":
            raise InvalidInput(
                'the body is not JSON in UTF-8; send an array of events or {"events": […]}', reason="unreadable"
            )
        kind = "array" if start == b"[" else "envelope"
        body, why = self._knowing(data, kind)
        if body is None:
            refuse_crowds(data, self._max_events)
            if NEW_FIELD in why:
                body, why = self._attempt(data, self._whole[kind], core=False)
        return body or self._decode_apart(data, self._raw[kind])

    def decode_text(self, data: bytes) -> Body:
        """What `sendBeacon` posts as text: JSON as for `decode`, or NDJSON."""
        lines = [line for line in data.split(b"\n", 2) if line.strip()]
        if not lines or not lines[0].lstrip().startswith(b"{"):
            return self.decode(data)
        try:
            self._raw["envelope"](data)
        except msgspec.ValidationError:
            return self.decode_lines(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if len(lines) > 1 and lines[0].rstrip().endswith(b"}"):
                return self.decode_lines(data)
        return self.decode(data)

    def decode_lines(self, data: bytes) -> Body:
        """NDJSON: one event a line; blank lines count for nothing, and a line that is no JSON is rejected alone."""
        if not data or data.isspace():
            raise empty()
        try:
            body, _ = self._knowing(data, "lines")
        except InvalidInput as error:
            if error.status != UNREADABLE:
                raise
            body = None
        if body is not None:
            return body
        refuse_crowds(data, self._max_events)
        lines = [line for line in data.splitlines() if line.strip()]
        refuse_many(len(lines), self._max_events)
        return self._apart(lines, Body([], ()), alone=True)

    def _knowing(self, data: bytes, kind: str) -> tuple[Body | None, str]:
        """A body of core events alone, of known words and within all limits or else of any; or why it is none."""
        body, why = self._attempt(data, self._fluent[kind], core=True)
        sound = body is not None
        new_word = NEW_WORD in why
        if new_word or _beyond_limits(why):
            body, why = self._attempt(data, self._plain[kind], core=True)
        if body is not None:
            body.sound = sound
            if new_word or self._vocabulary.empty:
                self._learn(body)
        return body, why

    def _learn(self, body: Body) -> None:
        with self._learning:
            if self._vocabulary.learn(body.core):
                self._fluent = _decoders(_hot({**LIMITED, **self._vocabulary.types()}))

    def _attempt(self, data: bytes, decode: Decode, *, core: bool) -> tuple[Body | None, str]:
        """The body, or why it is not of the kind that `decode` takes. Raises InvalidInput when it is no JSON."""
        try:
            return self._body(decode(data), core=core), ""
        except msgspec.ValidationError as error:
            return None, str(error)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise unreadable(error) from None

    def _decode_apart(self, data: bytes, raw: Decode) -> Body:
        try:
            items = raw(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise unreadable(error) from None
        body = Body([], ()) if isinstance(items, list) else _headed(items)
        events = items if isinstance(items, list) else items.events
        refuse_many(len(events), self._max_events)
        return self._apart(events, body, alone=False)

    def _body(self, decoded: Any, *, core: bool) -> Body:
        """A body that was decoded in one go."""
        events = decoded if isinstance(decoded, list) else decoded.events
        refuse_many(len(events), self._max_events)
        body = Body([], range(len(events))) if isinstance(decoded, list) else _headed(decoded)
        body.indices = range(len(events))
        if core:
            body.core = events
        else:
            body.events = events
            self._keep_extra(events)
        return body

    def _apart(self, items: Sequence[bytes], body: Body, *, alone: bool) -> Body:
        """Items one by one, as core events if those that are valid fit them, else as whole ones.

        `alone`: an item that is no JSON is rejected by itself, as a line can be; else it spoils the body.
        """
        try:
            found = self._sorted_out(items, self._fluent, alone=alone)
            body.core, body.sound = cast(list[CoreEvent], found.events), True
        except _OfAnotherKind:
            found = self._sorted_out(items, self._whole, alone=alone)
            body.events = found.events
            self._keep_extra(body.events)
        body.indices, body.rejected, body.normalised = found.indices, found.rejected, found.normalised
        return body

    def _sorted_out(self, items: Sequence[bytes], kind: Decoders, *, alone: bool) -> Body:
        """Items decoded in blocks, and one by one where a block fails. Raises _OfAnotherKind."""
        found, indices = Body([], ()), list[int]()
        for start in range(0, len(items), BLOCK):
            some = items[start : start + BLOCK]
            try:
                events = kind["array"](b"".join((b"[", b",".join(some), b"]")))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                events = []
            if len(events) == len(some):
                found.events += events
                indices += range(start, start + len(some))
                continue
            for index, item in enumerate(some, start):
                event = self._one(item, index, kind, found, alone=alone)
                if event is not None:
                    found.events.append(event)
                    indices.append(index)
        found.indices = indices
        return found

    def _one(self, item: bytes, index: int, kind: Decoders, found: Body, *, alone: bool) -> Event | None:
        try:
            return cast(Event, kind["item"](item))
        except msgspec.ValidationError as error:
            return self._mend(item, error, index, kind, found, alone=alone)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            _spoilt(error, index, found, alone=alone)
            return None

    def _mend(
        self, item: bytes, fault: msgspec.ValidationError, index: int, kind: Decoders, found: Body, *, alone: bool
    ) -> Event | None:
        try:
            fields = msgspec.json.decode(item)
        except msgspec.ValidationError:
            found.rejected.append(rejection(index, fault))
            return None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            _spoilt(error, index, found, alone=alone)
            return None
        mended = _mended(fields, found)
        try:
            whole = self._whole["fields"](mended)
        except msgspec.ValidationError as error:
            found.rejected.append(rejection(index, error))
            return None
        try:
            return cast(Event, whole if kind is self._whole else kind["fields"](mended))
        except msgspec.ValidationError:
            raise _OfAnotherKind from None

    def _keep_extra(self, events: Sequence[Event]) -> None:
        """Move the fields of the allow-list to `extra`."""
        if not self._extra:
            return
        names = tuple(self._extra.items())
        for event in events:
            kept = {name: value for key, name in names if (value := getattr(event, key)) is not msgspec.UNSET}
            event.extra = kept or None


def empty() -> InvalidInput:
    """There is nothing in the body."""
    return InvalidInput("the body is empty; send a JSON array of events, or one a line", reason="empty")


def unreadable(error: Exception) -> InvalidInput:
    """The whole body cannot be read as JSON."""
    if isinstance(error, RecursionError):
        return InvalidInput("the JSON is nested too deep; events are flat objects", reason="unreadable")
    if isinstance(error, UnicodeDecodeError):
        return InvalidInput("the JSON is not UTF-8; encode it as UTF-8", reason="unreadable")
    return InvalidInput(f'send a JSON array of events or {{"events": […]}}: {error}', reason="unreadable")


def _line_unreadable(error: Exception) -> str:
    if isinstance(error, msgspec.DecodeError):
        return f"the line is not JSON: {error}"
    return f"the line is not JSON: {unreadable(error).detail}"


def rejection(index: int, error: msgspec.ValidationError) -> Rejection:
    """Why one event failed its types, with the field named first."""
    text, _, where = str(error).partition(" - at `$")
    field = where.rstrip("`").lstrip(".")
    if "missing required field" in text:
        return Rejection(index, "missing", text.replace("Object missing", "missing"))
    return Rejection(index, "wrong_type", f"{field}: {text}" if field else text)


def _beyond_limits(why: str) -> bool:
    return why.startswith("Expected ") and WRONG_TYPE not in why


def _spoilt(error: Exception, index: int, body: Body, *, alone: bool) -> None:
    """Reject what is no JSON by itself, or the whole body with it."""
    if not alone:
        raise unreadable(error) from None
    body.rejected.append(Rejection(index, "unreadable", _line_unreadable(error)))


def _decoders(kind: Any) -> Decoders:
    """What decodes an array of this kind of item, an envelope around one, one a line, a single one, and one that is
    JSON no more.
    """
    items = GenericAlias(list, (kind,))
    envelope = msgspec.defstruct("EnvelopeOf", [("events", items)], bases=(Envelope,), kw_only=True)
    return {
        "array": msgspec.json.Decoder(items).decode,
        "envelope": msgspec.json.Decoder(envelope).decode,
        "lines": msgspec.json.Decoder(kind).decode_lines,
        "item": msgspec.json.Decoder(kind).decode,
        "fields": partial(msgspec.convert, type=kind),
    }


def _headed(envelope: Any) -> Body:
    """An empty body with what the envelope says of all events."""
    sent_at = to_ms(envelope.sent_at)
    if envelope.sent_at is not None and sent_at is None:
        raise InvalidInput("sent_at must be RFC 3339 or ms since epoch", reason="wrong-type")
    return Body(
        [],
        (),
        batch_id=envelope.batch_id,
        sent_at=sent_at,
        clock_offset_ms=round(envelope.clock_offset_ms),
        consent=envelope.consent,
        child=envelope.child,
    )


def _mended(fields: Any, body: Body) -> Any:
    """The item with decimals rounded where integers are due, and any known form of time as ms."""
    if not isinstance(fields, dict):
        return fields
    for name in _INTEGERS & fields.keys():
        value = fields[name]
        if isinstance(value, float):
            fields[name] = math.floor(value + 0.5)
            rule = "whole_decimal" if value.is_integer() else "decimal_for_integer"
            body.normalised[rule] = body.normalised.get(rule, 0) + 1
    moment = fields.get("event_timestamp")
    if isinstance(moment, str) and (ms := to_ms(moment)) is not None:
        fields["event_timestamp"] = ms
        body.normalised["time_format"] = body.normalised.get("time_format", 0) + 1
    return fields
