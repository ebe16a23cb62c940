"""The limits that `shared/ports.py` sets, checked alike by every provider. Each raises ValueError that says which."""

from collections.abc import Sequence

from shared.ports import (
    MAX_BATCH_GET,
    MAX_KEY_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_NAME_BYTES,
    MAX_VALUE_BYTES,
    Key,
)


def key_bytes(part: str) -> bytes:
    """A partition or sort key in UTF-8."""
    encoded = part.encode()
    if not 1 <= len(encoded) <= MAX_KEY_BYTES:
        raise ValueError(f"a key has 1 to {MAX_KEY_BYTES} bytes in UTF-8, this one {len(encoded)}")
    return encoded


def name_bytes(name: str) -> bytes:
    """An object's name in UTF-8."""
    encoded = name.encode()
    if not 1 <= len(encoded) <= MAX_NAME_BYTES:
        raise ValueError(f"an object's name has 1 to {MAX_NAME_BYTES} bytes in UTF-8, this one {len(encoded)}")
    return encoded


def check_value(value: bytes) -> None:
    """A table's value."""
    if len(value) > MAX_VALUE_BYTES:
        raise ValueError(f"a value has at most {MAX_VALUE_BYTES} bytes, this one {len(value)}")


def check_message(body: bytes) -> None:
    """A queue's message."""
    if len(body) > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message has at most {MAX_MESSAGE_BYTES} bytes, this one {len(body)}")


def check_batch(keys: Sequence[Key]) -> None:
    """The keys of a `batch_get`."""
    if len(keys) > MAX_BATCH_GET:
        raise ValueError(f"{len(keys)} keys; batch_get takes at most {MAX_BATCH_GET}")


def check_page(limit: int) -> None:
    """How many items a query asks for."""
    if limit < 1:
        raise ValueError(f"limit={limit}; a page has at least one item")
