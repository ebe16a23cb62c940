"""Answers that are made once for all who ask."""

import asyncio
import threading
import weakref
from collections.abc import Callable

import pytest

from functions.http.shared_answers import MAX_KEPT, SharedAnswers
from lab.memory import MemoryClock


def counting(made: list[str], answer: str) -> Callable[[], str]:
    def make() -> str:
        made.append(answer)
        return answer

    return make


def test_all_who_ask_at_once_get_the_same_answer_and_later_ones_a_new_one() -> None:
    clock, made = MemoryClock(), list[str]()
    shared: SharedAnswers[str] = SharedAnswers(clock, 1_000)

    async def ask(times: int) -> set[str]:
        return set(await asyncio.gather(*(shared.get("key", counting(made, "answer")) for _ in range(times))))

    for expected in (1, 1, 2):
        assert asyncio.run(ask(20)) == {"answer"}
        assert len(made) == expected
        clock.advance(600)


def test_an_error_reaches_all_who_wait_and_is_forgotten() -> None:
    shared: SharedAnswers[str] = SharedAnswers(MemoryClock(), 1_000)

    def fail() -> str:
        raise LookupError

    async def ask() -> list[str | BaseException]:
        return await asyncio.gather(*(shared.get("key", fail) for _ in range(3)), return_exceptions=True)

    assert [type(one) for one in asyncio.run(ask())] == [LookupError] * 3
    assert asyncio.run(shared.get("key", lambda: "fine")) == "fine"


def test_who_goes_away_takes_the_answer_from_nobody() -> None:
    shared: SharedAnswers[str] = SharedAnswers(MemoryClock(), 1_000)

    async def ask() -> str:
        first = asyncio.ensure_future(shared.get("key", lambda: "answer"))
        second = asyncio.ensure_future(shared.get("key", lambda: "another"))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await second

    assert asyncio.run(ask()) == "answer"


def test_only_so_many_answers_are_kept_and_the_oldest_go_first() -> None:
    shared: SharedAnswers[str] = SharedAnswers(MemoryClock(), 1_000)
    made: list[str] = []

    async def ask() -> None:
        for number in range(MAX_KEPT + 1):
            await shared.get(number, counting(made, str(number)))
        await shared.get(1, counting(made, "never"))
        await shared.get(0, counting(made, "again"))

    asyncio.run(ask())
    assert made[-2:] == [str(MAX_KEPT), "again"]


def test_an_answer_that_is_too_old_to_be_handed_out_is_not_held() -> None:
    class Large:
        pass

    clock = MemoryClock()
    shared: SharedAnswers[Large] = SharedAnswers(clock, 1_000)
    held: list[weakref.ref[Large]] = []

    async def ask() -> None:
        for number in range(3):
            held.append(weakref.ref(await shared.get(number, Large)))
            clock.advance(600)

    asyncio.run(ask())
    assert [one() is None for one in held] == [True, False, False]


def test_no_more_are_made_at_once_than_may_be() -> None:
    lock, both = threading.Lock(), threading.Barrier(2)
    at_work: list[int] = [0]

    def make() -> int:
        with lock:
            at_work[0] += 1
            together = at_work[0]
        both.wait(10)
        with lock:
            at_work[0] -= 1
        return together

    async def asked() -> list[int]:
        shared: SharedAnswers[int] = SharedAnswers(MemoryClock(), 1_000, at_once=2)
        return await asyncio.gather(*(shared.get(key, make) for key in range(10)))

    assert max(asyncio.run(asked())) == 2


def test_one_that_fails_lets_the_next_have_its_turn() -> None:
    shared: SharedAnswers[str] = SharedAnswers(MemoryClock(), 1_000, at_once=1)

    def fail() -> str:
        raise LookupError

    async def asked() -> tuple[str | BaseException, str | BaseException]:
        return await asyncio.gather(shared.get("a", fail), shared.get("b", lambda: "fine"), return_exceptions=True)

    failed, fine = asyncio.run(asked())
    assert isinstance(failed, LookupError)
    assert fine == "fine"
