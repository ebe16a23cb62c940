"""One function on one instance: messages that settle, schedules that rest, and what is said when it is misused."""

import pytest

from adapters.common.environment import hosted_function, needs_extra, require, suite_name
from adapters.common.hosting import IDLE_SECONDS, Hosted
from functions.manifest import Every, Function, Http, OnQueue, OnStream
from lab.memory import MemorySuite
from shared.dead_letters import DeadLetters
from shared.errors import Misconfigured, Unavailable
from shared.health.pulses import PULSES_TABLE, read_pulses_of
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE, Answer, Deadline, Message, MessageHandler, Reject, Retry, Run

HERE = "tests.unit.common.test_hosting"
SETTINGS = Settings()
ANSWERS: list[Answer | Exception | None] = []
FOUND: list[bool | Exception] = []
"""What each run of the schedule finds; it has failed where there is nothing left."""


def mailbox(ports: Ports, settings: Settings) -> MessageHandler:
    def handle(message: Message, deadline: Deadline) -> Answer | None:
        answer = ANSWERS.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle


def clockwork(ports: Ports, settings: Settings) -> Run:
    def run(_: Deadline) -> bool:
        found = FOUND.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    return run


READER = Function("reader", f"{HERE}:mailbox", OnQueue("letters", max_attempts=3))
TICKER = Function("ticker", f"{HERE}:clockwork", Every(2), timeout_seconds=5)


@pytest.fixture
def suite() -> MemorySuite:
    return MemorySuite()


@pytest.mark.parametrize(
    ("answer", "settled"),
    [(DONE, True), (Reject("not ours"), True), (Retry("away"), False), (None, False), (RuntimeError("a bug"), False)],
)
def test_a_message_is_settled_by_done_and_reject(
    suite: MemorySuite, answer: Answer | Exception | None, settled: bool
) -> None:
    ANSWERS[:] = [answer]

    assert Hosted(READER, suite.ports, SETTINGS).message(Message(b"hi", 1), NO_DEADLINE) is settled

    letters = [letter.reason for letter in DeadLetters(suite.ports, SETTINGS).all()]
    assert letters == (["not ours"] if isinstance(answer, Reject) else [])


@pytest.mark.parametrize(
    ("answer", "told"), [(Retry("away"), "away"), (None, "not answered"), (Unavailable("no disk"), "no disk")]
)
def test_a_message_that_has_used_up_its_attempts_goes_to_the_dead_letters(
    suite: MemorySuite, answer: Answer | Exception | None, told: str
) -> None:
    ANSWERS[:] = [answer]

    assert Hosted(READER, suite.ports, SETTINGS).message(Message(b"hi", 3), NO_DEADLINE)

    (letter,) = DeadLetters(suite.ports, SETTINGS).all()
    assert letter.queue == "letters"
    assert "3 attempts" in letter.reason
    assert told in letter.reason


