"""A cache before the suite, and how many pages look through it: what does the suite see of a thousand?"""

import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

S_MAXAGE: Final = re.compile(r"(?:^|,)\s*s-maxage=(\d+)")


@dataclass(frozen=True)
class _Kept:
    answer: httpx.Response
    until: float


class Edge(httpx.BaseTransport):
    """A shared cache, as a CDN's edge is (RFC 9111): keeps what is `public` for `s-maxage`, by address and `Vary`.

    `now` tells the seconds by which answers grow old; `passed` counts what reached the origin.
    """

    def __init__(self, origin: httpx.BaseTransport, now: Callable[[], float]) -> None:
        self.passed = 0
        self._origin = origin
        self._now = now
        self._kept: dict[tuple[str, ...], _Kept] = {}
        self._vary: dict[str, list[str]] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        kept = self._kept.get(self._key(request))
        if kept is not None and kept.until > self._now():
            return kept.answer
        answer = self._origin.handle_request(request)
        answer.read()
        self.passed += 1
        self._keep(request, answer)
        return answer

    def _key(self, request: httpx.Request) -> tuple[str, ...]:
        address = f"{request.method} {request.url}"
        return (address, *(request.headers.get(name, "") for name in self._vary.get(address, ())))

    def _keep(self, request: httpx.Request, answer: httpx.Response) -> None:
        vary = [name.strip() for name in answer.headers.get("vary", "").split(",") if name.strip()]
        rule = answer.headers.get("cache-control", "")
        found = S_MAXAGE.search(rule)
        if request.method != "GET" or "public" not in rule or found is None or "*" in vary:
            return
        self._vary[f"{request.method} {request.url}"] = vary
        self._kept[self._key(request)] = _Kept(answer, self._now() + int(found[1]))


@dataclass(frozen=True)
class Poll:
    """One question of a page: `at` seconds after it began to watch."""

    at: float
    url: str
    headers: tuple[tuple[str, str], ...] = ()


class Recorder:
    """What a page asks for, and when."""

    def __init__(self, page: "Page") -> None:
        self.requests: list[tuple[float, Request]] = []
        page.on("request", self._sent)

    def polls(self, seconds: float) -> list[Poll]:
        """What the page has read from the API in the last so many seconds."""
        begun = time.monotonic() - seconds
        return [
            Poll(at - begun, sent.url, tuple(sent.headers.items()))
            for at, sent in self.requests
            if at >= begun and sent.method == "GET" and of_api(sent)
        ]

    def _sent(self, request: "Request") -> None:
        self.requests.append((time.monotonic(), request))


def of_api(request: "Request") -> bool:
    """Whether it asks for data, not for a file of the page."""
    return urlsplit(request.url).path.startswith("/v1/")


def requests_of(pages: int, polls: Sequence[Poll], seconds: float, phase_seconds: float) -> int:
    """What reaches the suite through a cache when so many pages ask what one page was recorded to ask.

    Each page begins at a random moment within `phase_seconds`. Answers are real; time is counted, not awaited.
    """
    choose = random.Random(pages)
    starts = [choose.uniform(0, phase_seconds) for _ in range(pages)]
    asked = sorted(((start + poll.at, poll) for start in starts for poll in polls), key=lambda pair: pair[0])
    clock = 0.0
    with httpx.HTTPTransport() as origin:
        edge = Edge(origin, lambda: clock)
        for clock, poll in asked:
            if phase_seconds <= clock < seconds:  # all of them are there, and none has gone
                edge.handle_request(httpx.Request("GET", poll.url, headers=poll.headers))
        return edge.passed
