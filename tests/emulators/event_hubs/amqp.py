"""AMQP 1.0 values and their bytes (OASIS amqp-core-types-v1.0, sections 1.2 and 1.6)."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

Value = Any
"""What an AMQP value is here: a Python value, or one of the classes below where Python has no type of its own."""


class Symbol(str):
    """An ASCII word of the protocol's own."""


class UByte(int):
    """8 bits, not negative."""


class UShort(int):
    """16 bits, not negative."""


class UInt(int):
    """32 bits, not negative."""


class ULong(int):
    """64 bits, not negative."""


class Timestamp(int):
    """Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Described:
    """A value with a descriptor that says what it means: a number, or a symbol."""

    descriptor: Value
    value: Value


_FIXED: Final = {UByte: (b"\x50", ">B"), UShort: (b"\x60", ">H"), UInt: (b"\x70", ">I"), Timestamp: (b"\x83", ">q")}
_SIGNED_LONG: Final = 0x81
_DOUBLE: Final = 0x82
_UUID: Final = 0x98

_CONSTANTS: Final[dict[int, Value]] = {0x40: None, 0x41: True, 0x42: False, 0x43: UInt(0), 0x44: ULong(0), 0x45: []}
_NUMBERS: Final[dict[int, tuple[str, type]]] = {
    0x50: (">B", UByte),
    0x51: (">b", int),
    0x52: (">B", UInt),
    0x53: (">B", ULong),
    0x54: (">b", int),
    0x55: (">b", int),
    0x56: (">?", bool),
    0x60: (">H", UShort),
    0x61: (">h", int),
    0x70: (">I", UInt),
    0x71: (">i", int),
    0x72: (">f", float),
    0x80: (">Q", ULong),
    0x81: (">q", int),
    0x82: (">d", float),
    0x83: (">q", Timestamp),
}
_BYTES, _TEXT, _SYMBOL = (0xA0, 0xB0), (0xA1, 0xB1), (0xA3, 0xB3)
_LISTS, _MAPS, _ARRAYS = (0xC0, 0xD0), (0xC1, 0xD1), (0xE0, 0xF0)
_SMALL: Final = frozenset({0xA0, 0xA1, 0xA3, 0xC0, 0xC1, 0xE0})
"""Whose size takes one byte; the others' takes four."""


def encode(value: Value) -> bytes:
    """A value's bytes. Raises TypeError for what AMQP has no type for."""
    for kinds, encoder in _ENCODERS:
        if isinstance(value, kinds):
            return encoder(value)
    raise TypeError(f"AMQP has no type for {type(value).__name__}")


def decode(data: bytes, at: int = 0) -> tuple[Value, int]:
    """The value that starts at `at`, and where the next one does. Raises ValueError for bytes that are none."""
    return _decode_as(data[at], data, at + 1)


def values(data: bytes) -> Iterator[tuple[Value, bytes]]:
    """Every value of some bytes, each with the bytes it was made of."""
    at = 0
    while at < len(data):
        value, end = decode(data, at)
        yield value, data[at:end]
        at = end


def _encode_constant(value: bool | None) -> bytes:
    return b"\x40" if value is None else b"\x41" if value else b"\x42"


def _encode_described(value: Described) -> bytes:
    descriptor = ULong(value.descriptor) if type(value.descriptor) is int else value.descriptor
    return b"\x00" + encode(descriptor) + encode(value.value)


def _encode_text(value: str) -> bytes:
    return _encode_sized(_SYMBOL if isinstance(value, Symbol) else _TEXT, value.encode())


def _encode_map(value: dict[Value, Value]) -> bytes:
    return _encode_compound(_MAPS[1], [part for pair in value.items() for part in pair])


def _encode_number(value: float) -> bytes:
    if isinstance(value, ULong):
        return struct.pack(">BB", 0x53, value) if value < 256 else struct.pack(">BQ", 0x80, value)
    for kind, (code, layout) in _FIXED.items():
        if isinstance(value, kind):
            return code + struct.pack(layout, value)
    if isinstance(value, int):
        return struct.pack(">Bq", _SIGNED_LONG, value)
    return struct.pack(">Bd", _DOUBLE, value)


def _encode_sized(codes: tuple[int, int], data: bytes) -> bytes:
    if len(data) < 256:
        return bytes([codes[0], len(data)]) + data
    return struct.pack(">BI", codes[1], len(data)) + data


def _encode_compound(code: int, items: list[Value] | tuple[Value, ...]) -> bytes:
    body = b"".join(map(encode, items))
    return struct.pack(">BII", code, len(body) + 4, len(items)) + body


_ENCODERS: Final[tuple[tuple[tuple[type, ...], Callable[[Any], bytes]], ...]] = (
    ((type(None), bool), _encode_constant),
    ((Described,), _encode_described),
    ((int, float), _encode_number),
    ((UUID,), lambda value: bytes([_UUID]) + value.bytes),
    ((str,), _encode_text),
    ((bytes, bytearray, memoryview), lambda value: _encode_sized(_BYTES, bytes(value))),
    ((dict,), _encode_map),
    ((list, tuple), lambda value: _encode_compound(_LISTS[1], value)),
)
"""In this order: a bool is an int, and a Symbol a str."""


def _decode_as(code: int, data: bytes, at: int) -> tuple[Value, int]:
    if code == 0x00:
        descriptor, at = decode(data, at)
        value, at = decode(data, at)
        return Described(descriptor, value), at
    if code in _CONSTANTS:
        return [] if code == 0x45 else _CONSTANTS[code], at
    if code in _NUMBERS:
        layout, kind = _NUMBERS[code]
        return kind(struct.unpack_from(layout, data, at)[0]), at + struct.calcsize(layout)
    if code == _UUID:
        return UUID(bytes=data[at : at + 16]), at + 16
    if code in (*_BYTES, *_TEXT, *_SYMBOL):
        return _decode_sized(code, data, at)
    if code in (*_LISTS, *_MAPS, *_ARRAYS):
        return _decode_compound(code, data, at)
    raise ValueError(f"0x{code:02x} is no AMQP type")


def _size(code: int, data: bytes, at: int) -> tuple[int, int]:
    if code in _SMALL:
        return data[at], at + 1
    return struct.unpack_from(">I", data, at)[0], at + 4


def _decode_sized(code: int, data: bytes, at: int) -> tuple[Value, int]:
    size, at = _size(code, data, at)
    raw, end = bytes(data[at : at + size]), at + size
    if code in _BYTES:
        return raw, end
    return (Symbol if code in _SYMBOL else str)(raw.decode()), end


def _decode_compound(code: int, data: bytes, at: int) -> tuple[Value, int]:
    size, at = _size(code, data, at)
    end = at + size
    count, at = _size(code, data, at)
    items: list[Value] = []
    element = None
    if code in _ARRAYS:
        element, at = data[at], at + 1
    for _ in range(count):
        item, at = decode(data, at) if element is None else _decode_as(element, data, at)
        items.append(item)
    return (dict(zip(items[::2], items[1::2], strict=True)) if code in _MAPS else items), end
