"""What the stream and the drains promise, at Google's own Pub/Sub emulator, where the machine has it.

Its time is the machine's, so what only a lease or a backoff brings about is left to the stand-in.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.local.triggers import Delivery
from shared.stream import Retry
from tests.contract import test_stream, test_triggers
from tests.contract.rig import Rig
from tests.contract.rigs.gcp import gcp
from tests.contract.test_triggers import Function, goal, only
from tests.emulators.firestore.google import NotInstalled
from tests.emulators.pubsub import google_emulator

pytestmark = pytest.mark.xdist_group("contract-gcp")

STREAM = [
    promise
    for name, promise in vars(test_stream).items()
    if name.startswith("test_") and not hasattr(promise, "pytestmark")
]
DRAIN = [
    test_triggers.test_every_record_is_delivered_once_when_all_goes_well,
    test_triggers.test_a_consumer_started_anew_goes_on_where_the_last_one_stopped,
    test_triggers.test_a_rejected_record_goes_whole_to_the_dead_letters_and_the_others_go_on,
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    try:
        with google_emulator() as started:
            yield started
    except NotInstalled as reason:
        pytest.skip(f"Google's Pub/Sub emulator: {reason}")


@pytest.fixture
def rig(address: str, tmp_path: Path) -> Iterator[Rig]:
    with gcp(tmp_path, google=address) as made:
        yield made


def _named(promise: Callable[..., None]) -> str:
    return promise.__name__.removeprefix("test_")


@pytest.mark.parametrize("promise", STREAM, ids=_named)
def test_the_stream_keeps_its_promises(promise: Callable[[Rig], None], rig: Rig) -> None:
    promise(rig)


@pytest.mark.parametrize("promise", DRAIN, ids=_named)
def test_a_drain_keeps_its_promises(promise: Callable[[Rig, Delivery], None], rig: Rig) -> None:
    promise(rig, Delivery.EACH)


def test_attempts_are_counted_there_as_well(rig: Rig) -> None:
    rig.append(goal(1), goal(2))
    function = Function(only(1, Retry("always away")))
    consumer = rig.consumer(function, max_attempts=3)

    while not rig.dead_letters.count():
        consumer.poll()

    (letter,) = rig.dead_letters.all()
    assert letter.reason == "gave up after 3 attempts: always away"
    assert [batch for batch in function.batches if 1 in batch][1:] == [[1], [1]]
