import threading
from collections.abc import Sequence
from contextlib import suppress

import pytest

from adapters.gcp.delivery import Terms
from adapters.gcp.drain import LONGEST_WAIT_SECONDS, REST_MS
from adapters.gcp.lease import ACK_DEADLINE_SECONDS, Lease
from adapters.gcp.pubsub import Received
from shared.errors import Unavailable
from shared.stream import DONE, NO_DEADLINE, Answer, Record, Retry
from tests.unit.gcp.stage import Crash, Function, Stage, goal, number, only

SECOND = 1_000


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_what_is_settled_never_comes_again_and_the_rest_does_after_the_backoff(stage: Stage) -> None:
    stage.append(*map(goal, range(4)))
    function = Function(only([1], Retry("a store is away")))
    drain = stage.drain(function)

    assert drain.once(NO_DEADLINE, 0) == 4
    assert stage.waiting() == 1
    assert drain.once(NO_DEADLINE, 0) == 0

    stage.clock.advance(SECOND)
    function.rule = lambda _: DONE
    assert drain.once(NO_DEADLINE, 0) == 1
    assert function.batches == [[0, 1, 2, 3], [1]]
    assert [record.attempt for record in function.seen if number(record) == 1] == [1, 2]
    assert stage.waiting() == 0


def test_one_pull_is_a_batch_where_a_function_has_no_window(stage: Stage) -> None:
    stage.broker.most_per_pull = 2
    stage.append(*map(goal, range(5)))
    function = Function()

    stage.drain(function).once(NO_DEADLINE, 0)

    assert function.batches == [[0, 1]]


def test_pulls_fill_a_batch_within_its_window(stage: Stage) -> None:
    stage.broker.most_per_pull = 2
    stage.append(*map(goal, range(7)))
    function = Function()
    drain = stage.drain(function, Terms(batch_records=5, window_ms=10_000))

    drain.once(NO_DEADLINE, 0)
    started = stage.clock.now_ms()
    drain.once(NO_DEADLINE, 0)

    assert function.batches == [[0, 1, 2, 3, 4], [5, 6]]
    assert stage.clock.now_ms() - started >= 10_000


def test_a_batch_stays_as_small_in_bytes_as_a_functions_memory_is_made_for(stage: Stage) -> None:
    stage.append(*[goal(n, bytes(900_000)) for n in range(9)])
    function = Function()

    assert stage.drain(function).once(NO_DEADLINE, 0) == 9

    assert [len(batch) for batch in function.batches] == [6, 3]
    assert stage.waiting() == 0


def test_a_crash_lets_the_messages_come_again_once_their_lease_has_ended(stage: Stage) -> None:
    stage.append(goal(1), goal(2))

    def crash(_: Record) -> Answer:
        raise Crash

    with pytest.raises(Crash):
        stage.drain(Function(crash)).once(NO_DEADLINE, 0)
    assert stage.leased() == 2
    function = Function()
    drain = stage.drain(function)
    assert drain.once(NO_DEADLINE, 0) == 0

    stage.clock.advance(ACK_DEADLINE_SECONDS * SECOND + SECOND)
    assert drain.once(NO_DEADLINE, 0) == 2
    assert {record.attempt for record in function.seen} == {2}


def test_what_there_is_no_time_for_is_given_back_unseen(stage: Stage) -> None:
    stage.append(*[goal(n, bytes(900_000)) for n in range(9)])
    function = Function()

    def slowly(record: Record) -> Answer:
        stage.clock.advance(2 * SECOND)
        return DONE

    function.rule = slowly
    stage.drain(function).once(stage.within(10), 0)

    assert len(function.batches) == 1
    assert (stage.waiting(), stage.leased()) == (3, 0)


def test_a_handler_must_be_done_before_the_invocation_is(stage: Stage) -> None:
    stage.append(goal(1))
    function = Function()
    drain = stage.drain(function, Terms(timeout_ms=60_000))

    drain.once(stage.within(10), 0)
    stage.append(goal(2))
    drain.once(NO_DEADLINE, 0)

    assert function.left_ms == [7_000, 60_000]


def test_one_that_breaks_its_batch_each_time_ends_alone_among_the_dead_letters(stage: Stage) -> None:
    stage.append(*map(goal, range(20)))

    def poison(record: Record) -> Answer:
        if number(record) == 7:
            raise RuntimeError("a bug")
        return DONE

    function = Function(poison)
    drain = stage.drain(function, Terms(max_attempts=10))
    while stage.waiting():
        drain.once(NO_DEADLINE, 0)
        stage.clock.advance(600 * SECOND)

    assert stage.buried() == {7: "gave up after 10 attempts: RuntimeError: a bug"}


