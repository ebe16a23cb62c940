"""An item as a Firestore document: its id, its fields and its version.

A document's id is a hash of the partition, so that partitions spread, then partition and sort key in hexadecimal,
which any character may stand in and which sorts as the bytes do. Each write carries a random `nonce`: Firestore keeps
the update time of a write that changes nothing, and it tells our own write apart when an answer was lost. `ttl` is
when the item expires, for Firestore's own deletion too.
"""

from __future__ import annotations

import re
import secrets
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from adapters.common.limits import key_bytes
from shared.errors import CorruptData
from shared.ports import Item

NONCE_BYTES: Final = 9
BEHIND: Final = "g"
"""Sorts after every hexadecimal digit."""
_VERSION: Final = re.compile(r"(\d{1,17})(?:-(\d+))?", re.ASCII)
_GONE: Final = ("document to update", "entity to update")


class Version(NamedTuple):
    """When a document was last written, in microseconds since epoch, and when it expires, in ms."""

    updated: int
    expires_at: int | None

    def __str__(self) -> str:
        return str(self.updated) if self.expires_at is None else f"{self.updated}-{self.expires_at}"

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """None where it is no version of ours."""
        found = _VERSION.fullmatch(text)
        if found is None:
            return None
        updated, expires_at = found.groups()
        return cls(int(updated), int(expires_at) if expires_at else None)

    def expired(self, now_ms: int) -> bool:
        return self.expires_at is not None and self.expires_at <= now_ms


def fill(fields: Any, value: bytes, expires_at: int | None) -> None:
    """Set the fields of a document that is to be written."""
    fields["value"].bytes_value = bytes(value)
    fields["nonce"].bytes_value = secrets.token_bytes(NONCE_BYTES)
    if expires_at is not None:
        fields["ttl"].timestamp_value.FromMilliseconds(expires_at)


def is_conflict(code: Any, details: str) -> bool:
    """Whether a refusal of a conditional write means that its condition does not hold."""
    match code.name:
        case "ALREADY_EXISTS":
            return True
        case "FAILED_PRECONDITION":
            return "Datastore Mode" not in details  # a database that is not ours to use at all
        case "NOT_FOUND":
            return any(words in details for words in _GONE)
        case _:
            return False


def item_of(partition: str, sort: str, document: Any) -> Item:
    """Raises CorruptData where somebody else wrote the document."""
    fields = document.fields
    if "value" not in fields:
        raise CorruptData(f"{document.name} was not written by us: it has no value. Delete the document.")
    version = version_of(document)
    return Item(partition, sort, fields["value"].bytes_value, str(version), version.expires_at)


def version_of(document: Any) -> Version:
    ttl = document.fields["ttl"].timestamp_value.ToMilliseconds() if "ttl" in document.fields else None
    return Version(micros(document.update_time), ttl)


def nonce_of(document: Any) -> bytes:
    nonce: bytes = document.fields["nonce"].bytes_value
    return nonce


def micros(timestamp: Any) -> int:
    """Since epoch."""
    return int(timestamp.seconds * 1_000_000 + timestamp.nanos // 1_000)


def prefix_of(partition: str) -> str:
    """What the ids of a partition's documents begin with. Raises ValueError past the limits, as `id_of` does."""
    key = key_bytes(partition)
    return f"{blake2b(key, digest_size=4).hexdigest()}{key.hex()}-"


def id_of(partition: str, sort: str) -> str:
    return prefix_of(partition) + key_bytes(sort).hex()


def sort_of(name: str) -> str:
    """The sort key of a document, by its name."""
    return bytes.fromhex(name.rpartition("-")[2]).decode()
