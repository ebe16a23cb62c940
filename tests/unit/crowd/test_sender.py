"""A sender that is careful: identical bytes until there is an answer, and an end where none will come."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from lab import sender as sender_module
from lab.sender import Message, Refused, Sender, Tally, Unreachable

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(sender_module, "_LONGEST_PAUSE", 0.002)


def taken(events: int, **more: object) -> httpx.Response:
    return httpx.Response(202, json={"accepted": events, "rejected": [], **more})


def posted(handler: Handler, messages: list[Message], patience: float = 5.0) -> tuple[Tally, int | None]:
    """What became of the messages, and the reporting interval that was told last."""

    async def work() -> Sender:
        transport = httpx.MockTransport(handler)
        async with Sender("http://suite", key="secret", patience=patience, transport=transport) as sender:
            for message in messages:
                await sender.send(message)
        return sender

    sender = asyncio.run(work())
    return sender.tally, sender.report_every_seconds


def test_what_the_answers_say_is_added_up() -> None:
    def suite(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer secret"
        rejected = [{"index": 0, "reason": "too late"}]
        return httpx.Response(202, json={"accepted": 9, "rejected": rejected, "report_every_seconds": 20})

    messages = [Message("/v1/events", b"x", events=10), Message("/v1/events", b"x", events=10, again=True, late=True)]
    tally, interval = posted(suite, messages)
    assert tally.told() == {
        "posts": 2,
        "sent": 20,
        "accepted": 18,
        "rejected": 2,
        "reasons": {"too late": 2},
        "retried": 0,
        "late": 10,
        "duplicates": 10,
    }
    assert interval == 20


def test_a_retry_sends_identical_bytes() -> None:
    bodies: list[bytes] = []

    def suite(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        if len(bodies) == 1:
            raise httpx.ReadError("reset")
        return httpx.Response(503) if len(bodies) == 2 else taken(1)

    tally, _ = posted(suite, [Message("/v1/events", b"the body")])
    assert bodies == [b"the body"] * 3
    assert (tally.accepted, tally.retried) == (1, 2)


def test_a_suite_that_asks_to_wait_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    answers = iter([httpx.Response(429, headers={"retry-after": "7"}), taken(1)])
    posted(lambda _: next(answers), [Message("/v1/events")])
    assert waits == [7.0]


def test_a_body_in_which_nothing_is_valid_does_not_stop_the_others() -> None:
    def suite(request: httpx.Request) -> httpx.Response:
        if request.content == b"bad":
            problem = {"detail": "nothing valid", "rejected": [{"index": 0, "reason": "no content"}] * 3}
            return httpx.Response(422, json=problem)
        if request.content == b"worse":
            return httpx.Response(400, json={"detail": "not JSON"})
        return taken(3)

    tally, _ = posted(suite, [Message("/v1/events", body, events=3) for body in (b"bad", b"worse", b"good")])
    assert (tally.sent, tally.accepted, tally.rejected) == (9, 3, 6)
    assert tally.reasons == {"no content": 3, "not JSON": 3}


def test_an_answer_without_a_body_is_taken_as_it_is() -> None:
    tally, interval = posted(lambda _: httpx.Response(204), [Message("/v1/cmcd", method="GET")])
    assert (tally.accepted, tally.rejected, interval) == (1, 0, None)


def test_a_refusal_stops_the_sender() -> None:
    def suite(_: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"detail": "This key opens nothing."})

    with pytest.raises(Refused, match="401: This key opens nothing"):
        posted(suite, [Message("/v1/events")] * 500)


def test_a_suite_that_stays_away_is_given_up() -> None:
    def suite(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    with pytest.raises(Unreachable, match=r"http://suite did not take a post for 0 s: ConnectError"):
        posted(suite, [Message("/v1/events")] * 500, patience=0.02)


def test_an_error_of_the_caller_is_not_held_up_by_what_is_under_way() -> None:
    async def work() -> None:
        async with Sender("http://suite", transport=httpx.MockTransport(lambda _: httpx.Response(503))) as sender:
            await sender.send(Message("/v1/events"))
            raise KeyError("of the caller")

    with pytest.raises(KeyError):
        asyncio.run(work())
