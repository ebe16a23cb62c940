"""What the contract suite does not say of Storage Queues."""

from datetime import datetime

import pytest

from adapters.azure.queue import MAX_DELAY_SECONDS, body_of
from adapters.azure.suite import Suite
from shared.errors import Misconfigured, Throttled, Unavailable
from shared.ports import Queue
from tests.emulators.azurite import Azurite
from tests.unit.azure.conftest import QUEUE


def queue(suite: Suite) -> Queue:
    return suite.ports.queue(QUEUE)


def test_a_message_travels_as_base64_and_never_ends_by_itself(suite: Suite) -> None:
    queue(suite).send(b"\x00build\xff")

    client = suite.clients.queues.get_queue_client(suite.queue_name(QUEUE))
    (message,) = client.receive_messages()
    assert message.content == "AGJ1aWxk/w=="
    assert body_of(message.content) == b"\x00build\xff"
    assert isinstance(message.expires_on, datetime)
    assert message.expires_on.year == 9999


@pytest.mark.parametrize("text", ["not ours", "AGJ1aWxk/w", "{}", "é"])
def test_a_text_that_is_not_ours_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|padding|ASCII"):
        body_of(text)


def test_a_message_may_wait_for_seven_days_and_no_longer(suite: Suite) -> None:
    queue(suite).send(b"later", delay_seconds=MAX_DELAY_SECONDS)

    for delay in (-1, MAX_DELAY_SECONDS + 1):
        with pytest.raises(ValueError, match="604800"):
            queue(suite).send(b"later", delay_seconds=delay)


@pytest.mark.parametrize(
    ("kind", "error"), [("throttled", Throttled), ("broken", Unavailable), ("down", Unavailable)]
)
def test_faults_are_told_by_their_names(suite: Suite, storage: Azurite, kind: str, error: type[Exception]) -> None:
    with storage.fault(kind), pytest.raises(error, match=suite.queue_name(QUEUE)) as told:
        queue(suite).send(b"")

    assert type(told.value) is error


def test_a_queue_that_nobody_made_is_named_with_what_makes_it(bare: Suite) -> None:
    with pytest.raises(Misconfigured, match=f"az storage queue create --name {bare.queue_name(QUEUE)}"):
        queue(bare).send(b"")
