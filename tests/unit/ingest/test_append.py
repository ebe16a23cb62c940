"""A request is answered when the stream has all of its records, and not before."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from functions.ingest.append import ATTEMPTS, GroupCommit, append_all
from shared.errors import Unavailable
from shared.stream import NewRecord
from tests.unit.ingest.doubles import Shelf


def record(name: str) -> NewRecord:
    return NewRecord(name.encode().ljust(16), f"{name}#0", name.encode())


def names(shelf: Shelf) -> list[str]:
    return [each.body.decode() for each in shelf.records]


class Moody(Shelf):
    """Refuses each record so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left: dict[bytes, int] = {}
        self.times = times
        self.refuse = self._refuse

    def _refuse(self, record: NewRecord) -> str | None:
        left = self.left.setdefault(record.record_id, self.times)
        self.left[record.record_id] = left - 1
        return "busy" if left > 0 else None


def test_what_is_refused_is_tried_again_and_what_was_taken_is_not() -> None:
    shelf, pauses = Moody(0), list[float]()
    shelf.left[record("b").record_id] = 2
    append_all(shelf, [record("a"), record("b"), record("c")], pauses.append)
    assert names(shelf) == ["a", "c", "b"]
    assert len(pauses) == 2
    assert all(0 <= pause < 1 for pause in pauses)


def test_it_gives_up_and_says_so() -> None:
    shelf, pauses = Moody(99), list[float]()
    with pytest.raises(Unavailable, match="busy"):
        append_all(shelf, [record("a")], pauses.append)
    assert len(pauses) == ATTEMPTS - 1


def test_a_stream_that_cannot_be_reached_or_answers_too_little_has_not_taken_the_record() -> None:
    class Away(Shelf):
        calls = 0

        def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
            self.calls += 1
            if self.calls == 1:
                raise Unavailable("no route")
            return super().append(records)[: 0 if self.calls == 2 else None]

    shelf = Away()
    append_all(shelf, [record("a")], lambda _: None)
    assert shelf.calls == 3
    assert names(shelf) == ["a", "a"]


class Slow(Shelf):
    """Holds its first append until it is let go; remembers how many records came together."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.entered = threading.Event()
        self.groups: list[int] = []

    def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        self.groups.append(len(records))
        self.entered.set()
        assert self.go.wait(5)
        return super().append(records)


def test_requests_that_wait_are_committed_together() -> None:
    shelf = Slow()

    async def scene() -> None:
        group = GroupCommit(shelf)
        first = asyncio.create_task(group.append([record("first")]))
        await asyncio.to_thread(shelf.entered.wait, 5)
        others = [asyncio.create_task(group.append([record(f"r{i}"), record(f"s{i}")])) for i in range(5)]
        await asyncio.sleep(0)
        assert not first.done()
        shelf.go.set()
        await asyncio.gather(first, *others)

    asyncio.run(scene())
    assert shelf.groups == [1, 10]
    assert len(shelf.records) == 11


def test_one_requests_refused_record_fails_that_request_alone() -> None:
    shelf = Shelf(refuse=lambda record: "too large" if record.body == b"bad" else None)

    async def scene() -> list[BaseException | None]:
        group = GroupCommit(shelf, linger_seconds=0.01)
        requests = [group.append([record("good"), record("bad")]), group.append([record("fine")])]
        return await asyncio.gather(*requests, return_exceptions=True)

    failed, taken = asyncio.run(scene())
    assert isinstance(failed, Unavailable)
    assert taken is None
    assert names(shelf) == ["good", "fine"]


def test_a_fault_of_the_stream_itself_reaches_every_request_and_the_next_ones_go_on() -> None:
    class Broken(Shelf):
        def append(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
            self.appends += 1
            if self.appends == 1:
                raise KeyError("a bug")
            return super().append(records)

    shelf = Broken()

    async def scene() -> None:
        group = GroupCommit(shelf, linger_seconds=0.01)
        both = await asyncio.gather(*(group.append([record(each)]) for each in "ab"), return_exceptions=True)
        assert [type(each) for each in both] == [KeyError, KeyError]
        await group.append([record("c")])

    asyncio.run(scene())
    assert names(shelf) == ["c"]


def test_a_request_that_is_given_up_harms_no_other_and_each_loop_has_its_own_group() -> None:
    shelf = Slow()
    group = GroupCommit(shelf)

    async def scene() -> None:
        shelf.entered.clear()
        given_up = asyncio.create_task(group.append([record("a")]))
        await asyncio.to_thread(shelf.entered.wait, 5)
        waiting = asyncio.create_task(group.append([record("b")]))
        given_up.cancel()
        shelf.go.set()
        await waiting

    asyncio.run(scene())
    asyncio.run(scene())
    assert names(shelf) == ["a", "b", "a", "b"]


def test_a_stream_that_falls_far_behind_turns_requests_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.ingest.append.MAX_WAITING", 2)
    shelf = Slow()

    async def scene() -> None:
        group = GroupCommit(shelf)
        first = asyncio.create_task(group.append([record("a")]))
        await asyncio.to_thread(shelf.entered.wait, 5)
        second = asyncio.create_task(group.append([record("b")] * 3))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="slower"):
            await group.append([record("c")])
        shelf.go.set()
        await asyncio.gather(first, second)

    asyncio.run(scene())
    assert names(shelf) == ["a", "b", "b", "b"]
