"""The plot: when viewers come, when play pauses, when it ends. It is scaled to the length of the run."""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.errors import InvalidInput

KICK_OFF: Final = 0.10
HALF_TIME: Final = (0.48, 0.56)
FULL_TIME: Final = 0.94
"""Fractions of the run."""

MAX_VIEWERS: Final = 100_000_000
MAX_CONTENTS: Final = 60_000
MAX_SECONDS: Final = 27 * 3600


@dataclass(frozen=True)
class Match:
    """What is simulated. Two runs of the same match are identical byte for byte.

    `start_ms` is ms since epoch. Raises InvalidInput where a number is out of its range.
    """

    viewers: int
    seconds: int
    start_ms: int
    contents: int = 3
    seed: int = 1

    def __post_init__(self) -> None:
        for name, value, top in (
            ("viewers", self.viewers, MAX_VIEWERS),
            ("seconds", self.seconds, MAX_SECONDS),
            ("contents", self.contents, MAX_CONTENTS),
        ):
            if not 1 <= value <= top:
                raise InvalidInput(f"{name} is {value}; it must be between 1 and {top}.")
        if self.start_ms < 0 or self.seed < 0:
            raise InvalidInput("start and seed must not be negative.")

    @property
    def run_id(self) -> str:
        """8 hex digits which name the run in session and batch ids."""
        told = f"{self.viewers}/{self.seconds}/{self.start_ms}/{self.contents}/{self.seed}"
        return blake2b(told.encode(), digest_size=4).hexdigest()

    @property
    def start(self) -> str:
        """RFC 3339, to the millisecond."""
        moment = datetime.fromtimestamp(self.start_ms / 1000, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def content_ids(self) -> list[str]:
        """The first is the match that most people watch."""
        digits = max(2, len(str(self.contents)))
        return [f"match-{number:0{digits}d}" for number in range(1, self.contents + 1)]

    def at(self, fraction: float) -> int:
        """ms since the start of the run."""
        return int(fraction * self.seconds * 1000)

    def popularity(self) -> NDArray[np.float64]:
        """Cumulative share of each content: Zipf with exponent 1."""
        share = 1.0 / np.arange(1, self.contents + 1)
        cumulative: NDArray[np.float64] = np.cumsum(share / share.sum())
        cumulative[-1] = 1.0
        return cumulative

    def arrivals(self, rng: np.random.Generator) -> NDArray[np.uint32]:
        """When each viewer comes, in ms since start: 15 % early, 65 % at kick-off, the rest in the first half."""
        n = self.viewers
        crowd = rng.random(n, dtype=np.float32)
        when = rng.random(n, dtype=np.float32)
        early = crowd < 0.15
        surge = (crowd >= 0.15) & (crowd < 0.80)
        late = crowd >= 0.80
        when[early] *= KICK_OFF
        when[late] = KICK_OFF + when[late] * np.float32(HALF_TIME[0] - KICK_OFF)
        when[surge] = KICK_OFF + 0.02 * rng.standard_normal(int(surge.sum()), dtype=np.float32)
        np.clip(when, 0, 0.99, out=when)
        return (when * np.float32(self.seconds * 1000)).astype(np.uint32)
