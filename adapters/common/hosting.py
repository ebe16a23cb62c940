"""One function of the manifest on one instance of a cloud: made when it is first needed, kept between invocations."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from adapters.common.settling import Settler
from functions.manifest import Every, Function, Http, OnQueue, OnStream
from shared.dead_letters import DeadLetters
from shared.errors import Misconfigured, Unavailable
from shared.health.metered import metered_batches, metered_messages, metered_run
from shared.health.pulses import PULSES_TABLE, Pulses
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import Deadline, Done, Message, Reject

if TYPE_CHECKING:
    from starlette.types import ASGIApp

T = TypeVar("T")

log = logging.getLogger("grandstand.hosting")

SCHEDULER_SECONDS: Final = 60
"""How often a cloud's scheduler starts a schedule at most; what runs more often repeats inside."""
IDLE_SECONDS: Final = 4
"""What finds nothing to do for so long rests until its scheduler starts it again: sleeping is paid for."""


class Hosted:
    """A function with what its host does for it. Raises Misconfigured when it is asked for another trigger's part.

    `rest` is called at the end of every invocation.
    """

    def __init__(
        self, function: Function, ports: Ports, settings: Settings, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.function = function
        self._ports = ports
        self._settings = settings
        self._sleep = sleep
        self._meter = ports.meter(function.name)
        self._dead_letters = DeadLetters(ports, settings)
        self._made: Any = function.load()(ports, settings)

    @cached_property
    def settler(self) -> Settler:
        """Of a stream's consumer: what hands its records over."""
        self._trigger(OnStream)
        return Settler(self.function.name, metered_batches(self._made, self._meter), self._dead_letters)

    def message(self, message: Message, deadline: Deadline) -> bool:
        """Hand a queue's message over; whether it is settled, and so need not come again."""
        trigger = self._trigger(OnQueue)
        reason = "it was not answered"
        try:
            answer = metered_messages(self._made, self._meter)(message, deadline)
        except Exception as error:
            log.exception("%s failed on a message", self.function.name)
            answer, reason = None, f"{type(error).__name__}: {error}"
        if isinstance(answer, Done):
            return True
        if isinstance(answer, Reject):
            return self._bury(trigger.queue, message, answer.reason)
        if answer is not None:
            reason = answer.reason
        if message.attempt >= trigger.max_attempts:
            return self._bury(trigger.queue, message, f"gave up after {message.attempt} attempts: {reason}")
        log.warning("%s asks for a message again: %s", self.function.name, reason)
        return False

    def run(self, deadline: Deadline) -> None:
        """Run a schedule; one that is due several times a minute, again and again until that minute is over.

        It rests sooner when there is nothing to do: an audience of nobody should cost next to nothing. A store
        that is away for a moment does not cost the rest of the minute. Raises what its last run raised.
        """
        every = self._trigger(Every).seconds
        run = metered_run(self._made, self._meter)
        end = time.monotonic() + SCHEDULER_SECONDS
        idle = 0
        while True:
            due = time.monotonic() + every
            away: Unavailable | None = None
            try:
                idle = 0 if run(deadline) else idle + 1
            except Unavailable as error:
                away, idle = error, 0
                log.warning("%s: %s", self.function.name, error)
            late = deadline.remaining_ms() < 1_000 * (every + self.function.timeout_seconds)
            if late or due >= end or idle * every >= IDLE_SECONDS:
                if away is not None:
                    raise away
                return
            self._sleep(max(0.0, due - time.monotonic()))
            self.rest()

    @cached_property
    def app(self) -> ASGIApp:
        """Of an HTTP function: its ASGI app."""
        from functions.http.app import build_app
        from functions.http.metered import metered

        self._trigger(Http)
        endpoints = [metered(each, self._meter) for each in self._made]
        return build_app(endpoints, self._ports, self._settings, loopback=False)

    def rest(self) -> None:
        """Tell health what was done, if it is time to; never fails."""
        self._pulses.flush_if_due()

    @cached_property
    def _pulses(self) -> Pulses:
        return Pulses(self._ports.table(PULSES_TABLE), self._ports.meter, self._ports.clock, resident=False)

    def _bury(self, queue: str, message: Message, reason: str) -> bool:
        try:
            self._dead_letters.put_message(queue, message, reason, self.function.name)
        except Exception:
            log.exception("%s: a message cannot reach the dead letters", self.function.name)
            return False
        log.error("%s: a message went to the dead letters: %s", self.function.name, reason)
        return True

    def _trigger(self, kind: type[T]) -> T:
        trigger = self.function.trigger
        if not isinstance(trigger, kind):
            raise Misconfigured(
                f"The function {self.function.name} is started by {_TOLD[type(trigger)]}, not by "
                f"{_TOLD[kind]}. Correct what starts it, or GRANDSTAND_FUNCTION."
            )
        return trigger


_TOLD: Final[dict[type, str]] = {
    Http: "HTTP requests",
    OnStream: "a stream",
    OnQueue: "a queue",
    Every: "a schedule",
}
