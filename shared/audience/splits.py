"""Events and viewers by device, country, tier and so on.

Events are counted for every value kept. Viewers are told from a sample: the (viewer, value) pairs of the viewers
with the smallest sampling hashes, all of them while there are at most SAMPLE_VIEWERS. It is a theta sketch
(A. Dasgupta et al., "A Framework for Estimating Stream Expression Cardinalities", 2016) that answers for all values
at once, and, its order being the one that ingest samples by, one that can be read at any sampling rate.

Whatever is bounded is cut by an order on hashes alone, so that merges in any order and grouping agree: values of a
dimension beyond its limit (those with the largest hashes become OTHER), viewers, and values of one viewer.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.audience.estimate import Estimate, scaled_sample
from shared.hashing_np import Hashes

DIMENSIONS: Final = (
    "device_type",
    "country",
    "tier",
    "age_group",
    "network_quality",
    "quality_level",
    "player_state",
    "engagement",
)
"""Append only: a stored state names a dimension by its place. `engagement` has the engagement types as values."""
COUNTRY: Final = DIMENSIONS.index("country")

OTHER: Final = ""
"""The value that stands for those past a dimension's limit."""
MAX_VALUES: Final = 100
MAX_COUNTRIES: Final = 256
MAX_NAME_BYTES: Final = 40
"""Longer values count as OTHER."""

SAMPLE_VIEWERS: Final = 2_048
VALUES_PER_VIEWER: Final = 4
"""In each dimension."""

CODE_BITS: Final = 12
CODE_MASK: Final = np.uint64((1 << CODE_BITS) - 1)
EVERYONE: Final = 1 << 64

Value = tuple[int, str]
"""(place in DIMENSIONS, the value)."""
Pairs = NDArray[np.uint64]
"""Ascending, without repeats: the viewer (`distinct.known_by`), its low 12 bits replaced by the value's code."""

NO_PAIRS: Final[Pairs] = np.empty(0, dtype=np.uint64)
NO_COUNTS: Final = np.empty(0, dtype=np.int64)


class Share(NamedTuple):
    """One value of a dimension: its events (weighted where sampled) and its distinct viewers."""

    value: str
    events: int
    viewers: Estimate


def named(dimension: int, value: str) -> Value:
    """The value as it is counted: too long a one is OTHER."""
    return (dimension, value if len(value.encode()) <= MAX_NAME_BYTES else OTHER)


@lru_cache(maxsize=65_536)
def rank(value: Value) -> tuple[int, int, str]:
    """The order that values are kept by; OTHER comes last in its dimension."""
    dimension, name = value
    place = EVERYONE if name == OTHER else int.from_bytes(blake2b(name.encode(), digest_size=8).digest())
    return dimension, place, name


@dataclass(slots=True)
class Splits:
    """`values` in the order of `rank`, `counts` of their events, `pairs` of sampled viewers with hash < `threshold`.

    A pair's code is its value's place in `values`. Arrays are never changed.
    """

    values: tuple[Value, ...] = ()
    counts: NDArray[np.int64] = field(default_factory=lambda: NO_COUNTS)
    pairs: Pairs = field(default_factory=lambda: NO_PAIRS)
    threshold: int = EVERYONE

    def merge(self, other: "Splits") -> None:
        """Take in other splits. Commutative and associative."""
        if not other.values:
            return
        if not self.values:
            self.values, self.counts, self.pairs, self.threshold = (
                other.values,
                other.counts,
                other.pairs,
                other.threshold,
            )
            return
        if self.values == other.values:
            counts, pairs, others = self.counts + other.counts, self.pairs, other.pairs
        else:
            self.values, (mine, theirs) = _united(self.values, other.values)
            counts = np.zeros(len(self.values), dtype=np.int64)
            np.add.at(counts, mine, self.counts)
            np.add.at(counts, theirs, other.counts)
            pairs, others = _recoded(self.pairs, mine), _recoded(other.pairs, theirs)
        self.counts = counts
        self.threshold = min(self.threshold, other.threshold)
        self.pairs, self.threshold = bounded(np.concatenate((pairs, others)), self.values, self.threshold)

    def shares(self, dimension: str, level: int = 0) -> list[Share]:
        """The dimension's values, most viewers first, OTHER last; viewers told at sampling rate 1/2**level."""
        place = DIMENSIONS.index(dimension)
        below, rate = self._readable(level)
        viewers = np.bincount((below & CODE_MASK).astype(np.intp), minlength=len(self.values)).tolist()
        shares = [
            Share(name, int(self.counts[code]), scaled_sample(viewers[code], rate))
            for code, (of, name) in enumerate(self.values)
            if of == place
        ]
        return sorted(
            shares, key=lambda share: (share.value == OTHER, -share.viewers.value, -share.events, share.value)
        )

    def viewers_with(self, dimension: str, level: int = 0) -> Estimate:
        """Distinct viewers with any value of the dimension."""
        place = DIMENSIONS.index(dimension)
        below, rate = self._readable(level)
        chosen = np.array([of == place for of, _ in self.values], dtype=np.bool_)
        if not len(chosen):
            return Estimate(0)
        having = below[chosen[(below & CODE_MASK).astype(np.intp)]] & ~CODE_MASK
        return scaled_sample(len(np.unique(having)), rate)

    def _readable(self, level: int) -> tuple[Pairs, float]:
        """The pairs of viewers whose every event was counted, and the rate at which viewers are among them."""
        threshold = min(self.threshold, EVERYONE >> level)
        if threshold == EVERYONE:
            return self.pairs, 1.0
        return self.pairs[: np.searchsorted(self.pairs, np.uint64(threshold))], threshold / EVERYONE


