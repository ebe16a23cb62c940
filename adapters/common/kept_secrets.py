"""Secrets of a cloud's vault, kept for a minute so that a rotation needs no restart."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from shared.errors import Unavailable

KEPT_SECONDS: Final = 60.0
TRY_AGAIN_SECONDS: Final = 5.0
"""How long an old value serves before the next look, while there is no answer."""

Known = tuple[bytes, float]
"""A value, and until when it serves without another look."""


class KeptSecrets:
    """`shared.ports.Secrets` over `read`. While the vault cannot answer, what was read last serves on."""

    def __init__(self, read: Callable[[str], bytes], *, now: Callable[[], float] = time.monotonic) -> None:
        """`read` raises Unavailable or Misconfigured."""
        self._read = read
        self._now = now
        self._lock = Lock()
        self._known: dict[str, Known] = {}

    def get(self, name: str) -> bytes:
        known = self._known.get(name)
        if known is not None and self._now() < known[1]:
            return known[0]
        if known is not None and self._lock.locked():
            return known[0]  # another thread asks already
        with self._lock:
            known = self._known.get(name)
            if known is None or self._now() >= known[1]:
                known = self._known[name] = self._renewed(name, known)
        return known[0]

    def _renewed(self, name: str, known: Known | None) -> Known:
        try:
            return self._read(name), self._now() + KEPT_SECONDS
        except Unavailable:
            if known is None:
                raise
            return known[0], self._now() + TRY_AGAIN_SECONDS
