"""What a host wraps around a function, so that the function itself need not be measured."""

from collections.abc import Sequence

from shared.health.meter import Meter
from shared.stream import Answer, BatchHandler, Deadline, Done, Message, MessageHandler, Record, Reject, Retry, Run


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


def metered_run(run: Run, meter: Meter) -> Run:
    """A schedule whose runs are counted. One that raises has failed."""

    def counted(deadline: Deadline) -> bool:
        meter.begin()
        error: str | None = "it was ended"
        try:
            found = run(deadline)
            error = None
        except Exception as failure:
            error = told(failure)
            raise
        finally:
            meter.end(error)
        return found

    return counted


def metered_messages(handler: MessageHandler, meter: Meter) -> MessageHandler:
    """A queue's consumer whose calls are counted. A call fails that raises or does not settle its message."""

    def handle(message: Message, deadline: Deadline) -> Answer | None:
        meter.begin()
        error: str | None = "it was ended"
        try:
            answer = handler(message, deadline)
            error = _unsettled([answer], 1)
        except Exception as failure:
            error = told(failure)
            raise
        finally:
            meter.end(error)
        return answer

    return handle


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
