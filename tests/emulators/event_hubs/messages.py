"""AMQP messages as Event Hubs stores and hands them out (OASIS amqp-core-messaging-v1.0, section 3.2)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.emulators.event_hubs.amqp import Described, Symbol, Timestamp, Value, encode, values

DELIVERY_ANNOTATIONS: Final = 0x71
ANNOTATIONS: Final = 0x72
PROPERTIES: Final = 0x73
APPLICATION_PROPERTIES: Final = 0x74
DATA: Final = 0x75
AMQP_VALUE: Final = 0x77
HEADER: Final = 0x70
BATCH_FORMAT: Final = 0x80013700
"""The message format of a batch: each data section is a message of its own."""
PARTITION_KEY: Final = Symbol("x-opt-partition-key")
SEQUENCE_NUMBER: Final = Symbol("x-opt-sequence-number")
OFFSET: Final = Symbol("x-opt-offset")
ENQUEUED_TIME: Final = Symbol("x-opt-enqueued-time")


def sections(message: bytes) -> dict[int, list[Value]]:
    """What a message's sections hold, by their descriptors."""
    found: dict[int, list[Value]] = {}
    for section, _ in values(message):
        found.setdefault(int(section.descriptor), []).append(section.value)
    return found


def unpack(message: bytes, message_format: int) -> tuple[str | None, Sequence[bytes]]:
    """A sent message's partition key, and the events that it carries."""
    parts = sections(message)
    annotations: Mapping[str, Any] = (parts.get(ANNOTATIONS) or [{}])[0]
    key = annotations.get(PARTITION_KEY)
    return key, parts.get(DATA, []) if message_format == BATCH_FORMAT else [message]


def event(body: bytes) -> bytes:
    """An event of nothing but its body."""
    return encode(Described(DATA, body))


def stamped(message: bytes, *, sequence_number: int, offset: str, enqueued_ms: int, key: str | None) -> bytes:
    """An event as a receiver gets it: with its place in the log, without the header of its sender."""
    annotations: dict[str, Value] = {}
    rest = b""
    for section, raw in values(message):
        if section.descriptor == ANNOTATIONS:
            annotations.update(section.value)
        elif section.descriptor not in (HEADER, DELIVERY_ANNOTATIONS):
            rest += raw
    annotations[SEQUENCE_NUMBER] = sequence_number
    annotations[OFFSET] = offset
    annotations[ENQUEUED_TIME] = Timestamp(enqueued_ms)
    if key is not None:
        annotations[PARTITION_KEY] = key
    return encode(Described(ANNOTATIONS, annotations)) + rest


def answer(request: Mapping[int, list[Value]], status: int, description: str, body: Value = None) -> bytes:
    """The answer to a request of the management protocol."""
    properties = (request.get(PROPERTIES) or [[None]])[0]
    correlation = [None, None, None, None, None, properties[0]]
    return b"".join(
        [
            encode(Described(PROPERTIES, correlation)),
            encode(Described(APPLICATION_PROPERTIES, {"status-code": status, "status-description": description})),
            encode(Described(AMQP_VALUE, body)),
        ]
    )
