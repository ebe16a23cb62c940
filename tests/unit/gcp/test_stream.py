import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from adapters.common.envelope import open_record, seal
from adapters.gcp.pubsub import PubSub, PubSubSubscription
from adapters.gcp.stream import PubSubStream
from lab.memory import MemoryClock
from shared.errors import Misconfigured, Throttled, Unavailable
from shared.stream import MAX_BODY_BYTES, NewRecord
from tests.emulators.pubsub import PubSubServer, pubsub
from tests.emulators.pubsub.direct import make_subscription, make_topic
from tests.unit.gcp.stage import SUBSCRIPTION, TOPIC, goal

Code = grpc.StatusCode


@pytest.fixture(scope="module")
def running() -> Iterator[PubSubServer]:
    with pubsub() as server:
        yield server


@pytest.fixture
def server(running: PubSubServer) -> PubSubServer:
    """With a topic and its subscription."""
    running.faults.clear()
    running.broker.topics.clear()
    running.broker.subscriptions.clear()
    make_topic(running.broker, TOPIC)
    make_subscription(running.broker, SUBSCRIPTION, TOPIC)
    return running


def environ(server: PubSubServer, **more: str) -> dict[str, str]:
    return {"GOOGLE_CLOUD_PROJECT": "p", **server.environ, **more}


def stream(server: PubSubServer, name: str = "events") -> PubSubStream:
    return PubSubStream(environ(server), name, MemoryClock())


def published(server: PubSubServer) -> list[bytes]:
    messages = server.broker.pull(SUBSCRIPTION, 1_000)
    if messages:
        server.broker.acknowledge(SUBSCRIPTION, [each.ack_id for each in messages])
    return [each.message.data for each in messages]


def test_records_are_published_framed_and_without_an_ordering_key(server: PubSubServer) -> None:
    record = NewRecord(bytes(16), "match/ü#3", b"\x00packed\xff")

    assert list(stream(server).append([record])) == [None]

    (message,) = (copy.message for copy in server.broker.subscriptions[SUBSCRIPTION].waiting)
    assert message.data == seal(record, MemoryClock().now_ms())
    assert (message.ordering_key, dict(message.attributes)) == ("", {})


def test_a_thousand_records_are_one_request(server: PubSubServer) -> None:
    stream(server).append([goal(n) for n in range(1_001)])

    assert server.faults.calls["Publish"] == 2
    assert len(published(server)) + len(published(server)) == 1_001


def test_large_records_are_published_in_as_many_requests_as_it_takes(server: PubSubServer) -> None:
    results = stream(server).append([goal(n, bytes(MAX_BODY_BYTES)) for n in range(20)])

    assert list(results) == [None] * 20
    assert server.faults.calls["Publish"] == 3


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED, Code.INTERNAL, Code.ABORTED])
def test_what_may_work_later_is_tried_again(server: PubSubServer, code: grpc.StatusCode) -> None:
    server.faults.fail("Publish", code, times=2)

    assert list(stream(server).append([goal(1)])) == [None]
    assert len(published(server)) == 1


def test_a_lost_answer_may_publish_twice_but_never_loses(server: PubSubServer) -> None:
    server.faults.fail("Publish", Code.UNAVAILABLE, after=True)

    assert list(stream(server).append([goal(1)])) == [None]

    copies = [open_record(data, partition="", position=None, attempt=None, now_ms=0)[0] for data in published(server)]
    assert [copy.record_id for copy in copies] == [goal(1).record_id] * 2


def test_throttling_that_does_not_end_is_a_clear_error(server: PubSubServer) -> None:
    server.faults.fail("Publish", Code.RESOURCE_EXHAUSTED, times=100)

    with pytest.raises(Throttled, match="the topic projects/p/topics/grandstand-events asks us to slow down"):
        stream(server).append([goal(1)])


def test_a_topic_that_is_down_is_unavailable(server: PubSubServer) -> None:
    with server.faults.down(), pytest.raises(Unavailable, match="cannot answer now"):
        stream(server).append([goal(1)])


