"""What the platform posts to a function that is not for people: pushes and drains, tasks, schedules.

| path     | who posts to it                                            | what the answer means           |
|----------|------------------------------------------------------------|---------------------------------|
| `/drain` | Cloud Scheduler: pull the subscription until time is up    | nothing                         |
| `/`      | Pub/Sub: a message of the function's push subscription     | 204 settled, 503 it comes again |
| `/bury`  | Pub/Sub: a message of the subscription's dead-letter topic | 204 kept, 503 it comes again    |
| `/task`  | Cloud Tasks: a message of the function's queue             | 204 settled, 503 it comes again |
| `/run`   | Cloud Scheduler: a schedule is due                         | nothing                         |

Tasks and schedules may be posted to `/` as well.

The platform itself checks who posts (IAM), so whatever comes through is meant for us. What is no push at all is
answered 400: the service that posts keeps it, tries again, and ends at its own dead-letter topic. A message that is
not ours is handed on as it is to our dead letters.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from adapters.common.hosting import Hosted
from adapters.gcp import push
from adapters.gcp.delivery import Delivery, Terms
from adapters.gcp.drain import Drain
from adapters.gcp.pubsub import Subscription
from functions.manifest import Every, Function, Http, OnQueue, OnStream
from shared.errors import InvalidInput
from shared.ports import Clock
from shared.settings import Settings
from shared.stream import Deadline, Message

log = logging.getLogger("grandstand.triggers")

DRAIN_SECONDS: Final = 75
"""How long a drain pulls; one is started each minute, so that the next has begun when it ends.

Cloud Scheduler starts a job anew only once its last run has ended, so two jobs take turns: even minutes and odd ones.
"""
MARGIN_SECONDS: Final = 10
RETRIES: Final = "x-cloudtasks-taskretrycount"

Subscribe = Callable[[str, str], Subscription]
"""The subscription of a stream for a function, by their names."""


def invocation_seconds(function: Function) -> int:
    """How long an invocation may last, which its deployment must allow it."""
    match function.trigger:
        case OnStream(window_ms=window_ms):
            return DRAIN_SECONDS + window_ms // 1_000 + function.timeout_seconds + MARGIN_SECONDS
        case Every(seconds=seconds) if seconds < 60:
            return 60 + seconds + function.timeout_seconds + MARGIN_SECONDS
        case _:
            return function.timeout_seconds


@dataclass(frozen=True, slots=True)
class Call:
    """A request of the platform's; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """Its answer."""

    status: int
    text: str = ""


SETTLED: Final = Reply(204)
AGAIN: Final = Reply(503, "It is not settled; send it again.")


class Triggers:
    """The calls of one function that is started by a stream, a queue or a schedule."""

    def __init__(self, hosted: Hosted, clock: Clock, settings: Settings, subscribe: Subscribe) -> None:
        self._hosted = hosted
        self._clock = clock
        self._settings = settings
        self._subscribe = subscribe
        self._paths: Mapping[str, Callable[[Call, Deadline], Reply]] = self._served()

    def answer(self, call: Call, deadline: Deadline) -> Reply:
        """Do what a call asks for. Raises nothing that is not a mistake in the function's deployment."""
        serve = self._paths.get(call.path)
        if serve is None:
            told = ", ".join(self._paths)
            return Reply(404, f"{self._hosted.function.name} is called at {told}, not at {call.path}.")
        if call.method != "POST":
            return Reply(405, "Use POST here.")
        try:
            return serve(call, deadline)
        except InvalidInput as error:
            log.error("%s was sent what it cannot read: %s", self._hosted.function.name, error)
            return Reply(400, str(error))
        finally:
            self._hosted.rest()

    def _served(self) -> Mapping[str, Callable[[Call, Deadline], Reply]]:
        match self._hosted.function.trigger:
            case OnStream():
                return {"/drain": self._drain_it, "/": self._take, "/bury": self._bury}
            case OnQueue():
                return {"/task": self._work, "/": self._work}
            case Every():
                return {"/run": self._run, "/": self._run}
            case Http():
                return {}

    @cached_property
    def delivery(self) -> Delivery:
        """Of a stream's consumer."""
        function = self._hosted.function
        assert isinstance(function.trigger, OnStream)  # noqa: S101  for mypy; `settler` refuses the others
        terms = Terms(
            batch_records=function.trigger.batch_records,
            window_ms=function.trigger.window_ms,
            timeout_ms=1_000 * function.timeout_seconds,
            max_age_ms=1_000 * self._settings.horizon_seconds,
        )
        return Delivery(self._hosted.settler, function.trigger.stream, self._clock, terms)

    @cached_property
    def _drain(self) -> Drain:
        function = self._hosted.function
        assert isinstance(function.trigger, OnStream)  # noqa: S101
        subscription = self._subscribe(function.trigger.stream, function.name)
        return Drain(self.delivery, subscription, rest=self._hosted.rest)

    def _drain_it(self, _: Call, deadline: Deadline) -> Reply:
        return Reply(200, f"{self._drain.run(deadline)} records")

    def _take(self, call: Call, deadline: Deadline) -> Reply:
        return SETTLED if push.take(self.delivery, call.body, deadline) else AGAIN

    def _bury(self, call: Call, _: Deadline) -> Reply:
        return SETTLED if push.bury(self.delivery, call.body) else AGAIN

    def _work(self, call: Call, deadline: Deadline) -> Reply:
        told = call.headers.get(RETRIES, "0")
        if not told.isdecimal():
            raise InvalidInput(f"{RETRIES} is a number, not {told!r}", reason="not-a-task")
        return SETTLED if self._hosted.message(Message(call.body, int(told) + 1), deadline) else AGAIN

    def _run(self, _: Call, deadline: Deadline) -> Reply:
        self._hosted.run(deadline)
        return SETTLED
