"""What a batch's events add to each state, worked out column by column for all states at once."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from events.batches import Ints
from events.event import EVENT_TYPES, STOPPING_TYPES
from functions.aggregate.batch import NO_VALUE, Batch
from functions.aggregate.sums import Events, added, counted, sums
from shared.audience.presence import MAX_INTERVAL, Presence, collapse, pack
from shared.audience.splits import SAMPLE_VIEWERS, Splits, gathered
from shared.audience.window import WindowState
from shared.hashing_np import Hashes

IS_STOP: Final = np.array([name in STOPPING_TYPES for name in EVENT_TYPES])
CELLS_AN_EVENT: Final = 4
"""A table of rows may have so many cells an event before sorting is cheaper."""


def contributions(batch: Batch, keep: NDArray[np.bool_]) -> dict[int, WindowState]:
    """By place, a state of the events of the touches in `keep`; marks and tallies are left to whoever writes it.

    A place has an entry when any of its touches is kept, also one without events.
    """
    places, of_touch = np.unique(batch.touch_place[keep], return_inverse=True)
    state_of_touch = np.full(len(keep), -1, dtype=np.int64)
    state_of_touch[keep] = of_touch
    events = counted(batch, state_of_touch, len(places))
    counters, groups = sums(batch, events)
    rows = _in_order(batch, _rows(batch, events))
    bounds = np.searchsorted(rows.state, np.arange(len(places) + 1)).tolist()
    presences = _presences(batch, rows, len(places))
    splits = _splits(batch, events, rows, bounds)
    levels = np.zeros(len(places), dtype=np.int64)
    record_level = np.array([header.level for header in batch.headers], dtype=np.int64)
    np.maximum.at(levels, of_touch, record_level[batch.touch_record[keep]])
    return {
        place: WindowState(
            window=batch.places[place].window,
            level=level,
            counters=counters[state],
            groups=groups[state] if groups is not None and groups[state].any() else None,
            splits=splits[state],
            presence=presences[state],
        )
        for state, (place, level) in enumerate(zip(places.tolist(), levels.tolist(), strict=True))
    }


@dataclass(slots=True)
class _Rows:
    """Events, or groups of events that agree in state, profile and quality."""

    state: Ints
    profile: Ints
    quality: NDArray[np.intp]
    count: Ints
    newest: NDArray[np.uint32]
    """Offset in the window in ms, times two, plus one for a stop: of the newest event."""
    stops: NDArray[np.bool_]
    """Whether any event was a stop."""

    def take(self, order: Ints) -> "_Rows":
        return _Rows(
            self.state[order],
            self.profile[order],
            self.quality[order],
            self.count[order],
            self.newest[order],
            self.stops[order],
        )


def _rows(batch: Batch, events: Events) -> _Rows:
    """As few rows as a table without sorting can make of the events, else one an event."""
    n = len(events.state)
    stop = IS_STOP[events.type]
    newest = (events.offset_ms << np.uint32(1)) | stop
    # a profile is of one record, whose states lie close together: numbered from its first, few are told apart
    first_state = np.full(len(batch.viewer), events.states, dtype=np.int64)
    np.minimum.at(first_state, events.profile, events.state)
    ahead = events.state - first_state[events.profile]
    width = int(ahead.max(initial=0)) + 1
    qualities, quality = _renumbered(events.quality, len(batch.values))
    cells = len(batch.viewer) * width * len(qualities)
    if cells > CELLS_AN_EVENT * n:
        count = np.ones(n, dtype=np.int64) if events.weight is None else events.weight
        return _Rows(events.state, events.profile, events.quality, count, newest, stop)
    cell = (events.profile * width + ahead) * len(qualities) + quality
    events_in = np.bincount(cell, minlength=cells)
    count = events_in if events.weight is None else added(cell, events.weight, cells)
    newest_in = np.zeros(cells, dtype=np.uint32)
    np.maximum.at(newest_in, cell, newest)
    stops_in = np.zeros(cells, dtype=np.bool_)
    stops_in[cell[stop]] = True
    used = np.flatnonzero(events_in)
    profile = used // (width * len(qualities))
    return _Rows(
        state=first_state[profile] + used // len(qualities) % width,
        profile=profile,
        quality=qualities[used % len(qualities)],
        count=count[used],
        newest=newest_in[used],
        stops=stops_in[used],
    )


def _renumbered(codes: NDArray[np.intp], values: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The distinct codes, and each entry's place among them."""
    used = np.zeros(values + 1, dtype=np.bool_)
    used[codes - NO_VALUE] = True
    distinct = np.flatnonzero(used)
    places = np.cumsum(used) - 1
    return distinct + NO_VALUE, places[codes - NO_VALUE]


