"""Answers that many callers ask for at once: made once, kept for a moment, handed to all."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from shared.ports import Clock

Answer = TypeVar("Answer")
MAX_KEPT = 1_000
MAX_AT_ONCE = 1_000


class SharedAnswers(Generic[Answer]):
    """While an answer is being made, whoever asks for the same waits for it; made in a thread, kept `keep_ms`.

    `at_once` bounds how many are made at a time; the others wait in turn, and hold no thread meanwhile.
    """

    def __init__(self, clock: Clock, keep_ms: int, at_once: int = MAX_AT_ONCE) -> None:
        self._clock = clock
        self._keep_ms = keep_ms
        self._kept: dict[Hashable, tuple[int, Answer]] = {}
        self._making: dict[Hashable, asyncio.Task[Answer]] = {}
        self._turns = asyncio.Semaphore(at_once)

    async def get(self, key: Hashable, make: Callable[[], Answer]) -> Answer:
        """The kept answer, else the one being made, else a new one. What `make` raises, all who wait get."""
        kept = self._kept.get(key)
        if kept is not None and 0 <= self._clock.now_ms() - kept[0] < self._keep_ms:
            return kept[1]
        making = self._making.get(key)
        if making is None:
            making = asyncio.get_running_loop().create_task(self._make(key, make))
            self._making[key] = making
            making.add_done_callback(lambda _: self._making.pop(key, None))
        return await asyncio.shield(making)

    async def _make(self, key: Hashable, make: Callable[[], Answer]) -> Answer:
        async with self._turns:
            begun = self._clock.now_ms()
            answer = await run_in_threadpool(make)
        self._kept.pop(key, None)
        self._forget()
        self._kept[key] = (begun, answer)
        return answer

    def _forget(self) -> None:
        """Drop what is too old to be handed out, and the oldest where there are too many."""
        now = self._clock.now_ms()
        while self._kept:
            oldest = next(iter(self._kept))
            if len(self._kept) < MAX_KEPT and now - self._kept[oldest][0] < self._keep_ms:
                return
            del self._kept[oldest]
