"""States of windows, made from events the way `aggregate` makes them."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from events.event import Event
from functions.aggregate.batch import join, unpack
from functions.aggregate.contributions import contributions
from shared.audience.window import WindowState
from tests.builders import packed


def states_of(*records: Iterable[Event], level: int = 0) -> dict[int, WindowState]:
    """By window the state of all records, counted as one batch."""
    batch = join([unpack(packed(record, level=level).body) for record in records])
    found = contributions(batch, np.ones(len(batch.touch_place), dtype=np.bool_))
    return {batch.places[place].window: state for place, state in found.items()}


def merged(*records: Iterable[Event]) -> dict[int, WindowState]:
    """By window the state of all records, each counted alone and merged one after the other."""
    whole: dict[int, WindowState] = defaultdict(lambda: WindowState(0))
    for record in records:
        for window, state in states_of(record).items():
            if window not in whole:
                whole[window] = WindowState(window)
            whole[window].merge(state)
    return dict(whole)
