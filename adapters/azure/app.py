"""A function app of the v2 model, made from the manifest: of the function that GRANDSTAND_FUNCTION names, or of all.

The host gives each trigger its own settings by name (adapters/azure/host.py), and has no part in what we do with the
ports: it starts, we answer.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, List  # noqa: UP035  the library knows lists of events by this name

import azure.functions as func

from adapters.azure.clients import KEY_VAULT
from adapters.azure.host import EVENT_HUBS_SETTING, STORAGE_SETTING
from adapters.azure.http import HttpFunction
from adapters.azure.parking import STORE, Parking
from adapters.azure.replaying import ParkedReplay
from adapters.azure.schedules import EACH_MINUTE, cron, invocation_seconds
from adapters.azure.suite import Suite
from adapters.azure.triggers import StreamTrigger, Terms
from adapters.common.environment import FUNCTION, hosted_function, require, suite_name
from adapters.common.hosting import SCHEDULER_SECONDS, Hosted
from functions.http.app import build_app
from functions.http.metered import metered
from functions.manifest import FUNCTIONS, Every, Function, Http, OnQueue, OnStream
from shared.ports import Ports
from shared.settings import Settings, load_settings
from shared.stream import Deadline, Message

EVERY_PATH: Final = "{*path}"
METHODS: Final = tuple(func.HttpMethod)
TOGETHER: Final = "http"
FOR_EVER: Final = "-1"
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
    ports = ports or _of_deployment(chosen, settings, environ)
    app = func.FunctionApp()
    _add_http(app, [each for each in chosen if isinstance(each.trigger, Http)], ports, settings)
    for function in chosen:
        if isinstance(function.trigger, OnStream):
            _add_stream(app, Hosted(function, ports, settings), function.trigger, ports, settings)
        elif isinstance(function.trigger, OnQueue):
            _add_queue(app, Hosted(function, ports, settings), function.trigger, suite_name(environ))
        elif isinstance(function.trigger, Every):
            _add_schedule(app, Hosted(function, ports, settings, sleep=sleep), function.trigger)
    return app


def _of_deployment(functions: Sequence[Function], settings: Settings, environ: Mapping[str, str]) -> Ports:
    """The deployment's ports, all that the functions use made as far as settings go."""
    ports = Suite(settings, environ).ports
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


def _add_http(app: func.FunctionApp, functions: Sequence[Function], ports: Ports, settings: Settings) -> None:
    """One route for every path: of several functions, their endpoints make one app."""
    if not functions:
        return
    hosted = Hosted(functions[0], ports, settings)
    served, name = hosted.app, functions[0].name
    if len(functions) > 1:
        endpoints = [
            metered(endpoint, ports.meter(function.name))
            for function in functions
            for endpoint in function.load()(ports, settings)
        ]
        served, name = build_app(endpoints, ports, settings, loopback=False), TOGETHER
    answer = HttpFunction(served, hosted.rest)

    @app.function_name(name)
    @app.route(route=EVERY_PATH, methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
    async def http(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        return await answer(req, context)


def _add_stream(app: func.FunctionApp, hosted: Hosted, trigger: OnStream, ports: Ports, settings: Settings) -> None:
    """Batches of the stream, and a timer that replays what is parked of them."""
    function = hosted.function
    terms = Terms(timeout_ms=1_000 * function.timeout_seconds, max_age_ms=1_000 * settings.horizon_seconds)
    parking = cache(lambda: Parking(ports.objects(STORE), function.name))
    batches = StreamTrigger(hosted.settler, parking, ports.clock, terms)
    replay = ParkedReplay(hosted.settler, parking, ports.clock, terms)

    @app.function_name(function.name)
    @app.event_hub_message_trigger(
        arg_name="events",
        event_hub_name=trigger.stream,
        connection=EVENT_HUBS_SETTING,
        consumer_group=function.name,
        cardinality=func.Cardinality.MANY,
        data_type=func.DataType.BINARY,
    )
    @app.retry(
        strategy="exponential_backoff",
        max_retry_count=FOR_EVER,
        minimum_interval="00:00:01",
        maximum_interval="00:01:00",
    )
    def consume(events: List[func.EventHubEvent], context: func.Context) -> None:  # noqa: UP006
        with _rested(hosted):
            batches.deliver(events, _deadline(function.timeout_seconds), retries=_retries(context))

    @app.function_name(f"{function.name}_{PARKED}")
    @app.timer_trigger(arg_name="timer", schedule=EACH_MINUTE)
    def replay_parked(timer: func.TimerRequest) -> None:  # noqa: ARG001  the host binds it by name
        with _rested(hosted):
            until = ports.clock.now_ms() + 1_000 * SCHEDULER_SECONDS
            replay.run(_deadline(function.timeout_seconds), until)


def _add_queue(app: func.FunctionApp, hosted: Hosted, trigger: OnQueue, name: str) -> None:
    @app.function_name(hosted.function.name)
    @app.queue_trigger(
        arg_name="message",
        queue_name=f"{name}-{trigger.queue}",
        connection=STORAGE_SETTING,
        data_type=func.DataType.BINARY,
    )
    def work(message: func.QueueMessage) -> None:
        with _rested(hosted):
            delivered = Message(message.get_body(), message.dequeue_count or 1)
            if not hosted.message(delivered, _deadline(hosted.function.timeout_seconds)):
                raise NotSettled(f"{hosted.function.name} asks for the message again; its log says why")


def _add_schedule(app: func.FunctionApp, hosted: Hosted, trigger: Every) -> None:
    @app.function_name(hosted.function.name)
    @app.timer_trigger(arg_name="timer", schedule=cron(trigger.seconds))
    def run(timer: func.TimerRequest) -> None:  # noqa: ARG001  the host binds it by name
        with _rested(hosted):
            hosted.run(_deadline(invocation_seconds(hosted.function)))


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
