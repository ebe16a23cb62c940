"""AMQP 1.0 frames (OASIS amqp-core-transport-v1.0, section 2): performatives by the names of their fields."""

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from tests.emulators.event_hubs.amqp import Described, Symbol, Value, decode, encode

PROTOCOL_HEADER_BYTES: Final = 8
MAX_FRAME_BYTES: Final = 1 << 20
_HEADER: Final = struct.Struct(">IBBH")


class Performative(IntEnum):
    """What a frame asks for, by its descriptor."""

    OPEN = 0x10
    BEGIN = 0x11
    ATTACH = 0x12
    FLOW = 0x13
    TRANSFER = 0x14
    DISPOSITION = 0x15
    DETACH = 0x16
    END = 0x17
    CLOSE = 0x18
    SASL_MECHANISMS = 0x40
    SASL_INIT = 0x41
    SASL_OUTCOME = 0x44


FIELDS: Final[Mapping[Performative, tuple[str, ...]]] = {
    kind: tuple(names.split())
    for kind, names in {
        Performative.OPEN: "container_id hostname max_frame_size channel_max idle_time_out outgoing_locales"
        " incoming_locales offered_capabilities desired_capabilities properties",
        Performative.BEGIN: "remote_channel next_outgoing_id incoming_window outgoing_window handle_max"
        " offered_capabilities desired_capabilities properties",
        Performative.ATTACH: "name handle role snd_settle_mode rcv_settle_mode source target unsettled"
        " incomplete_unsettled initial_delivery_count max_message_size offered_capabilities desired_capabilities"
        " properties",
        Performative.FLOW: "next_incoming_id incoming_window next_outgoing_id outgoing_window handle delivery_count"
        " link_credit available drain echo properties",
        Performative.TRANSFER: "handle delivery_id delivery_tag message_format settled more rcv_settle_mode state"
        " resume aborted batchable",
        Performative.DISPOSITION: "role first last settled state batchable",
        Performative.DETACH: "handle closed error",
        Performative.END: "error",
        Performative.CLOSE: "error",
        Performative.SASL_MECHANISMS: "sasl_server_mechanisms",
        Performative.SASL_INIT: "mechanism initial_response hostname",
        Performative.SASL_OUTCOME: "code additional_data",
    }.items()
}
_SASL: Final = frozenset({Performative.SASL_MECHANISMS, Performative.SASL_INIT, Performative.SASL_OUTCOME})
ERROR: Final = 0x1D
ACCEPTED: Final = 0x24
REJECTED: Final = 0x25


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; every field of its performative is there, None where the sender left it out."""

    channel: int
    kind: Performative
    fields: Mapping[str, Value]
    payload: bytes = b""

    def __getitem__(self, name: str) -> Value:
        return self.fields[name]


def pack(channel: int, kind: Performative, payload: bytes = b"", **fields: Value) -> bytes:
    """A frame's bytes. Fields that are not given are written as null: the SDK indexes them without looking."""
    values = [fields.get(name) for name in FIELDS[kind]]
    body = encode(Described(int(kind), values)) + payload
    return _HEADER.pack(_HEADER.size + len(body), 2, 1 if kind in _SASL else 0, channel) + body


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame, None for one that only keeps the connection alive. Raises IncompleteReadError at the end."""
    size, offset, _, channel = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    body = await reader.readexactly(size - _HEADER.size)
    body = body[offset * 4 - _HEADER.size :]
    if not body:
        return None
    described, end = decode(body)
    kind = Performative(described.descriptor)
    names = FIELDS[kind]
    given = described.value
    fields = dict(zip(names, [*given, *[None] * (len(names) - len(given))], strict=True))
    return Frame(channel, kind, fields, body[end:])


def error(condition: str, description: str) -> Described:
    """What went wrong, as a detach or a rejection carries it."""
    return Described(ERROR, [Symbol(condition), description, None])
