"""The broker's requests as the gRPC services of Pub/Sub, on one port."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import types

from tests.emulators.google_rpc import Faults, Refused
from tests.emulators.pubsub.broker import Broker, Proto

THREADS: Final = 32
ANSWER_SECONDS: Final = 0.005
"""A pull is answered so long before its caller gives up."""

PUBLISHER: Final = "google.pubsub.v1.Publisher"
SUBSCRIBER: Final = "google.pubsub.v1.Subscriber"

Work = Callable[[Any, grpc.ServicerContext], Any]
Methods = Mapping[str, tuple[Any, Work]]
"""Each one's request, and what it does."""


@dataclass(frozen=True, slots=True)
class PubSubServer:
    """A running stand-in. `address` is host:port; `faults` are by method ("Publish", "Pull")."""

    address: str
    broker: Broker
    faults: Faults

    @property
    def environ(self) -> dict[str, str]:
        return {"PUBSUB_EMULATOR_HOST": self.address}


@contextmanager
def pubsub() -> Iterator[PubSubServer]:
    """A stand-in of its own on a free port, until the block ends."""
    broker, faults = Broker(), Faults()
    server = grpc.server(
        ThreadPoolExecutor(THREADS, thread_name_prefix="pubsub"),
        options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)],
    )
    for service, methods in ((PUBLISHER, _publisher(broker)), (SUBSCRIBER, _subscriber(broker))):
        handlers = {name: _handler(name, faults, *method) for name, method in methods.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield PubSubServer(f"127.0.0.1:{port}", broker, faults)
    finally:
        server.stop(grace=None).wait()


def _publisher(broker: Broker) -> Methods:
    ids = types.PublishResponse.pb()
    return {
        "CreateTopic": (types.Topic, lambda topic, _: broker.create_topic(topic)),
        "GetTopic": (types.GetTopicRequest, lambda asked, _: broker.get_topic(asked.topic)),
        "DeleteTopic": (types.DeleteTopicRequest, lambda asked, _: broker.delete_topic(asked.topic)),
        "Publish": (
            types.PublishRequest,
            lambda asked, _: ids(message_ids=broker.publish(asked.topic, asked.messages)),
        ),
    }


def _subscriber(broker: Broker) -> Methods:
    return {
        "CreateSubscription": (types.Subscription, lambda asked, _: broker.create_subscription(asked)),
        "GetSubscription": (
            types.GetSubscriptionRequest,
            lambda asked, _: broker.get_subscription(asked.subscription),
        ),
        "DeleteSubscription": (
            types.DeleteSubscriptionRequest,
            lambda asked, _: broker.delete_subscription(asked.subscription),
        ),
        "Pull": (types.PullRequest, lambda asked, context: _pull(broker, asked, context)),
        "Acknowledge": (
            types.AcknowledgeRequest,
            lambda asked, _: broker.acknowledge(asked.subscription, asked.ack_ids),
        ),
        "ModifyAckDeadline": (
            types.ModifyAckDeadlineRequest,
            lambda asked, _: broker.modify_ack_deadline(
                asked.subscription, asked.ack_ids, asked.ack_deadline_seconds
            ),
        ),
    }


def _pull(broker: Broker, asked: Proto, context: grpc.ServicerContext) -> Proto:
    left = context.time_remaining()
    wait = broker.longest_wait_seconds if left is None else left - ANSWER_SECONDS
    messages = broker.pull(asked.subscription, asked.max_messages, wait, context.is_active)
    return types.PullResponse.pb()(received_messages=messages)


def _handler(name: str, faults: Faults, request: Any, work: Work) -> grpc.RpcMethodHandler[Any, Any]:
    """A method that meets the faults planned for it, and whose refusals become gRPC's."""

    def answer(asked: Proto, context: grpc.ServicerContext) -> Proto:
        try:
            lost = faults.meet(name)
            result = work(asked, context)
        except Refused as refused:
            context.abort(refused.code, refused.detail)
        if lost is not None:
            context.abort(lost.code, lost.detail)
        return Empty() if result is None else result

    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=request.pb().FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )
