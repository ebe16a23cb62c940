"""The secrets that the suite cannot run without, with fresh random values, put where they are missing."""

import secrets
from collections.abc import Callable
from typing import Any

import orjson

Put = Callable[[str, str], bool]
"""Stores a secret that has no value yet, by its name; whether it had none. Never replaces one.

What a lost key wrote can no longer be read, so a store that cannot tell raises Unavailable or Misconfigured.
"""


def fresh_secrets() -> dict[str, Any]:
    """Each secret by name: text, or what is stored as JSON.

    No write, publish or operator key is made: on loopback none is needed, elsewhere an operator chooses them.
    """
    return {
        "pseudonym-keys": [{"id": "1", "from_ms": 0, "key_hex": secrets.token_hex(32)}],
        "dead-letter-key": secrets.token_hex(32),
        "viewer-token": secrets.token_urlsafe(32),
        "write-keys": {},
        "publish-keys": {},
        "operator-keys": {},
    }


def put_missing(put: Put) -> dict[str, bool]:
    """Give every secret a value that has none; by name, whether it had none. After a crash it makes the rest."""
    return {
        name: put(name, value if isinstance(value, str) else orjson.dumps(value).decode())
        for name, value in fresh_secrets().items()
    }
