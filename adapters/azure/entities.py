"""Items as entities of Azure Table storage.

Partition and sort keys are the hex digits of their UTF-8 bytes: no character is refused that way, their order is that
of the bytes under any collation, and 256 bytes fill the 512 characters (1 KiB) that a key may have. An entity holds
`e`, when it expires (ms since epoch, `NEVER` for never), the value in Binary properties `v0`, `v1`, … of 64 KiB, and
in `n` a nonce, which tells our own write apart when its answer was lost.

A version is `e` and the entity's ETag, which is the service's time of the write to 100 ns, and so another one after a
delete too.
"""

from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any, Final

from adapters.common.limits import check_value, key_bytes
from shared.ports import MAX_KEY_BYTES, Item

NEVER: Final = (1 << 63) - 1
EXPIRES: Final = "e"
NONCE: Final = "n"
NONCE_BYTES: Final = 9
MAX_PROPERTY_BYTES: Final = 64 * 1024
_ETAG_START: Final = 'W/"'

Entity = Mapping[str, Any]


def escaped(key: str) -> str:
    """A key as the service has it. Raises ValueError past the limits."""
    return key_bytes(key).hex()


def escaped_bound(key: str) -> str:
    """An end of a range, which may be empty, or longer than a key."""
    return key.encode()[: MAX_KEY_BYTES + 1].hex()


def entity_of(partition: str, sort: str, value: bytes, expires_at: int | None) -> dict[str, Any]:
    """What is stored for an item. Raises ValueError past the limits."""
    check_value(value)
    pieces = (value[at : at + MAX_PROPERTY_BYTES] for at in range(0, len(value), MAX_PROPERTY_BYTES))
    return {
        "PartitionKey": escaped(partition),
        "RowKey": escaped(sort),
        EXPIRES: (NEVER if expires_at is None else max(expires_at, 0), "Edm.Int64"),
        NONCE: token_urlsafe(NONCE_BYTES),
        **{f"v{number}": piece for number, piece in enumerate(pieces)},
    }


def item_of(entity: Entity) -> Item:
    """The item in an entity, expired or not."""
    pieces: list[bytes] = []
    while (piece := entity.get(f"v{len(pieces)}")) is not None:
        pieces.append(piece)
    expires = expires_of(entity)
    return Item(
        bytes.fromhex(entity["PartitionKey"]).decode(),
        bytes.fromhex(entity["RowKey"]).decode(),
        b"".join(pieces),
        version_of(entity, etag_of(entity)),
        None if expires == NEVER else expires,
    )


def expires_of(entity: Entity) -> int:
    """When it expires, in ms since epoch; `NEVER` for never."""
    return int(entity[EXPIRES][0])


def etag_of(entity: Entity) -> str:
    """Of an entity that was read."""
    etag: str = entity.metadata["etag"]  # type: ignore[attr-defined]
    return etag


def version_of(entity: Entity, etag: str) -> str:
    """An item's version."""
    return f"{expires_of(entity)}:{etag}"


def etag_in(version: str, now_ms: int) -> str | None:
    """The ETag inside a version; None when the version's item has expired, or there never was one."""
    expires, _, etag = version.partition(":")
    ours = etag.startswith(_ETAG_START) and expires.isdigit()
    return etag if ours and int(expires) > now_ms else None
