"""Trying again where that may help: exponential backoff with full jitter.

Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015.
"""

import time
from collections.abc import Callable
from random import SystemRandom
from typing import Final, TypeVar

T = TypeVar("T")

ATTEMPTS: Final = 5
FIRST_SECONDS: Final = 0.05
LONGEST_SECONDS: Final = 2.0
_CHANCE: Final = SystemRandom()
"""The operating system's, which a snapshot of the process does not repeat."""


def pause_seconds(attempt: int, first: float = FIRST_SECONDS, longest: float = LONGEST_SECONDS) -> float:
    """How long to wait after the attempt (0, 1, …) failed: at random up to twice as long each time."""
    return _CHANCE.uniform(0, min(longest, first * 2**attempt))


def retry(
    call: Callable[[], T],
    transient: type[Exception] | tuple[type[Exception], ...],
    *,
    attempts: int = ATTEMPTS,
    first: float = FIRST_SECONDS,
    longest: float = LONGEST_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What `call` returns; tried again after a `transient` error. Raises the last one, and any other at once."""
    for attempt in range(attempts - 1):
        try:
            return call()
        except transient:
            sleep(pause_seconds(attempt, first, longest))
    return call()
