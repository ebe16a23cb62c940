"""Dirty marks: which minutes and hours of a content must be rolled up anew.

A mark is put before the states it speaks of are written. So a mark that the roller sees may be older or younger than
the states: the roller first notes on it when it saw it, and rolls up and clears it only when it has stayed as it is
for longer than a writer may live between the two. Who marks anew meanwhile writes over the note. A crash anywhere
leaves a mark too many, never one too few.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

import msgspec

from shared.errors import CorruptData
from shared.keys import content_key
from shared.ports import Item, Key, Table

DIRTY_TABLE: Final = "dirty"
SHARDS: Final = 16
MINUTE: Final = "1m"
HOUR: Final = "1h"


class Mark(msgspec.Struct, array_like=True, frozen=True):
    """A content's minute or hour, and when a roller first saw the mark (ms since epoch), once one has."""

    content_id: str
    number: int
    seen_at: int | None = None


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Mark)


def partitions() -> list[str]:
    """Every partition that marks may lie in."""
    return [f"dirty#{shard:02x}" for shard in range(SHARDS)]


def dirty_key(content_id: str, resolution: str, number: int) -> Key:
    """Where the mark of a content's minute or hour (its time since epoch, in minutes or hours) lies.

    The end of the sort key has a fixed form, so no content id needs escaping.
    """
    name = content_key(content_id)
    shard = blake2b(name.encode(), digest_size=8).digest()[0] % SHARDS
    return f"dirty#{shard:02x}", f"{name}|{resolution}|{number:010d}"


def put_dirty(table: Table, content_id: str, resolution: str, numbers: Iterable[int]) -> None:
    """Say that these minutes or hours of the content are to be rolled up anew."""
    for number in numbers:
        table.put(*dirty_key(content_id, resolution, number), _encode(Mark(content_id, number)))


def read_dirty(value: bytes) -> Mark:
    """A stored mark. Raises CorruptData."""
    try:
        return _decoder.decode(value)
    except msgspec.MsgspecError as error:
        raise CorruptData(f"a dirty mark cannot be read: {error}") from None


def note_seen(table: Table, item: Item, mark: Mark, now_ms: int) -> None:
    """Note on a mark when it was seen. Raises VersionConflict when it was put anew meanwhile."""
    seen = Mark(mark.content_id, mark.number, now_ms)
    table.put(item.partition, item.sort, _encode(seen), if_version=item.version)
