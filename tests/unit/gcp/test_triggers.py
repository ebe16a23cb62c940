import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.gcp.triggers import Call, Reply, Triggers, invocation_seconds
from functions.manifest import FUNCTIONS, Http, OnStream
from lab.memory import MemorySuite
from shared.errors import Misconfigured, Unavailable
from shared.health.pulses import PULSES_TABLE, read_pulses
from shared.stream import DONE, NO_DEADLINE, Answer, Reject, Retry
from tests.emulators.pubsub_push import Pusher
from tests.unit.gcp.hosted import CONSUME, SERVE, TICK, WORK, Host, script
from tests.unit.gcp.stage import DEAD_SUBSCRIPTION, SUBSCRIPTION, Stage, goal

GOLDEN = Path(__file__).parent / "golden"
SECOND = 1_000
RECORD_ID = bytes(range(16))


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    script.__init__()  # type: ignore[misc]
    yield


@pytest.fixture
def suite() -> MemorySuite:
    return MemorySuite()


def golden(name: str) -> Call:
    told = json.loads((GOLDEN / f"{name}.json").read_bytes())
    body = json.dumps(told["body"]).encode() if "body" in told else b64decode(told["body_base64"])
    headers = {name.lower(): value for name, value in told["headers"].items()}
    return Call(told["method"], told["path"], headers, body)


def answer(triggers: Triggers, call: Call) -> Reply:
    return triggers.answer(call, NO_DEADLINE)


def always(given: Answer | None) -> None:
    script.answer = lambda _: given


@pytest.mark.parametrize("sample", ["push", "push-eventarc"])
def test_a_pushed_record_is_handed_over_and_acknowledged(suite: MemorySuite, sample: str) -> None:
    host = Host(CONSUME, suite)

    assert answer(host.triggers, golden(sample)).status == 204

    (record,) = script.records
    assert (record.record_id, record.key, record.body) == (RECORD_ID, "match/ü#3", b"\x00packed\xff")
    assert (record.first_appended_at, record.position) == (1_795_199_990_000, "11794522163521371")
    assert record.attempt == (2 if sample == "push" else None)


@pytest.mark.parametrize("given", [Retry("a store is away"), None])
def test_a_pushed_record_that_is_not_settled_is_sent_again(suite: MemorySuite, given: Answer | None) -> None:
    always(given)

    assert answer(Host(CONSUME, suite).triggers, golden("push")).status == 503


def test_a_handler_that_fails_has_the_push_sent_again(suite: MemorySuite) -> None:
    def fail(_: object) -> Answer:
        raise RuntimeError("a bug")

    script.answer = fail
    host = Host(CONSUME, suite)

    assert answer(host.triggers, golden("push")).status == 503
    assert host.letters.count() == 0


def test_a_rejected_push_is_acknowledged_once_it_is_among_the_dead_letters(suite: MemorySuite) -> None:
    always(Reject("unreadable columns"))
    host = Host(CONSUME, suite)

    assert answer(host.triggers, golden("push")).status == 204

    (letter,) = host.letters.all()
    assert (letter.record_id, letter.function, letter.reason) == (RECORD_ID.hex(), "counter", "unreadable columns")
    assert host.letters.body(letter) == b"\x00packed\xff"


def test_the_last_attempt_is_given_up_without_handing_it_over(suite: MemorySuite) -> None:
    host = Host(CONSUME, suite)

    assert answer(host.triggers, golden("push-last-attempt")).status == 204

    assert [letter.reason for letter in host.letters.all()] == ["gave up after 99 attempts: its process ended"]
    assert script.records == []


def test_what_pubsub_gave_up_is_kept_among_our_dead_letters(suite: MemorySuite) -> None:
    host = Host(CONSUME, suite)

    assert answer(host.triggers, golden("push-dead-letter")).status == 204

    (letter,) = host.letters.all()
    assert (letter.record_id, letter.reason) == (RECORD_ID.hex(), "Pub/Sub gave up after 100 attempts")
    assert letter.first_appended_at == 1_795_199_990_000


