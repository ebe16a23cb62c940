"""Counts and sums of a batch's events, for all states at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from events.batches import Ints
from events.event import EVENT_TYPES, SAMPLED_TYPES, TYPE_CODE
from functions.aggregate.batch import Batch
from shared.audience.measures import COUNTERS, GROUPS, PLACE, STARTUP_START, SUMS, startup_bins
from shared.hashing import GROUP_SEED
from shared.hashing_np import mix

TYPES: Final = len(EVENT_TYPES)
IS_SAMPLED: Final = np.array([name in SAMPLED_TYPES for name in EVENT_TYPES])
STALL: Final = TYPE_CODE["stall"]


@dataclass(slots=True)
class Events:
    """The events to count, each with its `state`, one of `states`; columns as in Batch."""

    states: int
    state: Ints
    type: NDArray[np.uint8]
    offset_ms: NDArray[np.uint32]
    profile: Ints
    watched_ms: Ints
    bitrate_kbps: Ints
    quality: NDArray[np.intp]
    weight: Ints | None
    """How many events each stands for; None when nothing was sampled."""
    sparse: dict[str, tuple[Ints, Ints]]
    remark_event: Ints
    remark: NDArray[np.intp]


def counted(batch: Batch, state_of_touch: Ints, states: int) -> Events:
    """The batch's events of touches with a state (not -1)."""
    state = state_of_touch[batch.touch]
    kept = state >= 0
    levels = np.array([header.level for header in batch.headers], dtype=np.int64)
    weight = np.where(IS_SAMPLED[batch.type], 1 << levels[batch.record], 1) if levels.any() else None
    if kept.all():
        return Events(
            states=states,
            state=state,
            type=batch.type,
            offset_ms=batch.offset_ms,
            profile=batch.profile,
            watched_ms=batch.watched_ms,
            bitrate_kbps=batch.bitrate_kbps,
            quality=batch.quality,
            weight=weight,
            sparse=batch.sparse,
            remark_event=batch.remark_event,
            remark=batch.remark,
        )
    place = np.cumsum(kept) - 1

    def some(where: Ints, values: NDArray[Any]) -> tuple[Ints, NDArray[Any]]:
        there = kept[where]
        return place[where[there]], values[there]

    remark_event, remark = some(batch.remark_event, batch.remark)
    return Events(
        states=states,
        state=state[kept],
        type=batch.type[kept],
        offset_ms=batch.offset_ms[kept],
        profile=batch.profile[kept],
        watched_ms=batch.watched_ms[kept],
        bitrate_kbps=batch.bitrate_kbps[kept],
        quality=batch.quality[kept],
        weight=None if weight is None else weight[kept],
        sparse={name: some(*column) for name, column in batch.sparse.items()},
        remark_event=remark_event,
        remark=remark,
    )


def sums(batch: Batch, events: Events) -> tuple[Ints, Ints | None]:
    """int64[states, COUNTERS], and int64[states, GROUPS, SUMS] of the sampled part where there is any."""
    counters = np.zeros((events.states, COUNTERS), dtype=np.int64)
    counters[:, :TYPES] = _types(events)
    counters[:, PLACE["counted"]] = np.bincount(events.state, minlength=events.states)
    for name, where, values in _measures(events):
        counters[:, PLACE[name]] = added(events.state[where], _weighted(events, where, values), events.states)
    at, startup_ms = events.sparse["startup_ms"]
    np.add.at(counters, (events.state[at], STARTUP_START + startup_bins(startup_ms)), 1)
    return counters, _groups(batch, events)


def added(index: Ints, values: Ints, cells: int) -> Ints:
    """The sum of `values` in each cell; exact, where bincount's floats are not."""
    out = np.zeros(cells, dtype=np.int64)
    np.add.at(out, index, values)
    return out


def _types(events: Events) -> Ints:
    cells = events.state * TYPES + events.type
    if events.weight is None:
        return np.bincount(cells, minlength=events.states * TYPES).reshape(-1, TYPES)
    return added(cells, events.weight, events.states * TYPES).reshape(-1, TYPES)


def _measures(events: Events) -> Iterator[tuple[str, Ints | slice, Ints]]:
    """What is summed: its name, of which events, their values."""
    everything = slice(None)
    watched = np.maximum(events.watched_ms, 0)
    if watched.any():
        yield "watched_ms", everything, watched
    known = events.bitrate_kbps >= 0
    if known.any():
        bitrate = np.maximum(events.bitrate_kbps, 0)
        yield "bitrate_ms", everything, np.where(known, watched, 0)
        yield "bitrate_kbit", everything, bitrate * watched // 1_000
        yield "bitrate_samples", everything, known.astype(np.int64)
        yield "bitrate_kbps", everything, bitrate
    for count, total, (where, values) in (
        ("startups", "startup_ms", events.sparse["startup_ms"]),
        ("buffer_samples", "buffer_ms", events.sparse["buffer_ms"]),
        ("throughput_samples", "throughput_kbps", events.sparse["throughput_kbps"]),
        ("stalls_timed", "stall_ms", events.sparse["stall_ms"]),
    ):
        if len(where):
            yield count, where, np.ones(len(where), dtype=np.int64)
            yield total, where, values


def _weighted(events: Events, where: Ints | slice, values: Ints) -> Ints:
    return values if events.weight is None else values * events.weight[where]


def _groups(batch: Batch, events: Events) -> Ints | None:
    """The weighted sums of sampled events by viewer group: their spread is the sums' error."""
    if events.weight is None or not (events.weight > 1).any():
        return None
    groups = np.zeros((events.states * GROUPS, len(SUMS)), dtype=np.int64)
    group = (mix(batch.viewer, GROUP_SEED) >> np.uint64(60)).astype(np.int64)
    cell = events.state * GROUPS + group[events.profile]
    sampled = np.where(events.weight > 1, events.weight, 0)
    np.add.at(groups, (cell, events.type.astype(np.int64)), sampled)
    for name, where, values in _measures(events):
        groups[:, PLACE[name]] = added(cell[where], values * sampled[where], len(groups))
    return groups.reshape(events.states, GROUPS, len(SUMS))