def gathered(told: tuple[Value, ...], counts: NDArray[np.int64], viewers: Hashes, codes: NDArray[np.intp]) -> Splits:
    """Splits from values in order of `rank` with their events, and pairs: viewers and places in `told`."""
    if len(told) <= MAX_VALUES:
        pairs, threshold = bounded((viewers & ~CODE_MASK) | codes.astype(np.uint64), told, EVERYONE)
        return Splits(told, counts, pairs, threshold)
    values, (places, _) = _united(told, ())
    sums = np.zeros(len(values), dtype=np.int64)
    np.add.at(sums, places, counts)
    pairs, threshold = bounded((viewers & ~CODE_MASK) | places[codes].astype(np.uint64), values, EVERYONE)
    return Splits(values, sums, pairs, threshold)


def bounded(pairs: Pairs, values: tuple[Value, ...], threshold: int) -> tuple[Pairs, int]:
    """Pairs in order and within the limits, and the hash below which all viewers are there."""
    pairs = _in_order(pairs)
    if threshold != EVERYONE:
        pairs = pairs[: np.searchsorted(pairs, np.uint64(threshold))]
    if len(pairs) > SAMPLE_VIEWERS:
        viewers = pairs & ~CODE_MASK
        heads = np.flatnonzero(viewers[1:] != viewers[:-1]) + 1
        if len(heads) >= SAMPLE_VIEWERS:
            end = heads[SAMPLE_VIEWERS - 1]
            threshold = int(viewers[end])
            pairs = pairs[:end]
    return _few_values_each(pairs, values), threshold


def _few_values_each(pairs: Pairs, values: tuple[Value, ...]) -> Pairs:
    """At most VALUES_PER_VIEWER pairs of a viewer in a dimension: those that rank first."""
    if len(pairs) <= VALUES_PER_VIEWER:
        return pairs
    group = (pairs & ~CODE_MASK) | _dimensions(values)[(pairs & CODE_MASK).astype(np.intp)]
    surplus = group[VALUES_PER_VIEWER:] == group[:-VALUES_PER_VIEWER]
    if not surplus.any():
        return pairs
    return np.concatenate((pairs[:VALUES_PER_VIEWER], pairs[VALUES_PER_VIEWER:][~surplus]))


def _in_order(pairs: Pairs) -> Pairs:
    """Ascending, without repeats."""
    if (pairs[1:] > pairs[:-1]).all():
        return pairs
    pairs = np.sort(pairs, kind="stable")  # quick on two ascending runs, which it mostly is
    different: Pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])]
    return different


@lru_cache(maxsize=1_024)
def _dimensions(values: tuple[Value, ...]) -> NDArray[np.uint64]:
    return np.array([dimension for dimension, _ in values], dtype=np.uint64)


@lru_cache(maxsize=1_024)
def _united(
    mine: tuple[Value, ...], theirs: tuple[Value, ...]
) -> tuple[tuple[Value, ...], tuple[NDArray[np.intp], ...]]:
    """All values in order, within the limits, and where those of each side are among them."""
    values = sorted({*mine, *theirs}, key=rank)
    of_dimension = [dimension for dimension, _ in values]
    for dimension in set(of_dimension):
        limit = MAX_COUNTRIES if dimension == COUNTRY else MAX_VALUES
        if of_dimension.count(dimension) > limit:
            own = [value for value in values if value[0] == dimension and value[1] != OTHER]
            surplus = set(own[limit:])
            if surplus:
                kept = {*values, (dimension, OTHER)} - surplus
                values = sorted(kept, key=rank)
    places = {value: place for place, value in enumerate(values)}
    return tuple(values), tuple(
        np.array([places[value] if value in places else places[value[0], OTHER] for value in side], dtype=np.intp)
        for side in (mine, theirs)
    )


def _recoded(pairs: Pairs, codes: NDArray[np.intp]) -> Pairs:
    if not len(pairs):
        return pairs
    return (pairs & ~CODE_MASK) | codes[(pairs & CODE_MASK).astype(np.intp)].astype(np.uint64)
