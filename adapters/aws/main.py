"""Lambda's entry: `handler` gives every event of one function of the manifest to what it starts.

Everything is made at the first call. A SnapStart snapshot is taken before it, so that nothing is in it that was drawn
at random or opened; only what was imported is, which is most of a cold start.
"""

import os
import time
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any, Final, cast

from adapters.aws.suite import Suite
from adapters.aws.triggers import Event, sources
from adapters.common.environment import hosted_function, needs_extra
from adapters.common.hosting import Hosted
from functions.manifest import Http, OnQueue, OnStream
from shared.errors import Misconfigured
from shared.ports import Clock
from shared.settings import load_settings
from shared.stream import Deadline

SCHEDULERS: Final = ("aws.events", "aws.scheduler")


class Deployment:
    """The function that GRANDSTAND_FUNCTION names, on one instance. Raises Misconfigured."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.function = hosted_function(environ)
        settings = load_settings(environ)
        self.suite = Suite(settings, environ, clock=clock)
        self.hosted = Hosted(self.function, self.suite.ports, settings, sleep=sleep)

    def handle(self, event: Event, context: Any, times: dict[str, int]) -> Any:
        """What Lambda is answered. Raises Misconfigured for an event that is none of the function's.

        An error leaves the event with what sent it: the stream, the queue, S3. `times` takes what is measured, in ms.
        """
        deadline = Deadline(context.get_remaining_time_in_millis)
        if "requestContext" in event and event.get("version") == "2.0":
            return self._http(event, context)
        match sources(event):
            case ["aws:kinesis"]:
                times["IteratorAge"] = self._streamed.oldest_ms(event)
                return self._streamed.handle(event, deadline)
            case ["aws:sqs"]:
                return self._queued.handle(event, deadline)
            case ["aws:s3"]:
                return self._failed.handle(event)
        if event.get("source") in SCHEDULERS:
            return self.hosted.run(deadline)
        raise Misconfigured(
            f"The function {self.function.name} was started by an event that it does not know, with the members "
            f"{', '.join(sorted(map(str, event))) or '(none)'}. See what starts it; the event is not handled."
        )

    @cached_property
    def _streamed(self) -> Any:
        from adapters.aws.triggers import Streamed

        return Streamed(self.hosted.settler, self.suite.ports.clock)

    @cached_property
    def _failed(self) -> Any:
        from adapters.aws.failed import Failed

        return Failed(self._streamed, lambda: self.suite.clients.s3)

    @cached_property
    def _queued(self) -> Any:
        from adapters.aws.triggers import Queued

        trigger = self.function.trigger
        if not isinstance(trigger, OnQueue):
            raise Misconfigured(
                f"The function {self.function.name} is not started by a queue. Correct its event-source mapping, "
                "or GRANDSTAND_FUNCTION."
            )
        return Queued(self.hosted, cast("Any", self.suite.ports.queue(trigger.queue)), self.suite.ports.clock)

    @cached_property
    def _http(self) -> Callable[[Event, Any], dict[str, Any]]:
        app = self.hosted.app
        with needs_extra("aws"):
            from adapters.aws.http import serve

        return serve(app)


@cache
def _deployed() -> tuple[Deployment, Any]:
    from adapters.aws.telemetry import Telemetry

    deployment = Deployment(os.environ)
    function = deployment.function.name
    return deployment, Telemetry(function, deployment.suite.ports.meter(function))


def handler(event: Event, context: Any) -> Any:
    """What Lambda calls."""
    deployment, telemetry = _deployed()
    try:
        with telemetry.invocation(context) as times:
            return deployment.handle(event, context, times)
    finally:
        deployment.hosted.rest()


def load() -> None:
    """Import what the first call will need."""
    import boto3  # noqa: F401

    import adapters.aws.telemetry

    function = hosted_function(os.environ)
    function.load()
    if isinstance(function.trigger, OnStream):
        import aws_lambda_powertools.utilities.data_classes.kinesis_stream_event
    if isinstance(function.trigger, OnQueue):
        import aws_lambda_powertools.utilities.batch  # noqa: F401
    if isinstance(function.trigger, Http):
        import adapters.aws.http
        import functions.http.app  # noqa: F401
    if any(each.startswith("objects:") for each in function.reads | function.writes):
        import adapters.aws.objects  # noqa: F401


if "AWS_LAMBDA_RUNTIME_API" in os.environ:  # Lambda gives a start more processor time than it gives a call
    load()
