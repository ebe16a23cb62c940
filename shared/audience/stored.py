"""Reading the stored states of 5 s windows."""

import threading
from collections import OrderedDict, defaultdict
from typing import Final

from shared.audience import codec
from shared.audience.keys import AUDIENCE_TABLE, WINDOWS_PER_HOUR, state_partition, window_sort
from shared.audience.rollup import States
from shared.audience.window import WindowState
from shared.fan_out import SINGLE, read_fan_out
from shared.fan_out import TABLE as SCHEDULES_TABLE
from shared.ports import Item, Key, Ports, query_all

CACHED_BYTES: Final = 8 * 1024 * 1024
"""Of stored states that are kept decoded."""


class DecodedStates:
    """States as last decoded, by key and version: polling a live content decodes only what has changed."""

    def __init__(self, limit: int = CACHED_BYTES) -> None:
        self._limit = limit
        self._held: OrderedDict[Key, tuple[str, int, WindowState]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def state(self, item: Item) -> WindowState:
        """The state of an item; never to be changed. Raises CorruptData."""
        key = item.partition, item.sort
        with self._lock:
            held = self._held.get(key)
            if held is not None and held[0] == item.version:
                self._held.move_to_end(key)
                return held[2]
        state = codec.decode(item.value)
        with self._lock:
            self._forget(key)
            self._held[key] = (item.version, len(item.value), state)
            self._bytes += len(item.value)
            while self._bytes > self._limit:
                self._forget(next(iter(self._held)))
        return state

    def _forget(self, key: Key) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._bytes -= held[1]


class StateReader:
    """States by window, of every k that the fan-out schedule names."""

    def __init__(self, ports: Ports) -> None:
        self._states = ports.table(AUDIENCE_TABLE)
        self._schedules = ports.table(SCHEDULES_TABLE)
        self._decoded = DecodedStates()

    def between(self, content_id: str, first: int, last: int, *, any_k: bool = False) -> States:
        """The stored states of the 5 s windows first to last, of every k.

        `any_k` looks beyond the fan-out of those windows: the tallies of a record that holds nothing but late events
        or ones ahead of time lie in the window it came in, under the k of theirs.
        """
        found = self.items(content_id, first, last, any_k=any_k)
        return {window: [self.state(item) for item in items] for window, items in found.items()}

    def items(self, content_id: str, first: int, last: int, *, any_k: bool = False) -> dict[int, list[Item]]:
        """The same as stored, for who may know these versions already."""
        fan_out = read_fan_out(self._schedules, content_id) if content_id else SINGLE
        most_ever = max(fan_out.fan_outs, default=1)
        found: dict[int, list[Item]] = defaultdict(list)
        first = max(0, first)
        for hour in range(first // WINDOWS_PER_HOUR, last // WINDOWS_PER_HOUR + 1):
            begin = max(first, hour * WINDOWS_PER_HOUR)
            end = min(last, (hour + 1) * WINDOWS_PER_HOUR - 1)
            for k in range(most_ever if any_k else fan_out.most(begin, end)):
                partition = state_partition(content_id, k, hour)
                for item in query_all(self._states, partition, start=window_sort(begin), end=window_sort(end + 1)):
                    found[int(item.sort)].append(item)
        return found

    def state(self, item: Item) -> WindowState:
        """The state of an item; never to be changed. Raises CorruptData."""
        return self._decoded.state(item)
