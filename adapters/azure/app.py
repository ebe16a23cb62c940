"""A function app of the v2 model, made from the manifest: of the function that GRANDSTAND_FUNCTION names, or of all.

The host gives each trigger its own settings by name (adapters/azure/host.py), and has no part in what we do with the
ports: it starts, we answer.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, List  # noqa: UP035  the library knows lists of events by this name

import azure.functions as func

from adapters.azure.clients import KEY_VAULT
from adapters.azure.host import EVENT_HUBS_SETTING, STORAGE_SETTING
from adapters.azure.parking import STORE, Parking
from adapters.azure.purging import purged_by
from adapters.azure.replaying import ParkedReplay
from adapters.azure.schedules import EACH_HOUR, EACH_MINUTE, cron, invocation_seconds
from adapters.azure.suite import Suite
from adapters.azure.triggers import StreamTrigger, Terms
from adapters.common.environment import FUNCTION, hosted_function, require, suite_name
from adapters.common.hosting import SCHEDULER_SECONDS, Hosted
from functions.manifest import FUNCTIONS, Every, Function, Http, OnQueue, OnStream
from shared.ports import Ports
from shared.settings import Settings, load_settings
from shared.stream import Deadline, Message

if TYPE_CHECKING:
    from starlette.types import ASGIApp

EVERY_PATH: Final = "{*path}"
METHODS: Final = tuple(func.HttpMethod)
TOGETHER: Final = "http"
FOR_EVER: Final = "-1"
PURGE: Final = "purge"
PARKED: Final = "parked"
"""The name of the timer that replays a stream function's records ends with this."""


class NotSettled(Exception):
    """The host must bring the message again."""


def make_app(
    environ: Mapping[str, str], *, ports: Ports | None = None, sleep: Callable[[float], None] = time.sleep
) -> func.FunctionApp:
    """The app; it makes no client yet. Raises Misconfigured for whatever a function will need and is not set.

    `ports` are those of the deployment unless others are given.
    """
    settings = load_settings(environ)
    chosen = (hosted_function(environ),) if environ.get(FUNCTION) else FUNCTIONS
    suite = Suite(settings, environ)
    added = _App(ports or _of_deployment(chosen, suite.ports, environ), settings, suite_name(environ), sleep)
    for function in filter(purged_by, chosen if ports is None else ()):
        added.add_purge(function, suite)
    added.add_http([each for each in chosen if isinstance(each.trigger, Http)])
    for function in chosen:
        if isinstance(function.trigger, OnStream):
            added.add_stream(function, function.trigger)
        elif isinstance(function.trigger, OnQueue):
            added.add_queue(function, function.trigger)
        elif isinstance(function.trigger, Every):
            added.add_schedule(function, function.trigger)
    return added.app


def _of_deployment(functions: Sequence[Function], ports: Ports, environ: Mapping[str, str]) -> Ports:
    """The deployment's ports, all that the functions use made as far as settings go."""
    for function in functions:
        _require_connection(function, environ)
    made = {"table": ports.table, "objects": ports.objects, "stream": ports.stream, "queue": ports.queue}
    for resource in sorted(
        {each for function in functions for each in function.hosted_reads | function.hosted_writes}
    ):
        kind, _, name = resource.partition(":")
        if kind in made:
            made[kind](name)
        elif kind == "secret":
            require(environ, KEY_VAULT, "https://grandstand.vault.azure.net")
        elif kind == "history":
            ports.history_uri()
        elif kind == "mail":
            ports.mailer()
    return ports


def _require_connection(function: Function, environ: Mapping[str, str]) -> None:
    """What the host itself reads its records or messages by: without it the app would start, and stand still."""
    if isinstance(function.trigger, OnStream):
        setting, parts = EVENT_HUBS_SETTING, ["fullyQualifiedNamespace"]
        example = "grandstand.servicebus.windows.net"
    elif isinstance(function.trigger, OnQueue):
        setting, parts = STORAGE_SETTING, ["queueServiceUri", "accountName"]
        example = "https://grandstand4f2a.queue.core.windows.net"
    else:
        return
    names = [setting, *(f"{setting}__{part}" for part in parts)]
    if not any(environ.get(name, "").strip() for name in names):
        require(environ, names[1], example)


