import pytest

from shared.ports import MAX_MESSAGE_BYTES
from tests.contract.rig import Rig


def test_a_message_is_received_until_it_is_settled(provider: Rig) -> None:
    provider.ports.queue("reports").send(b"\x00build\xff")
    receiver = provider.reopen().receiver("reports")

    (first,) = receiver.receive(lease_ms=1_000)
    assert (first.body, first.attempt) == (b"\x00build\xff", 1)
    assert list(receiver.receive()) == []

    provider.pass_time(1_500)
    (second,) = receiver.receive(lease_ms=1_000)
    assert (second.body, second.attempt) == (b"\x00build\xff", 2)

    receiver.settle(second)
    provider.pass_time(1_500)
    assert list(receiver.receive()) == []


def test_a_delayed_message_waits(provider: Rig) -> None:
    provider.ports.queue("reports").send(b"later", delay_seconds=2)
    assert list(provider.receiver("reports").receive()) == []

    provider.pass_time(2_500)

    assert [message.body for message in provider.receiver("reports").receive()] == [b"later"]


def test_queues_are_apart_and_a_receiver_takes_no_more_than_it_asks_for(provider: Rig) -> None:
    for n in range(5):
        provider.ports.queue("reports").send(b"%d" % n)
    provider.ports.queue("other").send(b"other")

    first = provider.receiver("reports").receive(limit=3)
    second = provider.receiver("reports").receive(limit=3)

    assert (len(first), len(second)) == (3, 2)
    assert {message.body for message in [*first, *second]} == {b"0", b"1", b"2", b"3", b"4"}


def test_a_message_past_the_limit_is_a_value_error(provider: Rig) -> None:
    with pytest.raises(ValueError, match=str(MAX_MESSAGE_BYTES)):
        provider.ports.queue("reports").send(bytes(MAX_MESSAGE_BYTES + 1))


def test_a_message_of_the_largest_size_is_taken(provider: Rig) -> None:
    body = bytes(range(250)) * (MAX_MESSAGE_BYTES // 250)

    provider.ports.queue("reports").send(body)

    assert [message.body for message in provider.receiver("reports").receive()] == [body]
