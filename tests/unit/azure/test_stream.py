"""Appending to Event Hubs, through the SDK and against the stand-in."""

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.azure.stream import TOO_LARGE, EventHubsStream, partition_key
from adapters.common.envelope import open_record
from lab.memory import MemoryClock
from shared.errors import Misconfigured, Throttled, Unavailable
from shared.stream import MAX_BODY_BYTES, NewRecord, Record
from tests.emulators.event_hubs import EventHubs, Fault, event_hubs
from tests.emulators.event_hubs import links as links_module
from tests.emulators.event_hubs import server as server_module
from tests.emulators.event_hubs.messages import DATA, sections

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""The SDK leaves the socket of a connection that the other side has ended to the garbage collector."""


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """... which must not come by in a test that does not know."""
    yield
    gc.collect()


def record(number: int, key: str = "match#0", body: bytes = b"packed") -> NewRecord:
    return NewRecord(number.to_bytes(16, "big"), key, body)


@pytest.fixture(scope="module")
def server() -> Iterator[EventHubs]:
    with event_hubs() as hubs:
        yield hubs


@pytest.fixture
def hubs(server: EventHubs) -> EventHubs:
    server.calm()
    server.create("events")
    return server


@pytest.fixture
def stream(hubs: EventHubs) -> Iterator[EventHubsStream]:
    made = EventHubsStream({"GRANDSTAND_EVENT_HUBS_CONNECTION": hubs.connection_string}, "events", MemoryClock())
    yield made
    made.close()


def stored(hubs: EventHubs) -> list[Record]:
    return [
        open_record(data, partition=str(n), position=event.sequence_number, attempt=None, now_ms=0)[0]
        for n, partition in enumerate(hubs.hub("events").partitions)
        for event in partition.events
        for data in sections(event.message)[DATA]
    ]


def ids(records: list[Record]) -> list[int]:
    return [int.from_bytes(each.record_id, "big") for each in records]


def test_records_of_one_key_are_one_publication(hubs: EventHubs, stream: EventHubsStream) -> None:
    before = hubs.publications

    assert list(stream.append([record(n) for n in range(300)])) == [None] * 300

    assert ids(stored(hubs)) == list(range(300))
    assert hubs.publications - before == 1


def test_a_batch_that_is_full_is_followed_by_another(hubs: EventHubs, stream: EventHubsStream) -> None:
    before = hubs.publications

    assert list(stream.append([record(n, body=bytes(400_000)) for n in range(5)])) == [None] * 5

    assert ids(stored(hubs)) == list(range(5))
    assert hubs.publications - before == 3


def test_the_largest_record_under_the_longest_key_is_taken(hubs: EventHubs, stream: EventHubsStream) -> None:
    body = bytes(range(250)) * (MAX_BODY_BYTES // 250)

    assert list(stream.append([record(1, "é" * 128, body)])) == [None]

    (read,) = stored(hubs)
    assert (read.key, read.body) == ("é" * 128, body)


@pytest.mark.parametrize("key", ["", "x" * 129, "é" * 100])
def test_a_key_that_event_hubs_does_not_take_travels_as_a_hash(key: str) -> None:
    assert len(partition_key(key)) == 32
    assert partition_key(key) == partition_key(key)


def test_a_key_of_128_characters_travels_as_it_is() -> None:
    assert partition_key("x" * 128) == "x" * 128


def test_what_a_hub_of_a_smaller_tier_does_not_take_is_told_and_the_others_are_stored(
    hubs: EventHubs, stream: EventHubsStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (server_module, links_module):
        monkeypatch.setattr(module, "MAX_MESSAGE_BYTES", 256 * 1024)
    large = bytes(300_000)
    records = [record(1), record(2, body=large), record(3), record(4, "other#0", body=large), record(5, body=large)]

    results = stream.append(records)

    assert results == [None, TOO_LARGE, None, TOO_LARGE, TOO_LARGE]
    assert sorted(each.record_id for each in stored(hubs)) == [records[0].record_id, records[2].record_id]


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.DETACH, Fault.DISCONNECT])
def test_what_passes_is_tried_again(hubs: EventHubs, stream: EventHubsStream, fault: Fault) -> None:
    stream.append([record(1)])
    hubs.plan(fault, times=2)

    assert list(stream.append([record(2), record(3)])) == [None, None]

    assert ids(stored(hubs)) == [1, 2, 3]


def test_a_lost_answer_may_store_a_record_twice_and_never_not_at_all(
    hubs: EventHubs, stream: EventHubsStream
) -> None:
    hubs.plan(Fault.LOSE_ANSWER)

    assert list(stream.append([record(1)])) == [None]

    assert set(ids(stored(hubs))) == {1}


def test_a_connection_that_event_hubs_has_ended_is_made_anew(hubs: EventHubs, stream: EventHubsStream) -> None:
    stream.append([record(1)])
    hubs.disconnect()

    assert list(stream.append([record(2)])) == [None]

    assert ids(stored(hubs)) == [1, 2]


def test_throttling_that_lasts_is_a_clear_error(hubs: EventHubs, stream: EventHubsStream) -> None:
    hubs.plan(Fault.BUSY, times=100)

    with pytest.raises(Throttled, match="the event hub events asks us to slow down"):
        stream.append([record(1)])

    assert stored(hubs) == []


def test_records_that_were_stored_before_a_failure_are_told(hubs: EventHubs, stream: EventHubsStream) -> None:
    stream.append([record(0)])
    hubs.plan(Fault.BUSY, times=100)
    hubs.spare(1)

    results = stream.append([record(1, "a#0"), record(2, "b#0"), record(3, "c#0")])

    assert results[0] is None
    assert all(result and "slow down" in result for result in results[1:])
    assert sorted(ids(stored(hubs))) == [0, 1]


def test_an_expired_credential_is_named(hubs: EventHubs, stream: EventHubsStream) -> None:
    hubs.refuse_tokens = True

    with pytest.raises(Misconfigured, match="credential is refused"):
        stream.append([record(1)])


def test_a_credential_that_was_renewed_serves_again(hubs: EventHubs, stream: EventHubsStream) -> None:
    hubs.refuse_tokens = True
    with pytest.raises(Misconfigured):
        stream.append([record(1)])

    hubs.refuse_tokens = False

    assert list(stream.append([record(1)])) == [None]


def test_threads_whose_connection_ends_under_them_lose_nothing(hubs: EventHubs, stream: EventHubsStream) -> None:
    stream.append([record(0)])
    hubs.plan(Fault.DISCONNECT, times=3)

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda n: stream.append([record(n)]), range(1, 9)))

    assert results == [[None]] * 8
    assert set(ids(stored(hubs))) == set(range(9))


def test_a_hub_that_is_not_there_is_named(hubs: EventHubs) -> None:
    stream = EventHubsStream({"GRANDSTAND_EVENT_HUBS_CONNECTION": hubs.connection_string}, "goals", MemoryClock())

    with pytest.raises(Misconfigured, match=r"the event hub goals .* GRANDSTAND_EVENT_HUBS"):
        stream.append([record(1)])

    stream.close()


def test_a_namespace_that_does_not_answer_is_unavailable() -> None:
    with event_hubs() as gone:
        connection = gone.connection_string
    stream = EventHubsStream({"GRANDSTAND_EVENT_HUBS_CONNECTION": connection}, "events", MemoryClock())

    with pytest.raises(Unavailable, match="the event hub events cannot be reached"):
        stream.append([record(1)])

    stream.close()


def test_a_namespace_that_is_not_set_is_named_before_anything_is_made() -> None:
    with pytest.raises(Misconfigured, match="GRANDSTAND_EVENT_HUBS is not set"):
        EventHubsStream({}, "events", MemoryClock())


def test_threads_share_one_connection(hubs: EventHubs, stream: EventHubsStream) -> None:
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda n: stream.append([record(n, f"content-{n}#0")]), range(64)))

    assert results == [[None]] * 64
    assert sorted(ids(stored(hubs))) == list(range(64))
    assert hubs.connections == 1
