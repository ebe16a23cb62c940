"""Who was there in a window, when last, and who left: what distinct and concurrent viewers are counted from.

While at most EXACT_LIMIT viewers are known each has a row: its sampling hash (`distinct.known_by`) and 32 bits,

    offset of the newest appearance in the window, ms (13) · it is a stop (1) · interval then echoed, s (10)
    · which interval classes were seen (4) · in which of them a stop was seen (4)

The upper 24 bits merge by maximum, the lower 8 by union. Beyond the limit each of the lower 8 bits is a sketch of the
viewers that have it. Both are functions of the set of events alone, whatever the order and grouping of merges.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.audience.distinct import EXACT_LIMIT, Registers, add, estimate, no_registers
from shared.audience.estimate import Estimate, scaled_sample
from shared.hashing_np import Hashes

INTERVAL_CLASSES: Final = (10, 20, 30, 60)
"""Reporting intervals in s that sketches tell apart; others count as the next longer one."""
MAX_INTERVAL: Final = INTERVAL_CLASSES[-1]
"""A longer interval than this is taken for this: concurrency looks back 1.5 intervals, at most 90 s."""

FLAGS: Final = 2 * len(INTERVAL_CLASSES)
STOPS: Final = len(INTERVAL_CLASSES)
"""Flags and sketches from here on are of stops."""
FLAG_MASK: Final = np.uint32((1 << FLAGS) - 1)
STOP_BIT: Final = 1 << 18
OFFSET_SHIFT: Final = 19
INTERVAL_SHIFT: Final = FLAGS
INTERVAL_MASK: Final = np.uint32(0x3FF)

Packed = NDArray[np.uint32]
NO_VIEWERS: Final[Hashes] = np.empty(0, dtype=np.uint64)
NO_ROWS: Final[Packed] = np.empty(0, dtype=np.uint32)


def pack(offset_ms: Packed, is_stop: NDArray[np.bool_], interval: Packed, any_stop: NDArray[np.bool_]) -> Packed:
    """Rows from columns: newest appearance, whether it is a stop, interval in s (1 to 60), any stop at all."""
    classes = np.uint32(1) << np.searchsorted(np.array(INTERVAL_CLASSES), interval).astype(np.uint32)
    flags = classes | np.where(any_stop, classes << np.uint32(STOPS), np.uint32(0))
    newest = (offset_ms << np.uint32(OFFSET_SHIFT)) | (is_stop.astype(np.uint32) << np.uint32(18))
    rows: Packed = newest | (interval << np.uint32(INTERVAL_SHIFT)) | flags
    return rows


def sampled_rows(viewers: Hashes, level: int) -> int:
    """How many of some viewers, in order, are in the sample of rate 1/2**level: the first ones."""
    return int(np.searchsorted(viewers, np.uint64(1 << 64 - level))) if level else len(viewers)


def collapse(groups: NDArray[np.int64], viewers: Hashes, packed: Packed) -> tuple[NDArray[np.int64], Hashes, Packed]:
    """One row a group and viewer, from rows sorted by group and viewer."""
    new = np.ones(len(viewers), dtype=np.bool_)
    new[1:] = (viewers[1:] != viewers[:-1]) | (groups[1:] != groups[:-1])
    starts = np.flatnonzero(new)
    if len(starts) == len(viewers):
        return groups, viewers, packed
    newest = np.maximum.reduceat(packed, starts) & ~FLAG_MASK
    return groups[starts], viewers[starts], newest | (np.bitwise_or.reduceat(packed, starts) & FLAG_MASK)


@dataclass(slots=True)
class Presence:
    """Rows while exact (`viewers` ascending, without repeats), else sketches by flag. Arrays are never changed."""

    viewers: Hashes = field(default_factory=lambda: NO_VIEWERS)
    packed: Packed = field(default_factory=lambda: NO_ROWS)
    sketches: dict[int, Registers] = field(default_factory=dict)

    @classmethod
    def of(cls, viewers: Hashes, packed: Packed) -> "Presence":
        """A presence of rows in order, however many."""
        presence = cls()
        presence.merge(cls(viewers, packed))
        return presence

    @property
    def exact(self) -> bool:
        return not self.sketches

    def merge(self, other: "Presence") -> None:
        """Take in another presence of the same window. Commutative and associative."""
        if self.exact and other.exact:
            self._merge_rows(other)
        else:
            self._merge_sketches(self.as_sketches(), other.as_sketches())

    def distinct(self, level: int = 0) -> Estimate:
        """Viewers who appeared, told from those in the sample of rate 1/2**level."""
        if self.exact:
            return scaled_sample(sampled_rows(self.viewers, level), 0.5**level)
        return estimate(self.union(range(STOPS)), level)

    def union(self, flags: range) -> Registers:
        """One sketch of the viewers that have any of `flags`."""
        registers = no_registers()
        if self.exact:
            mask = np.uint32(sum(1 << flag for flag in flags))
            add(registers, self.viewers[self.packed & mask != 0])
        for flag in flags:
            if flag in self.sketches:
                np.maximum(registers, self.sketches[flag], out=registers)
        return registers

    def longest_interval(self) -> int:
        """The longest interval class seen, in s; 0 when nobody was."""
        flags = int(np.bitwise_or.reduce(self.packed)) if self.exact else sum(1 << flag for flag in self.sketches)
        classes = flags & ((1 << STOPS) - 1)
        return INTERVAL_CLASSES[classes.bit_length() - 1] if classes else 0

    def rolled(self) -> "Presence":
        """The same viewers without when and how: what a longer window's distinct count needs."""
        if self.exact:
            return Presence(self.viewers, np.ones(len(self.viewers), dtype=np.uint32))
        return Presence(sketches={0: self.union(range(STOPS))})

    def as_sketches(self) -> dict[int, Registers]:
        """A sketch for each flag that anyone has."""
        if not self.exact:
            return self.sketches
        flags = (flag for flag in range(FLAGS) if np.any(self.packed & np.uint32(1 << flag)))
        return {flag: self.union(range(flag, flag + 1)) for flag in flags}

    def _merge_rows(self, other: "Presence") -> None:
        if not len(self.viewers):
            self.viewers, self.packed = other.viewers.copy(), other.packed.copy()
        elif len(other.viewers):
            viewers = np.concatenate((self.viewers, other.viewers))
            packed = np.concatenate((self.packed, other.packed))
            order = np.argsort(viewers, kind="stable")
            _, self.viewers, self.packed = collapse(np.zeros(len(order), np.int64), viewers[order], packed[order])
        if len(self.viewers) > EXACT_LIMIT:
            self._merge_sketches(self.as_sketches(), {})

    def _merge_sketches(self, mine: dict[int, Registers], others: dict[int, Registers]) -> None:
        merged = dict(mine)
        for flag, registers in others.items():
            merged[flag] = np.maximum(merged[flag], registers) if flag in merged else registers
        self.sketches = merged
        self.viewers, self.packed = self.viewers[:0], self.packed[:0]
