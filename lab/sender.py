"""Posts to Grandstand as a careful sender does: kept connections, and retries of identical bytes until answered."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import httpx
import msgspec

from shared.errors import GrandstandError

_AGAIN_LATER: Final = frozenset({408, 429, 500, 502, 503, 504})
_TAKEN: Final = frozenset({200, 202, 204})
_NOT_TAKEN: Final = frozenset({400, 413, 415, 422})
"""The message is at fault: its events are rejected, the next ones may be in order."""
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0
_TOLD_REASONS: Final = 20
_IDLE_SECONDS: Final = 3.0
"""Less than the five after which uvicorn closes an idle connection, perhaps under a post."""


class Refused(GrandstandError):
    """The suite answered in a way that no retry mends; the message holds the answer."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail


class Unreachable(GrandstandError):
    """Nothing answered for as long as the sender's patience lasts."""


@dataclass(frozen=True, slots=True)
class Message:
    """One request. `events` is how many events it holds; the path may carry a query."""

    path: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    events: int = 1
    method: str = "POST"
    late: bool = False
    again: bool = False


@dataclass(slots=True)
class Tally:
    """What became of the events, counted by their messages' answers."""

    posts: int = 0
    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    """How often a message was sent again because nothing, or a 503, came back."""
    late: int = 0
    duplicates: int = 0
    """Events that were sent a second time on purpose; they are in `sent` and `accepted` too."""

    def told_of_file(self) -> dict[str, Any]:
        """What there is to tell where nobody answers."""
        return {"posts": self.posts, "events": self.sent, "late": self.late, "duplicates": self.duplicates}

    def told(self) -> dict[str, Any]:
        """Everything, by name."""
        return {
            "posts": self.posts,
            "sent": self.sent,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "reasons": dict(self.reasons.most_common(_TOLD_REASONS)),
            "retried": self.retried,
            "late": self.late,
            "duplicates": self.duplicates,
        }


class _Answer(msgspec.Struct):
    """What the sender reads of an answer; of a problem document `detail` as well."""

    accepted: int | None = None
    rejected: list[dict[str, Any]] = []
    report_every_seconds: int | None = None
    detail: str | None = None


class Sender:
    """Some connections that take messages from one queue; used as an async context manager.

    Leaving it waits until everything is answered. The first message that is refused, or that nobody answers within
    `patience` seconds, stops the sender: `send` and leaving then raise Refused or Unreachable.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        connections: int = 16,
        patience: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.tally = Tally()
        self.report_every_seconds: int | None = None
        """As the newest answer says."""
        self._url = url
        self._patience = patience
        self._connections = connections
        limits = httpx.Limits(max_connections=connections, keepalive_expiry=_IDLE_SECONDS)
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"authorization": f"Bearer {key}"} if key else {},
            limits=limits,
            timeout=httpx.Timeout(30.0, connect=5.0),
            transport=transport,
            trust_env=False,
        )
        self._queue: asyncio.Queue[Message] = asyncio.Queue(maxsize=2 * connections)
        self._workers: list[asyncio.Task[None]] = []
        self._failed: asyncio.Future[None]

    async def __aenter__(self) -> Self:
        self._failed = asyncio.get_running_loop().create_future()
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._connections)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.drain()
        finally:
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
            self._failed.cancel()
            await self._client.aclose()

    async def send(self, message: Message) -> None:
        """Hand a message over; waits while too many are under way."""
        await self._unless_failed(self._queue.put(message))

    async def drain(self) -> None:
        """Wait until every message is answered."""
        await self._unless_failed(self._queue.join())

    async def _unless_failed(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        await asyncio.wait({task, self._failed}, return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._failed.result()
        await task

    async def _work(self) -> None:
        while True:
            message = await self._queue.get()
            try:
                await self._deliver(message)
            except (Refused, Unreachable) as error:
                if not self._failed.done():
                    self._failed.set_exception(error)
            finally:
                self._queue.task_done()

    async def _deliver(self, message: Message) -> None:
        """Send until there is an answer that settles it."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience
        pause = _FIRST_PAUSE
        while True:
            answer, trouble = await self._once(message)
            if answer is not None and answer.status_code not in _AGAIN_LATER:
                self._count(message, answer)
                return
            if loop.time() >= give_up:
                raise Unreachable(f"{self._url} did not take a post for {self._patience:.0f} s: {trouble}")
            self.tally.retried += 1
            await asyncio.sleep(max(pause * (0.5 + random.random() / 2), _asked_to_wait(answer)))
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _once(self, message: Message) -> tuple[httpx.Response | None, str]:
        try:
            answer = await self._client.request(
                message.method, message.path, content=message.content, headers=dict(message.headers)
            )
        except httpx.TransportError as error:
            return None, f"{type(error).__name__} {error}".strip()
        return answer, f"it answers {answer.status_code} {_detail(answer)}"

    def _count(self, message: Message, answer: httpx.Response) -> None:
        if answer.status_code not in _TAKEN | _NOT_TAKEN:
            raise Refused(answer.status_code, _detail(answer))
        told = _read(answer)
        rejected = len(told.rejected) if answer.status_code in _TAKEN else message.events
        tally = self.tally
        tally.posts += 1
        tally.sent += message.events
        tally.rejected += rejected
        tally.accepted += message.events - rejected if told.accepted is None else told.accepted
        tally.late += message.events * message.late
        tally.duplicates += message.events * message.again
        for rejection in told.rejected or [{"reason": _detail(answer)}] * rejected:
            tally.reasons[str(rejection.get("reason"))[:120]] += 1
        if told.report_every_seconds:
            self.report_every_seconds = told.report_every_seconds


def _asked_to_wait(answer: httpx.Response | None) -> float:
    """`Retry-After` in seconds, 0 where there is none."""
    told = answer.headers.get("retry-after", "") if answer is not None else ""
    return float(told) if told.isdigit() else 0.0


def _read(answer: httpx.Response) -> _Answer:
    try:
        return msgspec.json.decode(answer.content, type=_Answer)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return _Answer()


def _detail(answer: httpx.Response) -> str:
    """What a problem document says, or the beginning of the body."""
    return _read(answer).detail or answer.text[:200].strip() or answer.reason_phrase
