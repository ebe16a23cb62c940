"""The Event Hubs stand-in keeps to what the SDK and the functions' host rely on."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient
from azure.eventhub.exceptions import EventHubError

from tests.emulators.event_hubs import EventHubs, Fault, event_hubs

WAIT_SECONDS = 20


@pytest.fixture(scope="module")
def hubs() -> Iterator[EventHubs]:
    with event_hubs() as hubs:
        yield hubs


@pytest.fixture
def producer(hubs: EventHubs) -> Iterator[EventHubProducerClient]:
    hubs.create("goals", partitions=2, groups=["first", "second"])
    with EventHubProducerClient.from_connection_string(hubs.connection_string, eventhub_name="goals") as client:
        yield client


def received(hubs: EventHubs, group: str, partition: str, count: int, **position: Any) -> list[EventData]:
    """So many events of a partition, as a consumer of the group gets them."""
    got: list[EventData] = []
    enough = threading.Event()

    def take(_: object, events: list[EventData]) -> None:
        got.extend(events)
        if len(got) >= count:
            enough.set()

    client = EventHubConsumerClient.from_connection_string(
        hubs.connection_string, consumer_group=group, eventhub_name="goals"
    )
    thread = threading.Thread(
        target=client.receive_batch, args=(take,), kwargs={"partition_id": partition, **position}, daemon=True
    )
    thread.start()
    assert enough.wait(WAIT_SECONDS), f"{len(got)} of {count} events have arrived"
    client.close()
    thread.join()
    return got


def test_each_consumer_group_reads_everything_with_its_place_in_the_log(
    hubs: EventHubs, producer: EventHubProducerClient
) -> None:
    producer.send_batch([EventData(b"kick-off"), EventData(b"goal")], partition_id="1")

    for group in ("first", "second"):
        events = received(hubs, group, "1", 2, starting_position="-1")
        assert [each.body_as_str() for each in events] == ["kick-off", "goal"]
        assert [each.sequence_number for each in events] == [0, 1]
        assert events[0].offset == "0" != events[1].offset
        assert events[0].enqueued_time is not None


def test_a_consumer_begins_where_it_asks_to(hubs: EventHubs, producer: EventHubProducerClient) -> None:
    producer.send_batch([EventData(b"%d" % number) for number in range(5)], partition_id="0")

    after = received(hubs, "first", "0", 2, starting_position=2)
    at = received(hubs, "first", "0", 3, starting_position=2, starting_position_inclusive=True)

    assert [each.body_as_str() for each in after] == ["3", "4"]
    assert [each.body_as_str() for each in at] == ["2", "3", "4"]


def test_events_of_a_key_share_a_partition_and_carry_the_key(
    hubs: EventHubs, producer: EventHubProducerClient
) -> None:
    for _ in range(3):
        producer.send_batch([EventData(b"goal")], partition_key="match#0")

    sizes = [len(partition.events) for partition in hubs.hub("goals").partitions]
    assert sorted(sizes) == [0, 3]
    event = received(hubs, "first", str(sizes.index(3)), 3, starting_position="-1")[0]
    assert event.partition_key == b"match#0"


def test_what_a_partition_holds_is_told(producer: EventHubProducerClient) -> None:
    producer.send_batch([EventData(b"goal")], partition_id="1")

    assert producer.get_partition_ids() == ["0", "1"]
    assert producer.get_partition_properties("0")["is_empty"] is True
    assert producer.get_partition_properties("1")["last_enqueued_sequence_number"] == 0


def test_a_publication_past_the_limit_is_refused(hubs: EventHubs, producer: EventHubProducerClient) -> None:
    with pytest.raises((EventHubError, ValueError)):
        producer.send_event(EventData(bytes(1_100_000)))

    assert hubs.hub("goals").size == 0


def test_a_refused_publication_is_not_stored(hubs: EventHubs, producer: EventHubProducerClient) -> None:
    hubs.plan(Fault.BUSY, times=2)  # the SDK tries once more by itself

    with pytest.raises(EventHubError, match="throttled"):
        producer.send_event(EventData(b"goal"))

    assert hubs.hub("goals").size == 0