def test_a_dead_letter_that_cannot_be_kept_is_sent_again(suite: MemorySuite, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Unavailable("no dead letters today")

    monkeypatch.setattr("shared.dead_letters.DeadLetters.put", refuse)

    for sample in ("push-dead-letter", "push-last-attempt"):
        assert answer(Host(CONSUME, suite).triggers, golden(sample)).status == 503


@pytest.mark.parametrize("path", ["/", "/bury"])
def test_a_message_of_someone_else_is_kept_as_it_is(suite: MemorySuite, path: str) -> None:
    host = Host(CONSUME, suite)
    body = b'{"message": {"data": "b2Ygc29tZW9uZSBlbHNl", "messageId": "7"}, "subscription": "s"}'

    assert answer(host.triggers, Call("POST", path, {}, body)).status == 204

    (letter,) = host.letters.all()
    assert host.letters.body(letter) == b"of someone else"
    assert letter.reason.startswith("unreadable")
    assert script.records == []


@pytest.mark.parametrize("path", ["/", "/bury"])
def test_what_is_no_push_is_refused_and_left_to_pubsub(
    suite: MemorySuite, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host(CONSUME, suite)

    reply = answer(host.triggers, Call("POST", path, {}, b"{}"))

    assert (reply.status, host.letters.count(), script.records) == (400, 0, [])
    assert "no push of Pub/Sub's" in caplog.text


def test_a_push_that_fails_or_is_answered_late_comes_again_and_then_is_given_up() -> None:
    stage = Stage(most_attempts=5)
    host = Host(CONSUME, stage.suite, stage.broker)

    def post(path: str, body: bytes) -> int:
        return answer(host.triggers, Call("POST", path, {}, body)).status

    def late(_: object) -> Answer:
        stage.clock.advance(90 * SECOND)
        return DONE

    pusher = Pusher(stage.broker, SUBSCRIPTION, lambda body: post("/", body))
    gravedigger = Pusher(stage.broker, DEAD_SUBSCRIPTION, lambda body: post("/bury", body))
    stage.append(goal(1))
    attempts = []
    for rule in (late, lambda _: Retry("away"), late, lambda _: None, lambda _: Retry("away")):
        script.answer = rule
        stage.clock.advance(600 * SECOND)
        assert pusher.push() == 1
        attempts.append(script.records[-1].attempt)
    assert attempts == [1, 2, 3, 4, 5]
    assert gravedigger.push() == 1

    stage.clock.advance(3_600 * SECOND)
    assert (pusher.push(), gravedigger.push()) == (0, 0)
    assert stage.buried() == {1: "Pub/Sub gave up after 5 attempts"}


def test_a_drain_is_asked_for_by_the_scheduler() -> None:
    stage = Stage()
    stage.append(goal(1), goal(2))
    host = Host(CONSUME, stage.suite, stage.broker)

    reply = host.triggers.answer(golden("drain"), stage.within(70))

    assert (reply.status, reply.text) == (200, "2 records")
    assert [record.attempt for record in script.records] == [1, 1]


def test_a_task_is_a_message_with_its_attempt(suite: MemorySuite) -> None:
    host = Host(WORK, suite)

    assert answer(host.triggers, golden("task")).status == 204

    (message,) = script.messages
    assert (message.body, message.attempt) == (b"\x00build\xff", 3)


def test_a_task_that_is_not_settled_is_sent_again_until_its_attempts_are_used_up(suite: MemorySuite) -> None:
    always(Retry("a store is away"))
    host = Host(WORK, suite)

    statuses = [
        answer(host.triggers, Call("POST", "/task", {"x-cloudtasks-taskretrycount": str(n)}, b"build")).status
        for n in range(5)
    ]

    assert statuses == [503, 503, 503, 503, 204]
    (letter,) = host.letters.all()
    assert letter.reason == "gave up after 5 attempts: a store is away"


def test_a_task_whose_count_is_no_number_is_refused(suite: MemorySuite) -> None:
    call = Call("POST", "/task", {"x-cloudtasks-taskretrycount": "many"}, b"build")

    assert answer(Host(WORK, suite).triggers, call).status == 400
    assert script.messages == []


def test_a_schedule_runs_within_its_deadline(suite: MemorySuite) -> None:
    assert answer(Host(TICK, suite).triggers, golden("schedule")).status == 204

    assert script.runs == [3_600_000]


def test_a_schedule_that_fails_is_told_to_the_scheduler(suite: MemorySuite) -> None:
    def fail(_: object) -> Answer:
        raise Unavailable("a store is away")

    script.answer = fail
    with pytest.raises(Unavailable):
        answer(Host(TICK, suite).triggers, golden("schedule"))


@pytest.mark.parametrize("function", [CONSUME, WORK, TICK, SERVE])
def test_another_path_is_told_which_there_are(suite: MemorySuite, function: Any) -> None:
    reply = answer(Host(function, suite).triggers, Call("POST", "/elsewhere", {}, b""))

    assert reply.status == 404
    assert function.name in reply.text


def test_only_a_post_starts_anything(suite: MemorySuite) -> None:
    assert answer(Host(TICK, suite).triggers, Call("GET", "/run", {}, b"")).status == 405
    assert script.runs == []


def test_health_learns_of_every_invocation(suite: MemorySuite) -> None:
    answer(Host(CONSUME, suite).triggers, golden("push"))

    pulses = read_pulses(suite.ports.table(PULSES_TABLE), 0, suite.clock.now_ms() // SECOND)
    assert [pulse.function for pulse in pulses] == ["counter"]


def test_an_invocation_may_last_as_long_as_its_work_and_two_drains_overlap() -> None:
    seconds = {function.name: invocation_seconds(function) for function in FUNCTIONS}

    for function in FUNCTIONS:
        assert seconds[function.name] >= function.timeout_seconds
        if isinstance(function.trigger, OnStream):
            assert 60 + function.timeout_seconds < seconds[function.name] < 540
    assert seconds["roll"] > 60
    assert seconds["compact"] == 600
    assert all(seconds[each.name] == each.timeout_seconds for each in FUNCTIONS if isinstance(each.trigger, Http))


def test_a_function_that_is_no_consumer_cannot_be_asked_for_its_settler(suite: MemorySuite) -> None:
    with pytest.raises(Misconfigured):
        _ = Host(TICK, suite).hosted.settler
