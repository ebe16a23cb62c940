"""What an instance says of itself: logs as JSON lines and, for each invocation, metrics in CloudWatch's EMF.

Neither names a viewer, a path or a body.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from shared.health.meter import Meter

NAMESPACE: Final = "Grandstand"
LOGGER: Final = "grandstand"
"""The head of all our loggers' names."""


class Telemetry:
    """One function's logs and metrics."""

    def __init__(self, function: str, meter: Meter) -> None:
        self._logger = Logger(service=LOGGER, function=function)
        self._metrics = EphemeralMetrics(namespace=NAMESPACE, service=function)
        self._meter = meter

    @contextmanager
    def invocation(self, context: Any) -> Iterator[dict[str, int]]:
        """Surrounds an invocation. What it puts into the dictionary is told as metrics in ms."""
        self._logger.append_keys(request_id=getattr(context, "aws_request_id", None))
        before = _counted(self._meter)
        times: dict[str, int] = {}
        failed = True
        try:
            yield times
            failed = False
        finally:
            self._tell(before, times, failed=failed)

    def _tell(self, before: dict[str, int], times: dict[str, int], *, failed: bool) -> None:
        after = _counted(self._meter)
        counts = {name: max(0, after[name] - before[name]) for name in after}
        counts["Failures"] = max(counts["Failures"], int(failed))
        for name, count in counts.items():
            self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
        for name, milliseconds in times.items():
            self._metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=milliseconds)
        self._metrics.flush_metrics()


def _counted(meter: Meter) -> dict[str, int]:
    """What the meter has counted and not yet forgotten: that it does between invocations, and between the runs of a
    schedule that repeats, of which the last are told.
    """
    counts = [pulse.counts for pulse in meter.pulses(None)]
    return {
        "EventsIn": sum(each.events_in or 0 for each in counts),
        "EventsOut": sum(each.events_out or 0 for each in counts),
        "Failures": sum(each.failures for each in counts),
    }
