"""Window states as they are stored: read, kept warm, written under their version."""

from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec

from functions.aggregate.batch import Place
from shared.audience.codec import decode, encode
from shared.audience.concurrency import lookback
from shared.audience.dirty import DIRTY_TABLE, MINUTE, put_dirty
from shared.audience.keys import (
    AUDIENCE_TABLE,
    CONTENTS_TABLE,
    MARKS_TABLE,
    WINDOWS_PER_HOUR,
    WINDOWS_PER_MINUTE,
    active_partition,
    marks_page_key,
    state_key,
)
from shared.audience.marks import read_page
from shared.audience.window import WindowState
from shared.errors import CorruptData, VersionConflict
from shared.keys import content_key
from shared.ports import ABSENT, MAX_BATCH_GET, Item, Ports
from shared.units import DAY_MS, WINDOW_MS

MAX_REGISTERED: Final = 100_000

_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Held:
    """A state and the version it was read or written at."""

    state: WindowState
    version: str
    size: int


class States:
    """The states of table `audience`, those last written kept in memory up to `warm_bytes`.

    A warm state may be out of date; the conditional write then fails and it is read again.
    """

    def __init__(self, ports: Ports, state_days: int, warm_bytes: int) -> None:
        self._table = ports.table(AUDIENCE_TABLE)
        self._pages = ports.table(MARKS_TABLE)
        self._dirty = ports.table(DIRTY_TABLE)
        self._contents = ports.table(CONTENTS_TABLE)
        self._keep_ms = state_days * DAY_MS
        self._warm: OrderedDict[Place, Held] = OrderedDict()
        self._warm_bytes = warm_bytes
        self._held_bytes = 0
        self._registered: OrderedDict[tuple[str, int], str | None] = OrderedDict()

    def load(self, places: Iterable[Place]) -> dict[Place, Held | CorruptData]:
        """The states of these places, new ones where there are none. Raises Unavailable.

        They leave the warm ones, to come back when written. A state that cannot be read is given as the error.
        """
        found: dict[Place, Held | CorruptData] = {}
        missing = {}
        for place in places:
            warm = self._warm.pop(place, None)
            if warm is None:
                missing[state_key(place.content_id, place.k, place.window)] = place
            else:
                self._held_bytes -= warm.size
                found[place] = warm
        keys = list(missing)
        for start in range(0, len(keys), MAX_BATCH_GET):
            some = keys[start : start + MAX_BATCH_GET]
            items = self._table.batch_get(some)
            for key in some:
                found[missing[key]] = self._held(missing[key], items.get(key))
        return found

    def reload(self, place: Place) -> Held | CorruptData:
        """The state as it is stored now. Raises Unavailable."""
        return self._held(place, self._table.get(*state_key(place.content_id, place.k, place.window)))

    def write(self, place: Place, held: Held, content_type: str | None) -> None:
        """Store the state if it is still at its version. Raises VersionConflict and Unavailable.

        Whatever follows from it is marked before, so that a crash leaves a mark too many, never one too few: the
        content as active in its hour, and as dirty each minute whose concurrency looks back into this window.
        """
        expires_at = (place.window + 1) * WINDOW_MS + self._keep_ms
        self._register(place, content_type, expires_at)
        reach = max(1, lookback(held.state.presence.longest_interval()))
        minutes = range(place.window // WINDOWS_PER_MINUTE, (place.window + reach - 1) // WINDOWS_PER_MINUTE + 1)
        put_dirty(self._dirty, place.content_id, MINUTE, minutes)
        value = encode(held.state)
        key = state_key(place.content_id, place.k, place.window)
        held.version = self._table.put(*key, value, if_version=held.version, expires_at=expires_at)
        held.size = _in_memory(len(value))
        self.keep(place, held)

    def keep(self, place: Place, held: Held) -> None:
        """Keep a state warm: it is as it is stored."""
        self._warm[place] = held
        self._held_bytes += held.size
        while self._held_bytes > self._warm_bytes:
            _, oldest = self._warm.popitem(last=False)
            self._held_bytes -= oldest.size

    def turn_page(self, place: Place, state: WindowState) -> None:
        """Move the marks that the stored state holds to a page when they are many. Raises Unavailable."""
        if state.marks.full:
            number, value = state.marks.turn()
            key = marks_page_key(place.content_id, place.k, place.window, number)
            self._pages.put(*key, value, expires_at=(place.window + 1) * WINDOW_MS + self._keep_ms)

    def _held(self, place: Place, item: Item | None) -> Held | CorruptData:
        if item is None:
            return Held(WindowState(place.window), ABSENT, 0)
        try:
            state = decode(item.value)
            for number in state.marks.pages:
                page = self._pages.get(*marks_page_key(place.content_id, place.k, place.window, number))
                if page is None:
                    raise CorruptData(f"page {number} of the marks of {place} is gone")
                state.marks.turned[number] = read_page(page.value)
        except CorruptData as error:
            return error
        return Held(state, item.version, _in_memory(len(item.value)))

    def _register(self, place: Place, content_type: str | None, expires_at: int) -> None:
        """Name the content among those of the hour: once, and again when its type is first known."""
        hour = place.window // WINDOWS_PER_HOUR
        about = place.content_id, hour
        if not place.content_id or self._registered.get(about) is not None:
            return
        if content_type is None and about in self._registered:
            return
        key = active_partition(hour), content_key(place.content_id)
        if_version = ABSENT if content_type is None else None
        with suppress(VersionConflict):
            self._contents.put(
                *key, _encode((place.content_id, content_type)), if_version=if_version, expires_at=expires_at
            )
        self._registered[about] = content_type
        if len(self._registered) > MAX_REGISTERED:
            self._registered.popitem(last=False)


def _in_memory(packed_bytes: int) -> int:
    """About what a state takes as arrays and objects."""
    return 4 * packed_bytes + 2_000