def test_records_of_a_later_request_that_fails_are_told_apart_from_those_that_are_durable(
    server: PubSubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    appending = stream(server)
    appending.append([goal(0)])
    published(server)
    publish, calls = server.broker.publish, 0

    def fail_the_second(topic: str, messages: object) -> list[str]:
        nonlocal calls
        calls += 1
        if calls == 2:
            server.faults.fail("Publish", Code.UNAVAILABLE, times=100)
        return publish(topic, messages)  # type: ignore[arg-type]

    monkeypatch.setattr(server.broker, "publish", fail_the_second)
    results = appending.append([goal(n, bytes(900_000)) for n in range(25)])

    assert [result is None for result in results] == [True] * 18 + [False] * 7
    assert "cannot answer now" in (results[-1] or "")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (Code.PERMISSION_DENIED, "roles/pubsub.publisher"),
        (Code.NOT_FOUND, "Deploy it, or correct GOOGLE_CLOUD_PROJECT"),
        (Code.UNAUTHENTICATED, "gcloud auth application-default login"),
    ],
)
def test_what_only_a_person_can_mend_is_told_at_once(server: PubSubServer, code: grpc.StatusCode, told: str) -> None:
    server.faults.fail("Publish", code)

    with pytest.raises(Misconfigured, match=told):
        stream(server).append([goal(1)])
    assert server.faults.calls["Publish"] == 1


def test_a_topic_that_is_not_there_is_named(server: PubSubServer) -> None:
    with pytest.raises(Misconfigured, match="the topic projects/p/topics/other-events"):
        PubSubStream(environ(server, GRANDSTAND_NAME="other"), "events", MemoryClock()).append([goal(1)])


def test_a_missing_project_is_told_before_anything_is_made() -> None:
    with pytest.raises(Misconfigured, match="GOOGLE_CLOUD_PROJECT is not set"):
        PubSubStream({}, "events", MemoryClock())


def test_threads_share_one_client(server: PubSubServer) -> None:
    clients = PubSub(environ(server))
    ready = threading.Barrier(8)

    def client(_: int) -> int:
        ready.wait(10)
        return id(clients.publisher)

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(client, range(8)))) == 1


def subscription(server: PubSubServer) -> PubSubSubscription:
    return PubSubSubscription(PubSub(environ(server)), "events", "counter")


def test_a_pull_in_which_nothing_comes_is_empty(server: PubSubServer) -> None:
    assert list(subscription(server).pull(10, 0.05)) == []


def test_a_pull_is_answered_as_soon_as_there_is_something(server: PubSubServer) -> None:
    waiting = subscription(server)
    with ThreadPoolExecutor(1) as threads:
        pulling = threads.submit(waiting.pull, 10, 30)
        stream(server).append([goal(1)])
        (received,) = pulling.result(20)

    assert received.data == seal(goal(1), MemoryClock().now_ms())
    assert received.attempt is None  # this subscription has no dead-letter policy


def test_thousands_are_acknowledged_and_given_back_in_several_requests(server: PubSubServer) -> None:
    server.broker.publish(TOPIC, [_message(n) for n in range(1_000)])
    server.broker.publish(TOPIC, [_message(n) for n in range(1_000)])
    pulled = subscription(server)
    received = [*pulled.pull(1_000, 5), *pulled.pull(1_000, 5)]

    pulled.acknowledge([each.ack_id for each in received[:1_500]])
    pulled.extend([each.ack_id for each in received[1_500:]], 60)
    pulled.release([each.ack_id for each in received[1_500:]])

    assert server.faults.calls["Acknowledge"] == 2
    assert len(server.broker.subscriptions[SUBSCRIPTION].waiting) == 500


@pytest.mark.parametrize("method", ["Acknowledge", "ModifyAckDeadline"])
def test_acknowledging_is_tried_again(server: PubSubServer, method: str) -> None:
    stream(server).append([goal(1)])
    pulled = subscription(server)
    (received,) = pulled.pull(1, 5)
    server.faults.fail(method, Code.UNAVAILABLE, times=2)

    (pulled.acknowledge if method == "Acknowledge" else pulled.release)([received.ack_id])

    assert server.faults.calls[method] == 3


def test_a_subscription_that_is_not_there_is_named(server: PubSubServer) -> None:
    with pytest.raises(Misconfigured, match="the subscription projects/p/subscriptions/grandstand-events-nobody"):
        PubSubSubscription(PubSub(environ(server)), "events", "nobody").pull(1, 1)


def _message(number: int) -> object:
    from tests.emulators.pubsub.broker import MESSAGE

    return MESSAGE(data=b"%d" % number)
