"""What every delivery promises, where Pub/Sub pushes: a 5xx brings the message again, and so does a late answer."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from adapters.local.triggers import Delivery
from shared.stream import Answer, Deadline, Record, Retry
from tests.contract import test_triggers
from tests.contract.rig import Rig
from tests.contract.rigs.gcp import gcp
from tests.contract.test_triggers import MINUTE, Function, goal

pytestmark = pytest.mark.xdist_group("contract-gcp")

PROMISES: list[Callable[..., None]] = [
    test_triggers.test_every_record_is_delivered_once_when_all_goes_well,
    test_triggers.test_a_consumer_started_anew_goes_on_where_the_last_one_stopped,
    test_triggers.test_a_rejected_record_goes_whole_to_the_dead_letters_and_the_others_go_on,
    test_triggers.test_a_record_that_never_succeeds_goes_to_the_dead_letters_after_its_attempts,
    test_triggers.test_a_record_that_grows_too_old_goes_to_the_dead_letters,
]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with gcp(tmp_path, pushes=True) as made:
        yield made


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__.removeprefix("test_"))
def test_a_push_keeps_the_promises_of_every_delivery(promise: Callable[[Rig, Delivery], None], rig: Rig) -> None:
    promise(rig, Delivery.EACH)


@pytest.mark.parametrize("silence", [Retry("a store is away"), None])
def test_what_is_not_done_is_pushed_again(rig: Rig, silence: Answer | None) -> None:
    test_triggers.test_what_is_not_done_comes_again(rig, Delivery.EACH, silence)


def test_a_record_is_not_acknowledged_until_the_dead_letters_have_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_triggers.test_a_record_is_not_acknowledged_until_the_dead_letters_have_it(rig, Delivery.EACH, monkeypatch)


def test_what_is_answered_too_late_is_pushed_again(rig: Rig) -> None:
    rig.append(goal(1))
    function = Function()

    def slow(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        answers = function(records, deadline)
        rig.clock.advance(2 * MINUTE if len(function.batches) == 1 else 0)
        return answers

    consumer = rig.consumer(slow)
    assert consumer.poll() == 1
    rig.clock.advance(MINUTE)

    assert consumer.poll() == 1
    rig.clock.advance(10 * MINUTE)
    assert consumer.poll() == 0
    assert function.batches == [[1], [1]]
