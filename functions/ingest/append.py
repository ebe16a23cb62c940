"""Records reach the stream, or the sender learns that they did not."""

import asyncio
import time
from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import Final

from shared.errors import Unavailable
from shared.ports import Stream
from shared.stream import NewRecord

ATTEMPTS: Final = 5
FIRST_PAUSE_SECONDS: Final = 0.03
CHANCE: Final = SystemRandom()
MAX_WAITING: Final = 20_000
"""Records that may wait for a slow stream before requests are turned away."""
Append = Callable[[Sequence[NewRecord]], Sequence[str | None]]


def pause_seconds(attempt: int) -> float:
    """How long to wait after the attempt (0, 1, …) failed: up to twice as long each time, with full jitter
    (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015).
    """
    return CHANCE.uniform(0, FIRST_PAUSE_SECONDS * 2**attempt)


def append_all(stream: Stream, records: Sequence[NewRecord], sleep: Callable[[float], None] = time.sleep) -> None:
    """Append every record, those that the stream refuses a few times. Raises Unavailable when some stay refused."""
    waiting, reasons = list(records), [""]
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(pause_seconds(attempt - 1))
        waiting, reasons = refused(waiting, attempt_append(stream.append, waiting))
        if not waiting:
            return
    raise not_taken(len(waiting), reasons[0])


def attempt_append(append: Append, records: Sequence[NewRecord]) -> Sequence[str | None]:
    """One answer a record, also when nothing could be tried; a missing answer is no success."""
    try:
        answers = list(append(records))
    except Unavailable as error:
        return [error.detail] * len(records)
    return answers + ["the stream did not answer"] * (len(records) - len(answers))


def refused(records: Sequence[NewRecord], answers: Sequence[str | None]) -> tuple[list[NewRecord], list[str]]:
    """The records that were not taken, and why."""
    pairs = [(record, why) for record, why in zip(records, answers, strict=True) if why is not None]
    return [record for record, _ in pairs], [why for _, why in pairs]


def not_taken(count: int, reason: str) -> Unavailable:
    """The stream refused records for good; the sender is to send the same body again."""
    return Unavailable(
        f"the stream refused {count} records ({reason}); send the same body again", retry_after_seconds=2
    )


class GroupCommit:
    """Appends for the requests of one event loop together, as databases commit in groups.

    While one append is under way in a worker thread, requests queue; the next append takes all of them. What the
    stream refuses is tried again by its own request, so that one bad record holds up no other request.
    `linger_seconds` is how long the first of a group waits for company.
    """

    def __init__(self, stream: Stream, *, linger_seconds: float = 0.0) -> None:
        self._stream = stream
        self._linger_seconds = linger_seconds
        self._queue: list[tuple[Sequence[NewRecord], asyncio.Future[Sequence[str | None]]]] = []
        self._waiting = 0
        self._draining: asyncio.Task[None] | None = None

    async def append(self, records: Sequence[NewRecord]) -> None:
        """Returns when the stream has every record. Raises Unavailable when some stay refused."""
        waiting, reasons = list(records), [""]
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(pause_seconds(attempt - 1))
            waiting, reasons = refused(waiting, await self._together(waiting))
            if not waiting:
                return
        raise not_taken(len(waiting), reasons[0])

    async def _together(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        if self._waiting > MAX_WAITING:
            told = "the stream is slower than what comes in; send the same body again"
            raise Unavailable(told, retry_after_seconds=2)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[str | None]] = loop.create_future()
        self._queue.append((records, answer))
        self._waiting += len(records)
        if self._draining is None or self._draining.done() or self._draining.get_loop() is not loop:
            self._draining = loop.create_task(self._drain())
        return await answer

    async def _drain(self) -> None:
        if self._linger_seconds:
            await asyncio.sleep(self._linger_seconds)
        while self._queue:
            group, self._queue, self._waiting = self._queue, [], 0
            flat = [record for records, _ in group for record in records]
            try:
                answers = await asyncio.to_thread(attempt_append, self._stream.append, flat)
            except Exception as error:
                for _, answer in group:
                    _fail(answer, error)
                continue
            start = 0
            for records, answer in group:
                _tell(answer, answers[start : start + len(records)])
                start += len(records)


def _tell(answer: "asyncio.Future[Sequence[str | None]]", answers: Sequence[str | None]) -> None:
    if not answer.done():
        answer.set_result(answers)


def _fail(answer: "asyncio.Future[Sequence[str | None]]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