class _App:
    """A function app, and what its functions share."""

    def __init__(self, ports: Ports, settings: Settings, name: str, sleep: Callable[[float], None]) -> None:
        self.app = func.FunctionApp()
        self._ports = ports
        self._settings = settings
        self._name = name
        self._sleep = sleep

    def add_http(self, functions: Sequence[Function]) -> None:
        """One route for every path: of several functions, their endpoints make one app."""
        if not functions:
            return
        from adapters.azure.http import HttpFunction

        first = self._hosted(functions[0])
        together = len(functions) > 1
        answer = HttpFunction(self._together(functions) if together else first.app, first.rest)

        @self.app.function_name(TOGETHER if together else first.function.name)
        @self.app.route(route=EVERY_PATH, methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
        async def http(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
            return await answer(req, context)

    def add_purge(self, function: Function, suite: Suite) -> None:
        """A timer that deletes what has expired in the tables that the function looks after."""

        @self.app.function_name(f"{function.name}_{PURGE}")
        @self.app.timer_trigger(arg_name="timer", schedule=EACH_HOUR)
        def purge(timer: func.TimerRequest) -> None:  # noqa: ARG001  the host binds it by name
            suite.purge(function, _deadline(function.timeout_seconds))

    def add_stream(self, function: Function, trigger: OnStream) -> None:
        """Batches of the stream, and a timer that replays what is parked of them."""
        hosted, clock = self._hosted(function), self._ports.clock
        terms = Terms(timeout_ms=1_000 * function.timeout_seconds, max_age_ms=1_000 * self._settings.horizon_seconds)
        parking = cache(lambda: Parking(self._ports.objects(STORE), function.name))
        turns = Lock()
        batches = StreamTrigger(hosted.settler, parking, clock, terms, turns=turns)
        replay = ParkedReplay(hosted.settler, parking, clock, terms, turns=turns, sleep=self._sleep)

        @self.app.function_name(function.name)
        @self.app.event_hub_message_trigger(
            arg_name="events",
            event_hub_name=trigger.stream,
            connection=EVENT_HUBS_SETTING,
            consumer_group=function.name,
            cardinality=func.Cardinality.MANY,
            data_type=func.DataType.BINARY,
        )
        @self.app.retry(
            strategy="exponential_backoff",
            max_retry_count=FOR_EVER,
            minimum_interval="00:00:01",
            maximum_interval="00:01:00",
        )
        def consume(events: List[func.EventHubEvent], context: func.Context) -> None:  # noqa: UP006
            with _rested(hosted):
                batches.deliver(events, _deadline(function.timeout_seconds), retries=_retries(context))

        @self.app.function_name(f"{function.name}_{PARKED}")
        @self.app.timer_trigger(arg_name="timer", schedule=EACH_MINUTE)
        def replay_parked(timer: func.TimerRequest) -> None:  # noqa: ARG001  the host binds it by name
            with _rested(hosted):
                until = clock.now_ms() + 1_000 * SCHEDULER_SECONDS
                replay.run(_deadline(function.timeout_seconds), until)

    def add_queue(self, function: Function, trigger: OnQueue) -> None:
        """A queue's messages, one at a time."""
        hosted = self._hosted(function)

        @self.app.function_name(function.name)
        @self.app.queue_trigger(
            arg_name="message",
            queue_name=f"{self._name}-{trigger.queue}",
            connection=STORAGE_SETTING,
            data_type=func.DataType.BINARY,
        )
        def work(message: func.QueueMessage) -> None:
            with _rested(hosted):
                delivered = Message(message.get_body(), message.dequeue_count or 1)
                if not hosted.message(delivered, _deadline(function.timeout_seconds)):
                    raise NotSettled(f"{function.name} asks for the message again; its log says why")

    def add_schedule(self, function: Function, every: Every) -> None:
        """A timer."""
        hosted = self._hosted(function)

        @self.app.function_name(function.name)
        @self.app.timer_trigger(arg_name="timer", schedule=cron(every.seconds))
        def run(timer: func.TimerRequest) -> None:  # noqa: ARG001  the host binds it by name
            with _rested(hosted):
                hosted.run(_deadline(invocation_seconds(function)))

    def _hosted(self, function: Function) -> Hosted:
        return Hosted(function, self._ports, self._settings, sleep=self._sleep)

    def _together(self, functions: Sequence[Function]) -> "ASGIApp":
        from functions.http.app import build_app
        from functions.http.metered import metered

        endpoints = [
            metered(endpoint, self._ports.meter(function.name))
            for function in functions
            for endpoint in function.load()(self._ports, self._settings)
        ]
        return build_app(endpoints, self._ports, self._settings, loopback=False)


@contextmanager
def _rested(hosted: Hosted) -> Iterator[None]:
    """After an invocation the process may sleep, so what there is to tell is told before."""
    try:
        yield
    finally:
        hosted.rest()


def _deadline(seconds: int) -> Deadline:
    end = time.monotonic() + seconds
    return Deadline(lambda: int(1_000 * (end - time.monotonic())))


def _retries(context: func.Context) -> int:
    """How often the host has brought this batch before, by its retry policy."""
    retried: Any = context.retry_context
    return int(retried.retry_count) if retried is not None else 0