def test_a_message_stays_in_its_queue_while_the_dead_letters_are_away(
    suite: MemorySuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Unavailable("no dead letters today")

    monkeypatch.setattr(DeadLetters, "put_message", refuse)
    ANSWERS[:] = [Reject("not ours")]

    assert not Hosted(READER, suite.ports, SETTINGS).message(Message(b"hi", 1), NO_DEADLINE)


def test_a_schedule_runs_again_within_its_minute_until_it_finds_nothing(suite: MemorySuite) -> None:
    runs = IDLE_SECONDS // 2
    FOUND[:] = [True, False, True] + [False] * runs + [True]
    slept: list[float] = []

    Hosted(TICKER, suite.ports, SETTINGS, sleep=slept.append).run(NO_DEADLINE)

    assert FOUND == [True]
    assert len(slept) == 2 + runs
    assert all(0 < seconds <= 2 for seconds in slept)


def test_a_schedule_of_many_seconds_rests_as_soon_as_it_finds_nothing(suite: MemorySuite) -> None:
    FOUND[:] = [True, False, True]
    slept: list[float] = []
    seldom = Function("seldom", f"{HERE}:clockwork", Every(10))

    Hosted(seldom, suite.ports, SETTINGS, sleep=slept.append).run(NO_DEADLINE)

    assert FOUND == [True]
    assert len(slept) == 1


def test_a_schedule_does_not_begin_again_what_its_deadline_would_cut_off(suite: MemorySuite) -> None:
    FOUND[:] = [True] * 9
    remaining = iter([60_000, 7_000, 6_999])

    Hosted(TICKER, suite.ports, SETTINGS, sleep=lambda _: None).run(Deadline(lambda: next(remaining)))

    assert len(FOUND) == 6


def test_a_store_that_is_away_for_a_moment_does_not_cost_a_schedule_its_minute(suite: MemorySuite) -> None:
    FOUND[:] = [True, Unavailable("the table is away"), True, *[False] * (IDLE_SECONDS // 2)]

    Hosted(TICKER, suite.ports, SETTINGS, sleep=lambda _: None).run(NO_DEADLINE)

    assert FOUND == []


@pytest.mark.parametrize(("failure", "left"), [(Unavailable("the table is away"), 0), (Misconfigured("no table"), 1)])
def test_a_schedule_whose_last_run_failed_has_failed(suite: MemorySuite, failure: Exception, left: int) -> None:
    FOUND[:] = [failure, failure]
    remaining = iter([60_000, 6_999])

    with pytest.raises(type(failure), match="table"):
        Hosted(TICKER, suite.ports, SETTINGS, sleep=lambda _: None).run(Deadline(lambda: next(remaining)))

    assert len(FOUND) == left


def test_a_schedule_of_a_minute_or_more_runs_once(suite: MemorySuite) -> None:
    FOUND[:] = [True, True]
    hourly = Function("hourly", f"{HERE}:clockwork", Every(60))

    Hosted(hourly, suite.ports, SETTINGS, sleep=lambda _: None).run(NO_DEADLINE)

    assert FOUND == [True]


def test_what_a_function_did_is_told_at_the_end_of_an_invocation(suite: MemorySuite) -> None:
    FOUND[:] = [True]
    hosted = Hosted(TICKER, suite.ports, SETTINGS)
    hosted.run(Deadline(lambda: 2_000))
    hosted.rest()

    slot = suite.clock.now_ms() // 10_000
    (pulse,) = read_pulses_of(suite.ports.table(PULSES_TABLE), "ticker", slot)
    assert (pulse.counts.calls, pulse.next_within_ms) == (1, None)


@pytest.mark.parametrize(
    ("function", "use", "told"),
    [
        (READER, "settler", "reader is started by a queue, not by a stream"),
        (READER, "app", "not by HTTP requests"),
        (TICKER, "settler", "ticker is started by a schedule"),
    ],
)
def test_what_does_not_start_a_function_is_told(suite: MemorySuite, function: Function, use: str, told: str) -> None:
    with pytest.raises(Misconfigured, match=told):
        getattr(Hosted(function, suite.ports, SETTINGS), use)


def test_the_function_to_host_is_named_by_the_environment() -> None:
    assert hosted_function({"GRANDSTAND_FUNCTION": "ingest"}).name == "ingest"
    with pytest.raises(Misconfigured, match=r"GRANDSTAND_FUNCTION is not set.*GRANDSTAND_FUNCTION=ingest"):
        hosted_function({"GRANDSTAND_FUNCTION": " "})
    with pytest.raises(Misconfigured, match=r"'ingets' is no function.*ingest, aggregate"):
        hosted_function({"GRANDSTAND_FUNCTION": "ingets"})


def test_what_is_missing_is_told_in_one_line_that_names_it() -> None:
    assert suite_name({}) == "grandstand"
    assert suite_name({"GRANDSTAND_NAME": "stage"}) == "stage"
    assert require({"GRANDSTAND_BUCKET": " b "}, "GRANDSTAND_BUCKET", "my-bucket") == "b"
    with pytest.raises(Misconfigured, match="GRANDSTAND_BUCKET=my-bucket"):
        require({}, "GRANDSTAND_BUCKET", "my-bucket")
    with pytest.raises(Misconfigured, match=r"nobody is not installed.*grandstand\[aws\]"), needs_extra("aws"):
        raise ModuleNotFoundError("No module named 'nobody'", name="nobody")


@pytest.mark.parametrize(
    ("trigger", "reads", "writes"),
    [
        (Http(), {"secret:write-keys", "secret:viewer-token"}, set[str]()),
        (OnStream("events", 1, 0), {"secret:dead-letter-key"}, {"objects:dead-letters", "table:dead-letters"}),
        (OnQueue("letters"), {"secret:dead-letter-key"}, {"objects:dead-letters", "table:dead-letters"}),
        (Every(2), set[str](), set[str]()),
    ],
)
def test_a_host_uses_more_than_its_function(
    trigger: Http | OnStream | OnQueue | Every, reads: set[str], writes: set[str]
) -> None:
    function = Function("any", "", trigger, reads=frozenset({"table:x"}), writes=frozenset({"table:y"}))

    assert function.hosted_reads >= {"table:x"} | reads
    assert function.hosted_writes >= {"table:y", "table:pulses"} | writes
    assert ("objects:dead-letters" in function.hosted_writes) == bool(writes)
