"""Records that wait for another attempt, each tail of a batch in one object of the store `parked`.

Event Hubs' checkpoint moves on whatever became of a batch, so what is left of it must be safe before its function
returns. An object's name begins with its function and the time at which it is due: a listing comes in that order.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from shared.ports import ObjectStore
from shared.stream import Record

log = logging.getLogger("grandstand.parking")

STORE: Final = "parked"
FORMAT: Final = b"GP\x01"
"""What an object begins with. A newer release may write another: this one leaves those alone."""


class Waiting(msgspec.Struct, frozen=True):
    """A record, and why no handler can make anything of it: None where one can."""

    record: Record
    problem: str | None = None


class Tail(msgspec.Struct, frozen=True, kw_only=True):
    """Records that have had `attempt` attempts. `alone`: one of them may end the process that tries it."""

    attempt: int
    alone: bool = False
    waiting: Sequence[Waiting]


@dataclass(frozen=True, slots=True)
class Parked:
    """A tail under its object's name; `due_at` is in ms since epoch."""

    name: str
    due_at: int
    tail: Tail


class Parking:
    """The parked records of one function. Raises what the store raises."""

    def __init__(self, objects: ObjectStore, function: str) -> None:
        self._objects = objects
        self._prefix = f"{function}/"

    def park(self, tail: Tail, due_at: int) -> Parked:
        """Keep a tail; durable when this returns."""
        name = f"{self._prefix}{due_at:015d}-{tail.attempt:05d}-{os.urandom(8).hex()}"
        self._objects.put(name, FORMAT + msgspec.msgpack.encode(tail))
        return Parked(name, due_at, tail)

    def due(self, now_ms: int, records: int) -> Sequence[Parked]:
        """Tails whose time has come, longest waiting first, of about so many records together."""
        found: list[Parked] = []
        for name, due_at in self._names():
            if due_at > now_ms or sum(len(each.tail.waiting) for each in found) >= records:
                break
            tail = self._read(name)
            if tail is not None:
                found.append(Parked(name, due_at, tail))
        return found

    def next_due(self) -> int | None:
        """When the first is due, in ms since epoch; None where nothing is parked."""
        return next((due_at for _, due_at in self._names()), None)

    def forget(self, parked: Sequence[Parked]) -> None:
        """Remove tails whose records are settled, or parked anew."""
        for each in parked:
            self._objects.delete(each.name)

    def _names(self) -> Iterator[tuple[str, int]]:
        for name in self._objects.list(self._prefix):
            due_at = name.removeprefix(self._prefix).partition("-")[0]
            if due_at.isascii() and due_at.isdecimal():  # else it was not we who put it there
                yield name, int(due_at)

    def _read(self, name: str) -> Tail | None:
        """The tail, None for one that another replay has taken meanwhile, or that this release cannot read."""
        data = self._objects.get(name)
        if data is None:
            return None
        try:
            if data.startswith(FORMAT):
                return msgspec.msgpack.decode(data[len(FORMAT) :], type=Tail)
        except msgspec.MsgspecError:
            pass
        log.error("the parked records in %s were packed by another release, which will replay them", name)
        return None
