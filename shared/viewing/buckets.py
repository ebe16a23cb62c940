"""Viewers are kept in buckets by a hash of their pseudonym, so that many are written and read at once."""

from typing import Final

from shared.hashing import BUCKET_SEED, mix, viewer_hash

BUCKETS: Final = 64


def bucket_of(pseudonym: bytes) -> int:
    """The bucket of a viewer, 0 to 63."""
    return mix(viewer_hash(pseudonym), BUCKET_SEED) % BUCKETS