def _in_order(batch: Batch, rows: _Rows) -> _Rows:
    """By state, then viewer."""
    by_viewer = np.argsort(batch.viewer[rows.profile])
    state = rows.state[by_viewer]
    if len(state) and state.max() <= 0xFFFF:
        state = state.astype(np.uint16)  # numpy sorts 16 bits by radix
    return rows.take(by_viewer[np.argsort(state, kind="stable")])


def _presences(batch: Batch, rows: _Rows, states: int) -> list[Presence]:
    told = np.array([header.report_every_seconds for header in batch.headers], dtype=np.int64)
    interval = np.where(batch.interval > 0, batch.interval, told[batch.profile_record])
    interval = np.clip(interval, 1, MAX_INTERVAL).astype(np.uint32)[rows.profile]
    packed = pack(rows.newest >> np.uint32(1), rows.newest & np.uint32(1) != 0, interval, rows.stops)
    viewers = batch.viewer[rows.profile]
    state, viewers, packed = collapse(rows.state, viewers, packed)
    bounds = np.searchsorted(state, np.arange(states + 1)).tolist()
    return [Presence.of(viewers[start:end], packed[start:end]) for start, end in pairwise(bounds)]


def _splits(batch: Batch, events: Events, rows: _Rows, bounds: list[int]) -> list[Splits]:
    """Shares by value. Viewers come from the few rows that a sample of SAMPLE_VIEWERS a state can hold."""
    traits = np.column_stack((batch.traits[rows.profile], rows.quality))
    counts = _counts(batch, events, rows, traits)
    viewer = batch.viewer[rows.profile]
    row = np.repeat(np.flatnonzero(_sampled(rows, traits, viewer, bounds)), traits.shape[1])
    pair_code = traits[row[:: traits.shape[1]]].ravel()
    known = pair_code != NO_VALUE
    if not known.all():
        row, pair_code = row[known], pair_code[known]
    pair_state, pair_viewer = rows.state[row], viewer[row]
    if len(events.remark):
        pair_state = np.concatenate((pair_state, events.state[events.remark_event]))
        pair_viewer = np.concatenate((pair_viewer, batch.viewer[events.profile[events.remark_event]]))
        pair_code = np.concatenate((pair_code, events.remark))
        order = np.argsort(pair_state, kind="stable")
        pair_state, pair_viewer, pair_code = pair_state[order], pair_viewer[order], pair_code[order]
    at = np.searchsorted(pair_state, np.arange(events.states + 1)).tolist()
    places = np.zeros(len(batch.values), dtype=np.intp)
    splits = []
    for state, (start, end) in enumerate(pairwise(at)):
        told = np.flatnonzero(counts[state])
        places[told] = np.arange(len(told))
        values = tuple(map(batch.values.__getitem__, told.tolist()))
        splits.append(gathered(values, counts[state, told], pair_viewer[start:end], places[pair_code[start:end]]))
    return splits


def _counts(batch: Batch, events: Events, rows: _Rows, traits: NDArray[np.intp]) -> Ints:
    """int64[states, values]: events by value."""
    width = len(batch.values) + 1
    cells = np.zeros(events.states * width, dtype=np.int64)
    for codes in traits.T:
        np.add.at(cells, rows.state * width + codes - NO_VALUE, rows.count)
    where = events.remark_event
    weight = np.ones(len(where), dtype=np.int64) if events.weight is None else events.weight[where]
    np.add.at(cells, events.state[where] * width + events.remark - NO_VALUE, weight)
    return cells.reshape(events.states, width)[:, 1:]


def _sampled(rows: _Rows, traits: NDArray[np.intp], viewer: Hashes, bounds: list[int]) -> NDArray[np.bool_]:
    """Rows that may be in their state's sample, and differ from the row before."""
    fresh = np.ones(len(viewer), dtype=np.bool_)
    fresh[1:] = (
        (viewer[1:] != viewer[:-1]) | (rows.state[1:] != rows.state[:-1]) | (traits[1:] != traits[:-1]).any(axis=1)
    )
    telling = (traits != NO_VALUE).any(axis=1)
    for start, end in pairwise(bounds):
        if end - start > SAMPLE_VIEWERS:
            told = viewer[start:end][telling[start:end]]
            firsts = np.flatnonzero(told[1:] != told[:-1])
            if len(firsts) >= SAMPLE_VIEWERS:
                fresh[start:end] &= viewer[start:end] <= told[firsts[SAMPLE_VIEWERS - 1] + 1]
    return fresh