def test_one_that_ends_its_process_each_time_ends_alone_among_the_dead_letters(stage: Stage) -> None:
    stage.append(*map(goal, range(20)))

    def deadly(record: Record) -> Answer:
        if number(record) == 7:
            raise Crash
        return DONE

    function = Function(deadly)
    for _ in range(1_000):
        if not stage.waiting():
            break
        with suppress(Crash):
            stage.drain(function, Terms(max_attempts=30)).once(NO_DEADLINE, 0)
        stage.clock.advance(700 * SECOND)

    assert stage.buried() == {7: "gave up after 30 attempts: its process ended"}
    assert stage.waiting() == 0


def test_what_had_its_last_attempt_is_kept_while_the_dead_letters_are_away(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.append(goal(1), goal(2))
    failing = stage.drain(Function(only([1, 2], Retry("a store is away"))), Terms(max_attempts=50))
    for _ in range(2):
        failing.once(NO_DEADLINE, 0)
        stage.clock.advance(600 * SECOND)
    function = Function()
    drain = stage.drain(function, Terms(max_attempts=2))

    with monkeypatch.context() as broken:
        broken.setattr(stage.letters, "put", lambda *_: 1 / 0)
        drain.once(NO_DEADLINE, 0)
    assert (stage.waiting(), stage.leased()) == (2, 0)

    stage.clock.advance(600 * SECOND)
    drain.once(NO_DEADLINE, 0)
    assert stage.buried().keys() == {1, 2}
    assert function.batches == []
    assert stage.waiting() == 0


def test_what_was_gathered_is_handled_though_pubsub_answers_no_more(stage: Stage) -> None:
    stage.broker.most_per_pull = 2
    stage.append(*map(goal, range(5)))
    function = Function()
    pull, calls = stage.subscription.pull, 0

    def once(limit: int, wait_seconds: float) -> Sequence[Received]:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise Unavailable("no more pulling today")
        return pull(limit, wait_seconds)

    stage.subscription.pull = once  # type: ignore[method-assign]
    stage.drain(function, Terms(window_ms=10_000)).once(NO_DEADLINE, 0)

    assert function.batches == [[0, 1]]
    assert (stage.waiting(), stage.leased()) == (3, 0)


def test_many_that_failed_while_a_store_was_down_are_soon_handled_once_it_is_back(stage: Stage) -> None:
    stage.append(*map(goal, range(100)))
    function = Function(only(range(100), Retry("the store is down")))
    drain = stage.drain(function)
    for _ in range(10):
        drain.once(NO_DEADLINE, 0)
        stage.clock.advance(600 * SECOND)
    function.batches.clear()
    drain.once(NO_DEADLINE, 0)
    assert [len(batch) for batch in function.batches] == [1, 1, 1]  # it is not asked a hundred times while it is down
    stage.clock.advance(600 * SECOND)

    function.rule = lambda _: DONE
    function.batches.clear()
    assert drain.once(NO_DEADLINE, 0) == 100
    assert [len(batch) for batch in function.batches] == [1, 2, 4, 8, 16, 32, 37]
    assert stage.waiting() == 0


def test_a_record_past_its_time_goes_to_the_dead_letters_but_only_when_it_fails(stage: Stage) -> None:
    stage.append(goal(1), goal(2))
    stage.clock.advance(24 * 3_600 * SECOND)

    stage.drain(Function(only([2], Retry("a store is away")))).once(NO_DEADLINE, 0)

    assert stage.buried() == {2: "gave up after 86400 s: a store is away"}
    assert stage.waiting() == 0


@pytest.mark.parametrize("data", [b"of someone else", b"GE\x09packed by a newer release", b"GE", b""])
def test_what_is_not_ours_goes_whole_to_the_dead_letters_and_the_others_go_on(stage: Stage, data: bytes) -> None:
    stage.append(goal(1))
    stage.publish(data or b"\x00")
    function = Function()

    stage.drain(function).once(NO_DEADLINE, 0)

    assert function.batches == [[1]]
    (letter,) = stage.letters.all()
    assert stage.letters.body(letter) == (data or b"\x00")
    assert letter.reason.startswith("unreadable")
    assert stage.waiting() == 0


def test_what_pubsub_cannot_acknowledge_comes_again_and_no_batch_fails_for_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.append(goal(1), goal(2))
    drain = stage.drain(Function())
    acknowledge = stage.subscription.acknowledge

    def refuse(ack_ids: Sequence[str]) -> None:
        raise Unavailable("no acknowledging today")

    stage.subscription.acknowledge = refuse  # type: ignore[method-assign]
    assert drain.once(NO_DEADLINE, 0) == 2
    stage.subscription.acknowledge = acknowledge  # type: ignore[method-assign]
    assert "2 messages cannot be acknowledged" in caplog.text
    assert stage.leased() == 2  # what is settled is not given back, to come again at once

    stage.clock.advance(2 * ACK_DEADLINE_SECONDS * SECOND)
    assert drain.once(NO_DEADLINE, 0) == 2
    assert stage.waiting() == 0


def test_messages_are_kept_for_as_long_as_they_are_handled(stage: Stage) -> None:
    stage.append(goal(1))
    (received,) = stage.subscription.pull(1, 0)
    extended = threading.Event()
    extend = stage.subscription.extend

    def told(ack_ids: Sequence[str], seconds: int) -> None:
        extend(ack_ids, seconds)
        extended.set()

    stage.subscription.extend = told  # type: ignore[method-assign]
    with Lease("counter", stage.subscription, [received.ack_id], NO_DEADLINE, every_seconds=0.001) as lease:
        for _ in range(5):
            stage.clock.advance((ACK_DEADLINE_SECONDS - 1) * SECOND)
            extended.clear()
            assert extended.wait(10)
        assert stage.subscription.pull(1, 0) == []
        lease.settle([received.ack_id])

    assert stage.waiting() == 0


def test_messages_are_kept_no_longer_than_their_invocation_may_last(stage: Stage) -> None:
    stage.append(goal(1))
    (received,) = stage.subscription.pull(1, 0)
    lease = Lease("counter", stage.subscription, [received.ack_id], stage.within(0), every_seconds=0.001)
    with lease:
        lease._thread.join(10)
        assert not lease._thread.is_alive()
        stage.clock.advance(2 * ACK_DEADLINE_SECONDS * SECOND)

        assert [each.attempt for each in stage.subscription.pull(1, 0)] == [2]


def test_a_drain_that_never_ends_is_told_by_the_next(stage: Stage) -> None:
    drain = stage.drain(Function(), Terms(timeout_ms=0))
    drain._turn.acquire()

    with pytest.raises(Unavailable, match="the drain before this one does not end"):
        drain.run(stage.within(3.01))


def test_a_drain_pulls_until_there_is_no_time_for_another_batch(stage: Stage) -> None:
    rests: list[int] = []
    function = Function()

    def more(record: Record) -> Answer:
        stage.clock.advance(10 * SECOND)
        stage.append(goal(number(record) + 1))
        return DONE

    function.rule = more
    stage.append(goal(1))
    drain = stage.drain(function, Terms(timeout_ms=60_000), rest=lambda: rests.append(stage.clock.now_ms()))

    records = drain.run(stage.within(120))

    assert records == len(rests) == 6
    assert (stage.waiting(), stage.leased()) == (1, 0)


def test_a_function_that_answers_at_once_waits_for_records_to_the_end(stage: Stage) -> None:
    started = stage.clock.now_ms()
    drain = stage.drain(Function(), Terms(timeout_ms=60_000))

    assert drain.run(stage.within(150)) == 0

    assert stage.clock.now_ms() - started >= 87 * SECOND


def test_a_function_that_gathers_its_batches_rests_when_nothing_comes(stage: Stage) -> None:
    stage.append(goal(1))
    started = stage.clock.now_ms()
    drain = stage.drain(Function(), Terms(window_ms=5_000))

    assert drain.run(stage.within(300)) == 1

    waited = stage.clock.now_ms() - started
    assert 5_000 + REST_MS <= waited <= 5_100 + REST_MS + LONGEST_WAIT_SECONDS * SECOND


def test_a_pull_that_fails_is_tried_again(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.append(goal(1))
    pull, calls = stage.subscription.pull, 0

    def refuse(limit: int, wait_seconds: float) -> Sequence[Received]:
        nonlocal calls
        calls += 1
        if calls <= 3:
            raise Unavailable("no pulling today")
        return pull(limit, wait_seconds)

    stage.subscription.pull = refuse  # type: ignore[method-assign]
    function = Function()

    assert stage.drain(function).run(stage.within(150)) == 1
    assert caplog.text.count("no pulling today") == 3


def test_a_second_drain_of_a_process_waits_for_the_first_to_end(stage: Stage) -> None:
    stage.append(goal(1))
    begun, go_on = threading.Event(), threading.Event()

    def wait(_: Record) -> Answer:
        begun.set()
        assert go_on.wait(10)
        return DONE

    function = Function(wait)
    drain = stage.drain(function)
    first = threading.Thread(target=drain.run, args=(stage.within(100),))
    second = threading.Thread(target=drain.run, args=(stage.within(100),))
    first.start()
    assert begun.wait(10)
    second.start()
    go_on.set()
    first.join(10)
    second.join(10)

    assert not first.is_alive() and not second.is_alive()
    assert function.batches == [[1]]
