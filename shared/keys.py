"""How contents are named inside keys."""

from hashlib import blake2b
from typing import Final

MAX_PLAIN_BYTES: Final = 96
"""Event Hubs' partition keys end at 128 characters; what is longer travels as a hash."""


def content_key(content_id: str) -> str:
    """The content's name inside partition and state keys: itself, or `~` and a 128-bit hash when it is long.

    A plain id that begins with `~` is hashed too, so that no id can pose as another's hash.
    """
    encoded = content_id.encode()
    if len(encoded) <= MAX_PLAIN_BYTES and not content_id.startswith("~"):
        return content_id
    return "~" + blake2b(encoded, digest_size=16).hexdigest()


def partition_key(content_id: str, k: int) -> str:
    """The stream's partition key and the head of a state's key."""
    return f"{content_key(content_id)}#{k}"
