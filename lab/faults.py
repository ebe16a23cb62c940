"""What goes wrong in clouds, at chosen moments: ports that fail, and deliveries that are interfered with.

A `Plan` deals out mishaps one at a time, so a test (hypothesis, or a seeded generator) decides each, and a failing
history can be shrunk and repeated. When the plan is used up everything works, so every history ends.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum
from functools import cache
from typing import TypeVar

from adapters.local.triggers import Faults
from shared.errors import Unavailable, VersionConflict
from shared.ports import Item, Key, ObjectStore, Page, Ports, Stream, Table
from shared.stream import NewRecord

T = TypeVar("T")


class Crash(BaseException):
    """The process dies here. Not an Exception, so no handler can survive it."""


class Mishap(Enum):
    """What may happen at a step; where one makes no sense there, nothing happens."""

    NONE = "nothing"
    CRASH_BEFORE = "the process dies before the effect"
    CRASH_AFTER = "the process dies after the effect"
    FAIL = "the store refuses"
    LOSE_ANSWER = "the effect happens, the answer is lost"
    FALSE_CONFLICT = "a client library tries its own write again and reports a conflict with itself"
    SMALLER = "a smaller batch is delivered"
    REWIND = "delivery goes back: a larger batch comes again"
    RIVAL = "another instance does the same work first"
    NEIGHBOUR = "the function that hands on, or is handed on to, runs first"


class Plan:
    """A supply of mishaps, in order; `log` remembers where each struck."""

    def __init__(self, mishaps: Iterable[Mishap] = ()) -> None:
        self.log: list[tuple[str, Mishap]] = []
        self.deal(mishaps)
        self.others: dict[Mishap, Callable[[], object]] = {}
        """What runs in between at a RIVAL or a NEIGHBOUR, at once and without mishaps."""

    def deal(self, mishaps: Iterable[Mishap]) -> None:
        """What happens from now on, in place of what was left."""
        self._mishaps: Iterator[Mishap] = iter(mishaps)

    def draw(self, step: str) -> Mishap:
        mishap = next(self._mishaps, Mishap.NONE)
        if mishap is not Mishap.NONE:
            self.log.append((step, mishap))
        if mishap in self.others:
            rest, self._mishaps = self._mishaps, iter(())
            self.others[mishap]()
            self._mishaps = rest
        return mishap

    def reading(self, step: str, effect: Callable[[], T]) -> T:
        """Read, or fail to."""
        match self.draw(step):
            case Mishap.CRASH_BEFORE | Mishap.CRASH_AFTER:
                raise Crash(step)
            case Mishap.FAIL | Mishap.LOSE_ANSWER:
                raise Unavailable(f"{step}: a mishap was planned here; try again")
        return effect()

    def writing(self, step: str, effect: Callable[[], T]) -> T:
        """Write, or fail to, or write without knowing it."""
        mishap = self.draw(step)
        if mishap is Mishap.CRASH_BEFORE:
            raise Crash(step)
        if mishap is Mishap.FAIL:
            raise Unavailable(f"{step}: a mishap was planned here; try again")
        result = effect()
        if mishap is Mishap.CRASH_AFTER:
            raise Crash(step)
        if mishap is Mishap.LOSE_ANSWER:
            raise Unavailable(f"{step}: the answer was lost, as planned; try again")
        return result


class FaultyDelivery(Faults):
    """Crashes between the steps of a delivery, smaller batches, and batches that come again."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def reach(self, step: str) -> None:
        if self._plan.draw(f"delivery {step}") in (Mishap.CRASH_BEFORE, Mishap.CRASH_AFTER):
            raise Crash(step)

    def start(self, position: int) -> int:
        return position // 2 if self._plan.draw("delivery start") is Mishap.REWIND else position

    def size(self, limit: int) -> int:
        return max(1, limit // 3) if self._plan.draw("delivery size") is Mishap.SMALLER else limit


class FaultyStream:
    """A stream whose appends fail, partly fail, or succeed unknown to the caller."""

    def __init__(self, stream: Stream, plan: Plan, name: str = "stream") -> None:
        self._stream = stream
        self._plan = plan
        self._name = name

    def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        step = f"{self._name}.append"
        mishap = self._plan.draw(step)
        if mishap is Mishap.CRASH_BEFORE:
            raise Crash(step)
        if mishap is Mishap.FAIL:
            raise Unavailable(f"{step}: a mishap was planned here; try again")
        if mishap is Mishap.SMALLER:  # only the first half is taken
            half = len(records) // 2
            return [*self._stream.append(records[:half]), *["throttled"] * (len(records) - half)]
        results = self._stream.append(records)
        if mishap is Mishap.CRASH_AFTER:
            raise Crash(step)
        if mishap is Mishap.LOSE_ANSWER:
            return ["the answer was lost"] * len(records)
        return results


class FaultyTable:
    """A table whose calls fail, or take effect unknown to the caller."""

    def __init__(self, table: Table, plan: Plan, name: str = "table") -> None:
        self._table = table
        self._plan = plan
        self._name = name

    def get(self, partition: str, sort: str) -> Item | None:
        return self._plan.reading(f"{self._name}.get", lambda: self._table.get(partition, sort))

    def batch_get(self, keys: Sequence[Key]) -> dict[Key, Item]:
        return self._plan.reading(f"{self._name}.batch_get", lambda: self._table.batch_get(keys))

    def put(
        self,
        partition: str,
        sort: str,
        value: bytes,
        *,
        if_version: str | None = None,
        expires_at: int | None = None,
    ) -> str:
        step = f"{self._name}.put"
        mishap = self._plan.draw(step)

        def write() -> str:
            return self._table.put(partition, sort, value, if_version=if_version, expires_at=expires_at)

        if mishap is Mishap.FALSE_CONFLICT and if_version is not None:
            write()
            raise VersionConflict(f"{step}: a conflict with itself, as planned")
        return Plan([mishap]).writing(step, write)

    def delete(self, partition: str, sort: str, *, if_version: str | None = None) -> None:
        self._plan.writing(f"{self._name}.delete", lambda: self._table.delete(partition, sort, if_version=if_version))

    def query(
        self,
        partition: str,
        *,
        start: str = "",
        end: str | None = None,
        limit: int = 1_000,
        cursor: str | None = None,
    ) -> Page:
        return self._plan.reading(
            f"{self._name}.query",
            lambda: self._table.query(partition, start=start, end=end, limit=limit, cursor=cursor),
        )


class FaultyObjects:
    """An object store whose calls fail, or take effect unknown to the caller."""

    def __init__(self, objects: ObjectStore, plan: Plan, name: str = "objects") -> None:
        self._objects = objects
        self._plan = plan
        self._name = name

    def get(self, name: str) -> bytes | None:
        return self._plan.reading(f"{self._name}.get", lambda: self._objects.get(name))

    def put(self, name: str, data: bytes) -> None:
        self._plan.writing(f"{self._name}.put", lambda: self._objects.put(name, data))

    def list(self, prefix: str = "") -> Iterator[str]:
        return self._plan.reading(f"{self._name}.list", lambda: self._objects.list(prefix))

    def delete(self, name: str) -> None:
        self._plan.writing(f"{self._name}.delete", lambda: self._objects.delete(name))


def faulty(ports: Ports, plan: Plan) -> Ports:
    """The same stores seen through `plan`."""
    return replace(
        ports,
        stream=cache(lambda name: FaultyStream(ports.stream(name), plan, name)),
        table=cache(lambda name: FaultyTable(ports.table(name), plan, name)),
        objects=cache(lambda name: FaultyObjects(ports.objects(name), plan, name)),
    )
