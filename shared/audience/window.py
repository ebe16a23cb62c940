"""The audience of a content in a window, as one mergeable state.

Every part merges commutatively and associatively, so a state is a function of the set of events in it. Marks are not
merged: they belong to the one stored state that they protect.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from events.event import EVENT_TYPES
from shared.audience.estimate import Estimate
from shared.audience.marks import Marks
from shared.audience.measures import (
    NO_COUNTERS,
    PLACE,
    TALLIES,
    Counters,
    Groups,
    engagements,
    startup_quantile,
    summed,
)
from shared.audience.presence import Presence
from shared.audience.splits import Share, Splits


@dataclass(slots=True)
class WindowState:
    """`window` is the 5 s window's number; a roll-up of several has the first one's.

    `level` is the highest sampling level met: distinct counts are told at its rate. `groups` are the sampled parts of
    the sums by viewer group; None when nothing was sampled. Arrays inside are never changed, only replaced.
    """

    window: int
    level: int = 0
    counters: Counters = field(default_factory=lambda: NO_COUNTERS)
    groups: Groups | None = None
    rejected: dict[str, int] = field(default_factory=dict)
    splits: Splits = field(default_factory=Splits)
    presence: Presence = field(default_factory=Presence)
    marks: Marks = field(default_factory=Marks)

    def merge(self, other: "WindowState") -> None:
        """Take in what another state holds, marks excepted."""
        self.level = max(self.level, other.level)
        self.counters = self.counters + other.counters
        if other.groups is not None:
            self.groups = other.groups.copy() if self.groups is None else self.groups + other.groups
        for code, count in other.rejected.items():
            self.rejected[code] = self.rejected.get(code, 0) + count
        self.splits.merge(other.splits)
        self.presence.merge(other.presence)

    def rolled(self) -> "WindowState":
        """This state as part of a longer window: without marks, and viewers without when and how."""
        return WindowState(
            window=self.window,
            level=self.level,
            counters=self.counters,
            groups=self.groups,
            rejected=dict(self.rejected),
            splits=Splits(self.splits.values, self.splits.counts, self.splits.pairs, self.splits.threshold),
            presence=self.presence.rolled(),
        )

    @property
    def sample_rate(self) -> float:
        """The lowest rate at which events were sampled; 1 when none were."""
        return 0.5**self.level

    @property
    def empty(self) -> bool:
        """Whether no event was counted here, tallies aside."""
        return not self.tally("counted")

    def viewers(self) -> Estimate:
        """Distinct viewers."""
        return self.presence.distinct(self.level)

    def sum(self, name: str) -> Estimate:
        """One of SUMS or TALLIES, with its standard error where it was sampled."""
        return summed(self.counters, self.groups, name, self.level)

    def tally(self, name: str) -> int:
        """One of TALLIES."""
        return int(self.counters[PLACE[name]])

    def tallies(self) -> dict[str, int]:
        """All of TALLIES, by name; `rejected` holds what is missing to `received`."""
        return {name: self.tally(name) for name in TALLIES}

    def events(self) -> dict[str, Estimate]:
        """Events by type, those that occurred."""
        counts = {name: self.sum(name) for name in EVENT_TYPES}
        return {name: count for name, count in counts.items() if count.value}

    def engagements(self) -> int:
        """Events by which viewers took part."""
        return engagements(self.counters)

    def engaged_viewers(self) -> Estimate:
        """Distinct viewers who took part."""
        return self.splits.viewers_with("engagement", self.level)

    def shares(self, dimension: str) -> list[Share]:
        """Events and viewers by value of one of DIMENSIONS, most viewers first, OTHER ("") last."""
        return self.splits.shares(dimension, self.level)

    def startup_ms(self, quantile: float) -> int | None:
        """A quantile of the start-up time; None when nothing started."""
        return startup_quantile(self.counters, quantile)

    def mean(self, total: str, count: str) -> float | None:
        """The ratio of two of SUMS; None when there is nothing to divide by."""
        samples = self.counters[PLACE[count]]
        return float(self.counters[PLACE[total]] / samples) if samples else None


def rolled_up(window: int, states: Iterable[WindowState]) -> WindowState:
    """The audience of a longer window that begins with `window`, from the states in it."""
    whole = WindowState(window)
    for state in states:
        whole.merge(state.rolled())
    return whole
