"""What becomes of a batch that Event Hubs hands over, whatever happens to it."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import azure.functions as func
import pytest
from azure.functions.meta import Datum

from adapters.azure.parking import FORMAT, Tail
from adapters.azure.triggers import Terms
from adapters.common.envelope import seal
from lab.faults import Crash
from shared.stream import DONE, NO_DEADLINE, Answer, Deadline, Record, Reject, Retry
from tests.emulators.azure_functions_host import HubEvent, as_triggered
from tests.unit.azure.streams import SECOND, World, goal, number, only

AWAY = Retry("a store is away")


@pytest.fixture
def world() -> World:
    return World()


def test_a_batch_that_is_settled_leaves_nothing_behind(world: World) -> None:
    world.goals(1, 2, 3)

    assert world.host.poll() == 3
    assert world.parked() == []
    assert world.progress["0"].checkpoint == 2


def test_the_tail_is_parked_before_the_checkpoint_moves(world: World) -> None:
    world.rule = only(2, AWAY)
    world.goals(1, 2, 3)

    world.host.poll()

    assert world.batches == [[1, 2, 3], [2, 3], [2, 3]]
    assert world.parked() == [[2, 3]]
    assert world.progress["0"].checkpoint == 2


def test_where_parking_fails_the_batch_is_left_to_the_host(world: World) -> None:
    world.rule = only(2, AWAY)
    world.goals(1, 2, 3)
    world.objects.broken = True

    for _ in range(5):
        world.host.poll()
    assert world.progress["0"].checkpoint == -1

    world.objects.broken = False
    world.host.poll()
    assert world.parked() == [[2, 3]]
    assert world.progress["0"].checkpoint == 2


def test_a_host_without_the_retry_policy_would_lose_what_cannot_be_parked() -> None:
    """Which is why the function is told to have it (test_app.py)."""
    world = World(retries_forever=False, rule=only(1, AWAY))
    world.goals(1)
    world.objects.broken = True

    world.host.poll()

    assert world.progress["0"].checkpoint == 0
    assert world.parked() == []


def test_a_batch_that_could_not_be_parked_is_tried_again_when_it_comes_again(world: World) -> None:
    world.rule = only(1, AWAY)
    world.goals(1, 2)
    world.objects.broken = True
    for _ in range(4):
        world.host.poll()

    world.rule = lambda _: DONE
    world.host.poll()

    assert world.parked() == []
    assert world.progress["0"].checkpoint == 1


def test_a_batch_that_ends_its_process_is_parked_untried_and_isolated(world: World) -> None:
    def deadly(record: Record) -> Answer:
        if number(record) == 2:
            raise Crash("out of memory")
        return DONE

    world.rule = deadly
    world.goals(1, 2, 3)
    for _ in range(40):
        try:
            world.host.poll()
            world.clock.advance(600 * SECOND)
            world.replay.once(NO_DEADLINE)
        except Crash:
            world.start()

    assert world.progress["0"].checkpoint == 2
    assert world.parked() == []
    assert list(world.dead()) == [2]
    assert "its process ended" in world.dead()[2]
    assert {1, 3} <= {each for batch in world.batches for each in batch}


def test_parked_records_come_again_together_then_each_by_itself(world: World) -> None:
    world.rule = lambda _: AWAY
    world.goals(1, 2, 3)
    world.host.poll()
    world.batches.clear()
    world.clock.advance(600 * SECOND)
    world.rule = only(2, AWAY)

    assert world.replay.once(NO_DEADLINE) == 3

    assert world.batches == [[1, 2, 3], [2]]
    assert world.parked() == [[2]]
    assert world.attempts[-1] == 2


def test_waiting_grows_with_each_attempt() -> None:
    world = World(rule=only(1, AWAY), terms=Terms(first_wait_ms=SECOND, longest_wait_ms=4 * SECOND))
    world.goals(1)
    world.host.poll()
    waits = []
    for _ in range(4):
        due = world.parking.next_due()
        assert due is not None
        waits.append(due - world.clock.now_ms())
        world.clock.advance(waits[-1])
        world.replay.once(NO_DEADLINE)

    assert waits == [SECOND, 2 * SECOND, 4 * SECOND, 4 * SECOND]


def test_what_never_succeeds_goes_to_the_dead_letters(world: World) -> None:
    world.rule = only(2, AWAY)
    world.goals(1, 2, 3)
    world.host.poll()

    world.replay_all()

    assert world.dead() == {2: "gave up after 5 attempts: a store is away"}
    assert world.parked() == []


def test_what_is_too_old_goes_to_the_dead_letters() -> None:
    world = World(rule=only(1, AWAY), terms=Terms(max_age_ms=3_600 * SECOND))
    world.goals(1)
    world.host.poll()

    world.replay_all()

    assert world.dead() == {1: "gave up after 3600 s: a store is away"}


def test_a_record_that_is_not_ours_stays_one_while_it_is_parked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.hub.append(b"not ours")
    with monkeypatch.context() as broken:
        broken.setattr(world.letters, "put", lambda *_: 1 / 0)
        world.host.poll()
    assert len(world.parked()) == 1

    world.replay_all(1)

    assert world.batches == []
    (reason,) = world.dead().values()
    assert "no record of ours" in reason


def test_a_crash_between_parking_anew_and_forgetting_delivers_twice_and_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.rule = lambda _: AWAY
    world.goals(1, 2)
    world.host.poll()
    world.clock.advance(600 * SECOND)

    def crash(name: str) -> None:
        raise Crash(name)

    with monkeypatch.context() as dying:
        dying.setattr(world.objects, "delete", crash)
        with pytest.raises(Crash):
            world.replay.once(NO_DEADLINE)
    assert world.parked() == [[1, 2], [1, 2]]

    world.rule = lambda _: DONE
    world.start()
    world.replay_all()

    assert world.parked() == []
    assert world.dead() == {}


def test_a_replay_whose_process_ends_is_one_more_attempt(world: World) -> None:
    world.rule = lambda _: AWAY
    world.goals(1)
    world.host.poll()
    world.clock.advance(600 * SECOND)

    def deadly(_: Record) -> Answer:
        raise Crash("out of memory")

    world.rule = deadly
    with pytest.raises(Crash):
        world.replay.once(NO_DEADLINE)

    (parked,) = world.parking.due(1 << 50, 100)
    assert (parked.tail.attempt, parked.tail.alone) == (2, True)
    assert parked.due_at >= world.clock.now_ms() + world.terms.timeout_ms  # when the first replay must be over


def test_what_another_release_has_parked_is_left_to_it(world: World) -> None:
    world.objects.put("counter/000000000000000-00001-aa", FORMAT[:-1] + b"\x02 of a newer release")
    world.rule = only(1, Reject("unreadable"))
    world.goals(1)
    world.host.poll()

    world.replay_all(2)

    assert list(world.objects.list()) == ["counter/000000000000000-00001-aa"]
    assert list(world.dead()) == [1]


def test_what_another_release_has_parked_is_left_to_it_even_where_it_could_be_read(world: World) -> None:
    world.rule = only(1, AWAY)
    world.goals(1)
    world.host.poll()
    (name,) = world.objects.list()
    world.objects.put(name, FORMAT[:-1] + b"\x02" + (world.objects.get(name) or b"")[len(FORMAT) :])

    world.replay_all(2)

    assert list(world.objects.list()) == [name]


def test_what_nobody_of_us_parked_holds_up_no_record(world: World) -> None:
    strangers = ["counter/notes.txt", "counter/\u0665-00001-aa", "counter/"]
    for name in strangers:
        world.objects.put(name, b"of somebody else")
    world.rule = only(1, AWAY)
    world.goals(1)
    world.host.poll()
    world.rule = lambda _: DONE

    assert world.replay.run(NO_DEADLINE, world.clock.now_ms() + 60 * SECOND) == 1
    assert sorted(world.objects.list()) == sorted(strangers)


def test_what_waits_longest_comes_first(world: World) -> None:
    for due_at in (1_000, 999, 10_000):
        world.parking.park(Tail(attempt=1, waiting=[]), due_at)

    assert [each.due_at for each in world.parking.due(1_000, 100)] == [999, 1_000]
    assert world.parking.next_due() == 999


def test_the_timer_goes_on_while_something_is_due_within_its_minute(world: World) -> None:
    world.rule = only(1, AWAY)
    world.goals(1)
    world.host.poll()
    world.rule = lambda _: DONE

    replayed = world.replay.run(NO_DEADLINE, world.clock.now_ms() + 60 * SECOND)

    assert replayed == 1
    assert world.parked() == []


def test_the_timer_ends_at_once_when_nothing_is_parked(world: World) -> None:
    before = world.clock.now_ms()

    assert world.replay.run(NO_DEADLINE, before + 60 * SECOND) == 0
    assert world.clock.now_ms() == before


def test_near_its_deadline_a_batch_is_parked_rather_than_tried_again() -> None:
    world = World(rule=only(1, AWAY), deadline=Deadline(lambda: 4_000))
    world.goals(1, 2)

    world.host.poll()

    assert world.batches == [[1, 2]]
    assert world.parked() == [[1, 2]]


def test_the_timer_rests_when_only_another_release_can_go_on(world: World) -> None:
    world.objects.put("counter/000000000000000-00001-aa", FORMAT[:-1] + b"\x02 of a newer release")
    before = world.clock.now_ms()

    assert world.replay.run(NO_DEADLINE, before + 60 * SECOND) == 0
    assert world.clock.now_ms() == before


def test_a_function_is_handed_the_batches_of_two_partitions_one_after_the_other(world: World) -> None:
    inside = Barrier(2)

    def meet(_: Record) -> Answer:
        with suppress(BrokenBarrierError):
            inside.wait(0.2)
            return Reject("another call was inside at the same time")
        return DONE

    world.rule = meet
    batches = [as_triggered([HubEvent(0, seal(goal(each), 0))], str(each), "counter") for each in range(2)]

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda batch: world.host.call(batch, 0), batches))

    assert world.dead() == {}
    assert len(world.batches) == 2


def test_what_is_replayed_waits_until_a_batch_has_been_handled(world: World) -> None:
    world.rule = only(1, AWAY)
    world.goals(1)
    world.host.poll()
    world.clock.advance(600 * SECOND)
    inside = Barrier(2)

    def meet(_: Record) -> Answer:
        with suppress(BrokenBarrierError):
            inside.wait(0.2)
            return Reject("another call was inside at the same time")
        return DONE

    world.rule = meet
    batch = as_triggered([HubEvent(1, seal(goal(2), 0))], "0", "counter")

    with ThreadPoolExecutor(2) as threads:
        calls: list[Future[Any]] = [
            threads.submit(world.host.call, batch, 0),
            threads.submit(world.replay.once, NO_DEADLINE),
        ]
        for call in calls:
            call.result()

    assert world.dead() == {}
    assert world.parked() == []


def test_what_the_host_says_of_a_batch_is_read_once(world: World) -> None:
    """It holds every event's properties: reading it for each event would cost the square of the batch."""

    class Counted(dict[str, Datum]):
        read = 0

        def items(self) -> Any:
            self.read += 1
            return super().items()

    metadata = Counted(PartitionContext=Datum(type="json", value='{"PartitionId": "3"}'))
    bodies = [seal(goal(number), 0) for number in range(50)]
    events = [func.EventHubEvent(body=body, trigger_metadata=metadata, sequence_number=1) for body in bodies]

    world.host.call(events, 0)

    assert metadata.read == 1
    assert len(world.batches[0]) == 50


def test_a_parked_record_keeps_where_it_was_and_when_it_came(world: World) -> None:
    world.rule = only(1, AWAY)
    appended_at = world.clock.now_ms()
    world.goals(7, 1)
    world.clock.advance(SECOND)
    world.host.poll()

    (parked,) = world.parking.due(1 << 50, 100)
    (waiting,) = parked.tail.waiting
    record = waiting.record
    assert (record.partition, record.position, record.key, record.body) == ("0", 1, "match#0", b"goal 1")
    assert (record.first_appended_at, record.attempt) == (appended_at, 1)
