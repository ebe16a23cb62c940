from collections.abc import Callable, Sequence

import pytest

from adapters.local.triggers import Delivery
from lab.faults import Crash
from shared.dead_letters import STORE, DeadLetters
from shared.errors import Unavailable
from shared.stream import DONE, Answer, Deadline, NewRecord, Record, Reject, Retry
from tests.contract.rig import Rig

Rule = Callable[[Record], Answer | None]
MINUTE = 60_000


def goal(number: int, key: str = "match#0") -> NewRecord:
    return NewRecord(number.to_bytes(16, "big"), key, b"goal %d" % number)


class Function:
    """A function that answers by a rule, and remembers what it was handed and what it answered Done to."""

    def __init__(self, rule: Rule = lambda _: DONE) -> None:
        self.rule = rule
        self.batches: list[list[int]] = []
        self.done: list[int] = []

    def __call__(self, records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        assert deadline.remaining_ms() > 0
        self.batches.append([number(record) for record in records])
        answers = [self.rule(record) for record in records]
        self.done += [number(record) for record, answer in zip(records, answers, strict=True) if answer is DONE]
        return answers


def number(record: Record) -> int:
    return int.from_bytes(record.record_id, "big")


def only(wanted: int, answer: Answer | None) -> Rule:
    return lambda record: answer if number(record) == wanted else DONE


def raising(wanted: int) -> Rule:
    def rule(record: Record) -> Answer:
        if number(record) == wanted:
            raise RuntimeError("a bug in the function")
        return DONE

    return rule


def test_every_record_is_delivered_once_when_all_goes_well(provider: Rig, delivery: Delivery) -> None:
    provider.append(*[goal(n, f"match-{n}#0") for n in range(50)])
    function = Function()
    consumer = provider.consumer(function, delivery)

    assert consumer.poll() == 50
    assert consumer.poll() == 0
    assert sorted(function.done) == list(range(50))


def test_a_consumer_started_anew_goes_on_where_the_last_one_stopped(provider: Rig, delivery: Delivery) -> None:
    provider.append(goal(1), goal(2))
    provider.consumer(Function(), delivery).poll()
    provider.append(goal(3))

    function = Function()
    provider.reopen().consumer(function, delivery).poll()

    assert function.done == [3]


def test_a_batch_is_at_most_as_large_as_asked_for(provider: Rig, delivery: Delivery) -> None:
    provider.append(*[goal(n) for n in range(7)])
    function = Function()
    consumer = provider.consumer(function, delivery, batch_records=3)

    while consumer.poll():
        pass

    assert function.batches == [[0, 1, 2], [3, 4, 5], [6]]


@pytest.mark.delivery(Delivery.ORDERED)
def test_a_batch_is_gathered_for_its_window_or_until_it_is_full(provider: Rig) -> None:
    function = Function()
    consumer = provider.consumer(function, batch_records=3, window_ms=5_000)
    provider.append(goal(1))
    assert consumer.poll() == 0

    provider.clock.advance(4_999)
    provider.append(goal(2))
    assert consumer.poll() == 0

    provider.clock.advance(1)
    assert consumer.poll() == 2

    provider.append(goal(3), goal(4), goal(5), goal(6))
    assert consumer.poll() == 3
    assert function.batches == [[1, 2], [3, 4, 5]]


@pytest.mark.parametrize("silence", [Retry("a store is away"), None])
def test_what_is_not_done_comes_again(provider: Rig, delivery: Delivery, silence: Answer | None) -> None:
    provider.append(*[goal(n) for n in range(5)])
    function = Function(only(2, silence))
    consumer = provider.consumer(function, delivery)
    consumer.poll()
    function.rule = lambda _: DONE

    for _ in range(8):
        provider.clock.advance(MINUTE)
        consumer.poll()

    assert set(function.done) == set(range(5))
    assert consumer.poll() == 0


def test_an_exception_is_retry_for_the_whole_batch(provider: Rig, delivery: Delivery) -> None:
    provider.append(*[goal(n) for n in range(5)])
    function = Function(raising(2))
    consumer = provider.consumer(function, delivery)
    consumer.poll()
    assert function.done == []
    function.rule = lambda _: DONE

    for _ in range(8):
        provider.clock.advance(MINUTE)
        consumer.poll()

    assert set(function.done) == set(range(5))
    assert provider.dead_letters.count() == 0


@pytest.mark.parametrize("answers", [None, [], [DONE], [DONE] * 9])
def test_answers_that_do_not_match_the_batch_acknowledge_no_more_than_they_say(
    provider: Rig, delivery: Delivery, answers: list[Answer] | None
) -> None:
    provider.append(goal(1), goal(2))
    provider.consumer(lambda records, deadline: answers, delivery, tries_in_process=1).poll()  # type: ignore[arg-type]

    function = Function()
    consumer = provider.consumer(function, delivery)
    for _ in range(3):
        provider.clock.advance(MINUTE)
        consumer.poll()

    assert function.done == ([2] if answers == [DONE] else [1, 2])


@pytest.mark.delivery(Delivery.ORDERED)
def test_an_ordered_log_stops_at_the_first_retry_and_goes_on_from_there(provider: Rig) -> None:
    provider.append(*[goal(n) for n in range(5)])
    function = Function(only(2, Retry("a store is away")))
    consumer = provider.consumer(function)
    consumer.poll()
    function.rule = lambda _: DONE
    consumer.poll()

    assert function.batches == [[0, 1, 2, 3, 4], [2, 3, 4]]


@pytest.mark.delivery(Delivery.ORDERED)
def test_an_ordered_log_bisects_until_the_poison_is_alone(provider: Rig) -> None:
    provider.append(*[goal(n) for n in range(8)])
    function = Function(raising(3))
    consumer = provider.consumer(function, max_attempts=6)

    for _ in range(20):
        consumer.poll()
        provider.clock.advance(MINUTE)

    assert function.batches[:3] == [[0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3], [0, 1]]
    assert [3] in function.batches
    assert sorted(function.done) == [0, 1, 2, 4, 5, 6, 7]
    assert [letter.record_id for letter in provider.dead_letters.all()] == [goal(3).record_id.hex()]


@pytest.mark.delivery(Delivery.ORDERED)
def test_a_record_that_ends_its_process_is_isolated_and_goes_to_the_dead_letters(provider: Rig) -> None:
    provider.append(*[goal(n) for n in range(8)])

    def deadly(record: Record) -> Answer:
        if number(record) == 3:
            raise Crash("out of memory")
        return DONE

    function = Function(deadly)
    for _ in range(30):
        try:
            provider.reopen().consumer(function, max_attempts=5).poll()
        except Crash:
            provider.clock.advance(MINUTE)

    assert sorted(function.done) == [0, 1, 2, 4, 5, 6, 7]
    (letter,) = provider.dead_letters.all()
    assert letter.record_id == goal(3).record_id.hex()
    assert "its process ended" in letter.reason


@pytest.mark.delivery(Delivery.ORDERED)
def test_an_ordered_log_waits_longer_after_each_failure(provider: Rig) -> None:
    provider.append(goal(1))
    function = Function(only(1, Retry("a store is away")))
    consumer = provider.consumer(function, first_wait_ms=100, longest_wait_ms=400)
    waits = []
    for _ in range(4):
        consumer.poll()
        waited = 0
        calls = len(function.batches)
        while len(function.batches) == calls:
            provider.clock.advance(50)
            waited += 50
            consumer.poll()
        waits.append(waited)

    assert waits == [100, 200, 400, 400]


@pytest.mark.delivery(Delivery.PARKED)
def test_parked_records_let_the_others_pass_and_come_back_late(provider: Rig) -> None:
    provider.append(*[goal(n) for n in range(4)])
    function = Function(only(1, Retry("a store is away")))
    consumer = provider.consumer(function, Delivery.PARKED, tries_in_process=3)
    consumer.poll()
    assert function.batches == [[0, 1, 2, 3], [1, 2, 3], [1, 2, 3]]

    provider.append(goal(4))
    consumer.poll()
    function.rule = lambda _: DONE
    provider.clock.advance(MINUTE)
    consumer.poll()

    assert function.batches[3:] == [[4], [1, 2, 3]]
    assert consumer.poll() == 0


@pytest.mark.delivery(Delivery.PARKED)
def test_parked_records_outlive_the_process_whole(provider: Rig) -> None:
    provider.append(goal(1, "ü/#0"))
    sent = provider.appended()[0]
    provider.consumer(Function(only(1, None)), Delivery.PARKED).poll()
    provider.clock.advance(MINUTE)
    seen: list[Record] = []

    def remember(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer]:
        seen.extend(records)
        return [DONE] * len(records)

    provider.reopen().consumer(remember, Delivery.PARKED).poll()

    (record,) = seen
    assert (record.record_id, record.key, record.body) == (sent.record_id, sent.key, sent.body)
    assert (record.position, record.first_appended_at) == (sent.position, sent.first_appended_at)
    assert record.attempt == 2


@pytest.mark.delivery(Delivery.EACH)
def test_each_message_is_acknowledged_by_itself(provider: Rig) -> None:
    provider.append(*[goal(n) for n in range(4)])
    function = Function(only(1, Retry("a store is away")))
    consumer = provider.consumer(function, Delivery.EACH)
    consumer.poll()
    function.rule = lambda _: DONE
    provider.clock.advance(MINUTE)
    consumer.poll()

    assert function.batches == [[0, 1, 2, 3], [1]]


def test_a_rejected_record_goes_whole_to_the_dead_letters_and_the_others_go_on(
    provider: Rig, delivery: Delivery
) -> None:
    provider.append(*[goal(n) for n in range(3)])
    function = Function(only(1, Reject("unreadable: not a record")))
    consumer = provider.consumer(function, delivery)
    consumer.poll()
    provider.clock.advance(MINUTE)
    assert consumer.poll() == 0

    (letter,) = provider.dead_letters.all()
    assert (letter.record_id, letter.function, letter.key) == (goal(1).record_id.hex(), "counter", "match#0")
    assert letter.reason == "unreadable: not a record"
    assert provider.dead_letters.body(letter) == goal(1).body
    assert function.done == [0, 2]


def test_a_record_is_not_acknowledged_until_the_dead_letters_have_it(
    provider: Rig, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.append(goal(1), goal(2))
    consumer = provider.consumer(Function(only(1, Reject("unreadable"))), delivery)
    with monkeypatch.context() as broken:

        def refuse(*_: object) -> None:
            raise Unavailable("no dead letters today")

        broken.setattr(DeadLetters, "put", refuse)
        for _ in range(5):
            consumer.poll()
            provider.clock.advance(MINUTE)
    assert provider.dead_letters.count() == 0

    for _ in range(8):
        consumer.poll()
        provider.clock.advance(MINUTE)

    assert [letter.record_id for letter in provider.dead_letters.all()] == [goal(1).record_id.hex()]


def test_a_record_that_never_succeeds_goes_to_the_dead_letters_after_its_attempts(
    provider: Rig, delivery: Delivery
) -> None:
    provider.append(*[goal(n) for n in range(6)])
    function = Function(only(4, Retry("always away")))
    consumer = provider.consumer(function, delivery, max_attempts=4)

    for _ in range(30):
        consumer.poll()
        provider.clock.advance(1_000)

    (letter,) = provider.dead_letters.all()
    assert letter.record_id == goal(4).record_id.hex()
    assert "4 attempts" in letter.reason
    assert "always away" in letter.reason
    assert set(function.done) == {0, 1, 2, 3, 5}


def test_a_record_that_grows_too_old_goes_to_the_dead_letters(provider: Rig, delivery: Delivery) -> None:
    provider.append(goal(1), goal(2))
    function = Function(only(1, Retry("always away")))
    consumer = provider.consumer(function, delivery, max_age_ms=10 * MINUTE)

    for _ in range(30):
        consumer.poll()
        provider.clock.advance(MINUTE)

    assert [letter.record_id for letter in provider.dead_letters.all()] == [goal(1).record_id.hex()]
    assert 2 in function.done


def test_a_replayed_dead_letter_is_the_record_it_was(provider: Rig) -> None:
    provider.append(goal(1))
    appended_at = provider.clock.now_ms()
    consumer = provider.consumer(Function(only(1, Reject("unreadable"))))
    consumer.poll()
    provider.clock.advance(MINUTE)
    (letter,) = provider.dead_letters.all()

    (replayed,) = provider.dead_letters.replay("events", [letter.record_id])

    assert replayed.refused is None
    assert provider.dead_letters.count() == 0
    original, again = provider.appended()
    assert (again.record_id, again.key, again.body) == (original.record_id, original.key, original.body)
    assert again.first_appended_at == appended_at


def test_dead_letters_past_the_horizon_are_not_replayed(provider: Rig) -> None:
    provider.append(goal(1))
    provider.consumer(Function(only(1, Reject("unreadable")))).poll()
    provider.clock.advance(24 * 60 * MINUTE)

    (replayed,) = provider.dead_letters.replay("events", [goal(1).record_id.hex()])

    assert replayed.refused is not None
    assert "grandstand rebuild" in replayed.refused
    assert provider.dead_letters.count() == 1
    assert len(provider.appended()) == 1


def test_replaying_what_is_not_there_says_so(provider: Rig) -> None:
    results = provider.dead_letters.replay("events", ["00" * 16, "", "x" * 300])

    assert all(result.refused and "no such dead letter" in result.refused for result in results)


def test_dead_letters_are_encrypted_and_forgotten_after_their_time(provider: Rig) -> None:
    provider.append(goal(1))
    provider.consumer(Function(only(1, Reject("unreadable")))).poll()
    (name,) = provider.ports.objects(STORE).list()
    sealed = provider.ports.objects(STORE).get(name)
    assert sealed is not None
    assert goal(1).body not in sealed

    provider.clock.advance(14 * 24 * 60 * MINUTE)
    assert provider.dead_letters.count() == 0
    provider.clock.advance(10 * 24 * 60 * MINUTE)
    assert provider.dead_letters.sweep() == 1
    assert list(provider.ports.objects(STORE).list()) == []
