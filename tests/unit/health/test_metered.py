"""What a host's wrapping sees of a function."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from functions.http.endpoint import Endpoint, Scope
from functions.http.metered import metered
from shared.errors import InvalidInput, Unavailable
from shared.health.metered import metered_batches, metered_run
from shared.stream import DONE, NO_DEADLINE, Answer, Deadline, Record, Reject, Retry
from tests.builders import delivered, event, packed
from tests.unit.health.stage import Stage

RECORDS = [delivered(packed([event()])) for _ in range(3)]


@dataclass
class Seen:
    calls: int
    failures: int
    reason: str | None


class Metered:
    def __init__(self) -> None:
        self.process = Stage().process()
        self.meter = self.process.meter("tried")

    def seen(self) -> Seen:
        (pulse,) = self.meter.pulses(None)
        reason = pulse.last_error.reason if pulse.last_error else None
        return Seen(pulse.counts.calls, pulse.counts.failures, reason)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([DONE, DONE, DONE], None),
        ([DONE, Reject("unreadable"), DONE], None),
        ([DONE, Retry("a store is away"), None], "a store is away"),
        ([DONE, None, DONE], "2 of 3 records were answered"),
        ([DONE], "1 of 3 records were answered"),
        ([], "0 of 3 records were answered"),
        ([DONE] * 4, "4 of 3 records were answered"),
    ],
)
def test_a_batch_fails_that_leaves_a_record_to_come_again(answers: list[Answer | None], reason: str | None) -> None:
    case = Metered()
    handler = metered_batches(lambda records, deadline: answers, case.meter)
    assert list(handler(RECORDS, NO_DEADLINE)) == answers
    assert case.seen() == Seen(1, 0 if reason is None else 1, reason)


def test_an_exception_of_a_consumer_is_counted_and_goes_on() -> None:
    case = Metered()

    def handle(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        metered_batches(handle, case.meter)(RECORDS, NO_DEADLINE)
    assert case.seen() == Seen(1, 1, "RuntimeError: a bug")


def test_a_run_fails_that_raises() -> None:
    case = Metered()
    troubles = [Unavailable("the disk is full"), None]

    def run(deadline: Deadline) -> bool:
        trouble = troubles.pop(0)
        if trouble:
            raise trouble
        return True

    counted = metered_run(run, case.meter)
    with pytest.raises(Unavailable):
        counted(NO_DEADLINE)
    assert counted(NO_DEADLINE)
    assert case.seen() == Seen(2, 1, "Unavailable: the disk is full")


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Response(status_code=202), None),
        (Response(status_code=404), None),
        (InvalidInput("not JSON"), None),
        (ClientDisconnect(), None),
        (Response(status_code=503), "/v1/words: answered 503"),
        (Unavailable("the stream is away"), "/v1/words: Unavailable: the stream is away"),
        (KeyError("x"), "/v1/words: KeyError: 'x'"),
    ],
)
def test_a_request_fails_by_our_fault_only(outcome: Response | Exception, reason: str | None) -> None:
    case = Metered()

    async def handle(_: Request) -> Response:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    endpoint = metered(Endpoint(("POST",), "/v1/words", handle, Scope.WRITE, "Append a word"), case.meter)

    async def ask() -> Response:
        return await endpoint.handle(Request({"type": "http"}))

    if isinstance(outcome, Exception):
        with pytest.raises(type(outcome)):
            asyncio.run(ask())
    else:
        assert asyncio.run(ask()) is outcome
    assert case.seen() == Seen(1, 0 if reason is None else 1, reason)
