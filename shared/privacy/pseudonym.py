"""Viewer and session ids become keyed BLAKE2b-128 pseudonyms before anything is written.

The secret `pseudonym-keys` is a JSON list `[{"id": "k1", "from_ms": 0, "key_hex": "…"}, …]`. The key that holds at
the start of an event's own window makes its pseudonyms, so a retry after a rotation meets the same ones. A key
is therefore added ahead of time: `from_ms` lies later than the newest event that ingest accepts.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from shared.errors import Misconfigured
from shared.units import WINDOW_MS

PSEUDONYM_BYTES: Final = 16
SECRET: Final = "pseudonym-keys"  # noqa: S105, a secret's name
CACHED_IDS: Final = 32_768


class StoredKey(msgspec.Struct, forbid_unknown_fields=True):
    """A key as the secret holds it: `key_hex` is 16 to 64 bytes in hexadecimal."""

    id: str
    from_ms: int
    key_hex: str


class Key(NamedTuple):
    """A key and the first window (start // 5,000) whose events it serves."""

    id: str
    from_window: int
    secret: bytes


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys in the order in which they serve."""

    keys: tuple[Key, ...]
    starts: tuple[int, ...]

    def at(self, window: int) -> Key:
        """The key of a window's events; the first key also serves what is older than itself."""
        return self.keys[max(bisect_right(self.starts, window) - 1, 0)]


@lru_cache(maxsize=8)
def load_key_ring(secret: bytes) -> KeyRing:
    """The keys of the secret `pseudonym-keys`. Raises Misconfigured."""
    try:
        stored = msgspec.json.decode(secret, type=list[StoredKey])
        keys = sorted(
            (Key(each.id, -(-each.from_ms // WINDOW_MS), bytes.fromhex(each.key_hex)) for each in stored),
            key=lambda key: key.from_window,
        )
    except (msgspec.MsgspecError, ValueError) as error:
        raise Misconfigured(
            f'the secret {SECRET} must be a JSON list of {{"id", "from_ms", "key_hex"}}: {type(error).__name__}'
        ) from None
    if not keys or any(not 16 <= len(key.secret) <= 64 for key in keys):
        raise Misconfigured(f"the secret {SECRET} needs one key or more, each of 16 to 64 bytes in hexadecimal")
    if len({key.id for key in keys}) != len(keys):
        raise Misconfigured(f"the secret {SECRET} names a key id twice; give each key an id of its own")
    return KeyRing(tuple(keys), tuple(key.from_window for key in keys))


def pseudonym(secret: bytes, identifier: str) -> bytes:
    """16 bytes that stand for a viewer or session id. Source: RFC 7693, BLAKE2b with a key."""
    return blake2b(identifier.encode(), digest_size=PSEUDONYM_BYTES, key=secret).digest()


class Pseudonyms:
    """Pseudonyms under one key; those of the ids met last are kept in memory, in two generations."""

    def __init__(self, key: Key, cached_ids: int = CACHED_IDS) -> None:
        self.key = key
        self._young: dict[str, bytes] = {}
        self._old: dict[str, bytes] = {}
        self._cached_ids = cached_ids
        self._keyed = blake2b(digest_size=PSEUDONYM_BYTES, key=key.secret)

    def of_all(self, identifiers: Sequence[str]) -> list[bytes]:
        """The ids' pseudonyms."""
        try:
            return list(map(self._young.__getitem__, identifiers))
        except KeyError:
            return list(map(self.of, identifiers))

    def of(self, identifier: str) -> bytes:
        """The id's pseudonym."""
        known = self._young.get(identifier)
        if known is not None:
            return known
        known = self._old.get(identifier)
        if known is None:
            keyed = self._keyed.copy()
            keyed.update(identifier.encode())
            known = keyed.digest()
        if len(self._young) >= self._cached_ids:
            self._young, self._old = {}, self._young
        self._young[identifier] = known
        return known
