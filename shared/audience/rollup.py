"""Roll-ups: the audience of a minute or an hour, rebuilt from its children and never incremented.

A minute is made of its twelve 5 s windows over every k, an hour of its minutes. Table `rollups` holds one item for
each (content, minute) and (content, hour) in which anything was reported.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from shared.audience import codec
from shared.audience.concurrency import LOOKBACK_WINDOWS, concurrent
from shared.audience.estimate import Estimate
from shared.audience.window import WindowState, rolled_up
from shared.errors import CorruptData
from shared.keys import content_key
from shared.ports import Item, Key, Table, query_all
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS, WINDOW_MS

ROLLUPS_TABLE: Final = "rollups"
MINUTES_KEPT_MS: Final = 35 * DAY_MS


class Resolution(NamedTuple):
    """How long the windows of an answer are, and how many ms of roll-ups share a partition."""

    name: str
    ms: int
    partition_ms: int

    def number(self, time_ms: int) -> int:
        """The window that holds a time, counted from the epoch."""
        return time_ms // self.ms


WINDOW: Final = Resolution("5s", WINDOW_MS, HOUR_MS)
MINUTE: Final = Resolution("1m", MINUTE_MS, DAY_MS)
HOUR: Final = Resolution("1h", HOUR_MS, 30 * DAY_MS)
RESOLUTIONS: Final = {one.name: one for one in (WINDOW, MINUTE, HOUR)}

States = Mapping[int, Sequence[WindowState]]
"""By the 5 s window's number its states, one of each k that has any."""


class Concurrency(NamedTuple):
    """Concurrent viewers at the ends of `windows` 5 s windows: the largest, and what their means are made of."""

    peak: Estimate
    total: int
    error_total: float
    windows: int

    @property
    def mean(self) -> Estimate:
        """The mean over the windows in which anything was reported; its error as if all erred alike."""
        return Estimate(round(self.total / self.windows), self.error_total / self.windows)


@dataclass(frozen=True, slots=True)
class Audience:
    """A content's audience in a window of any length."""

    start_ms: int
    state: WindowState
    concurrency: Concurrency


class _Stored(msgspec.Struct, array_like=True, frozen=True):
    start_ms: int
    peak: tuple[int, float]
    total: int
    error_total: float
    windows: int
    state: bytes


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Stored)


def of_window(window: int, states: States) -> Audience:
    """The audience of one 5 s window. `states` also hold the LOOKBACK_WINDOWS - 1 before it."""
    before = range(window - LOOKBACK_WINDOWS + 1, window + 1)
    at_end = concurrent(window, [state for number in before for state in states.get(number, ())])
    whole = rolled_up(window, states.get(window, ()))
    return Audience(window * WINDOW_MS, whole, Concurrency(at_end, at_end.value, at_end.error, 1))


def of_windows(first: int, last: int, states: States) -> list[Audience]:
    """The audiences of the windows first to last that any event was counted in, in order."""
    told = (window for window in range(first, last + 1) if any(not state.empty for state in states.get(window, ())))
    return [of_window(window, states) for window in told]


def of_parts(start_ms: int, parts: Sequence[Audience]) -> Audience:
    """The audience of a longer window, from its parts; there is one at least."""
    concurrencies = [part.concurrency for part in parts]
    return Audience(
        start_ms,
        rolled_up(start_ms // WINDOW_MS, (part.state for part in parts)),
        Concurrency(
            max((one.peak for one in concurrencies), key=lambda peak: peak.value),
            sum(one.total for one in concurrencies),
            sum(one.error_total for one in concurrencies),
            sum(one.windows for one in concurrencies),
        ),
    )


def encode(audience: Audience) -> bytes:
    """An audience as stored; `decode` reads it."""
    one = audience.concurrency
    stored = _Stored(
        audience.start_ms,
        (one.peak.value, one.peak.error),
        one.total,
        one.error_total,
        one.windows,
        codec.encode(audience.state),
    )
    return _encode(stored)


def decode(value: bytes) -> Audience:
    """The audience that `encode` wrote. Raises CorruptData."""
    stored = _stored(value)
    concurrency = Concurrency(Estimate(*stored.peak), stored.total, stored.error_total, stored.windows)
    return Audience(stored.start_ms, codec.decode(stored.state), concurrency)


def peak(value: bytes) -> Estimate:
    """The most concurrent viewers of a stored audience, whose state is not decoded. Raises CorruptData."""
    return Estimate(*_stored(value).peak)


def rollup_key(content_id: str, resolution: Resolution, number: int) -> Key:
    """Where a minute's or an hour's roll-up lies."""
    each = resolution.partition_ms // resolution.ms
    return _partition(content_id, resolution, number // each), f"{number:010d}"


def rollups_between(
    table: Table, content_id: str, resolution: Resolution, first: int, last: int
) -> Iterable[tuple[int, Item]]:
    """The stored roll-ups numbered first to last, in order."""
    start, end = f"{first:010d}", f"{last + 1:010d}"
    blocks = range(
        first * resolution.ms // resolution.partition_ms, last * resolution.ms // resolution.partition_ms + 1
    )
    for block in blocks:
        for item in query_all(table, _partition(content_id, resolution, block), start=start, end=end):
            yield int(item.sort), item


def _stored(value: bytes) -> _Stored:
    try:
        return _decoder.decode(value)
    except msgspec.MsgspecError as error:
        raise CorruptData(f"a roll-up cannot be read: {error}") from None


def _partition(content_id: str, resolution: Resolution, block: int) -> str:
    return f"{content_key(content_id)}#{resolution.name}#{block}"
