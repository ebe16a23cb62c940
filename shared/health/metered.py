"""What a host wraps around a function, so that the function itself need not be measured."""

from collections.abc import Callable, Sequence

from shared.health.meter import Meter
from shared.stream import Answer, BatchHandler, Deadline, Done, Record, Reject, Retry


def metered_batches(handler: BatchHandler, meter: Meter) -> BatchHandler:
    """A stream's consumer whose calls are counted. A call fails that raises or leaves a record to come again."""

    def handle(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        meter.begin()
        error: str | None = "it was ended"
        try:
            answers = list(handler(records, deadline) or ())
            error = _unsettled(answers, len(records))
        except Exception as failure:
            error = told(failure)
            raise
        finally:
            meter.end(error)
        return answers

    return handle


def metered_run(run: Callable[[Deadline], None], meter: Meter) -> Callable[[Deadline], None]:
    """A schedule whose runs are counted. One that raises has failed."""

    def counted(deadline: Deadline) -> None:
        meter.begin()
        error: str | None = "it was ended"
        try:
            run(deadline)
            error = None
        except Exception as failure:
            error = told(failure)
            raise
        finally:
            meter.end(error)

    return counted


def told(failure: BaseException) -> str:
    """An exception as a reason."""
    return f"{type(failure).__name__}: {failure}"


def _unsettled(answers: Sequence[Answer | None], records: int) -> str | None:
    """Why some of so many records must come again; None when none need to."""
    retry = next((answer for answer in answers if isinstance(answer, Retry)), None)
    if retry is not None:
        return retry.reason
    settled = sum(isinstance(answer, Done | Reject) for answer in answers)
    return None if settled == records else f"{settled} of {records} records were answered"
