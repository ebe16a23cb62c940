"""The broker's requests as gRPC services `google.pubsub.v1.Publisher` and `Subscriber`."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import types

from tests.emulators.pubsub.broker import Broker, Proto, Refused

THREADS: Final = 32
LONGEST_PULL_SECONDS: Final = 90.0
ANSWER_SECONDS: Final = 0.005
"""A pull is answered so long before its caller gives up."""

Work = Callable[[Any, grpc.ServicerContext], Any]


@dataclass(frozen=True, slots=True)
class PubSubServer:
    """A running stand-in. `address` is host:port."""

    address: str
    broker: Broker


@contextmanager
def pubsub() -> Iterator[PubSubServer]:
    """A stand-in of its own on a free port, until the block ends."""
    broker = Broker()
    server = grpc.server(ThreadPoolExecutor(THREADS), options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((_publisher(broker), _subscriber(broker)))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield PubSubServer(f"127.0.0.1:{port}", broker)
    finally:
        server.stop(grace=None).wait()


def _publisher(broker: Broker) -> grpc.GenericRpcHandler[Any, Any]:
    ids = types.PublishResponse.pb()
    return grpc.method_handlers_generic_handler(
        "google.pubsub.v1.Publisher",
        {
            "CreateTopic": _unary(types.Topic, lambda topic, _: broker.create_topic(topic)),
            "GetTopic": _unary(types.GetTopicRequest, lambda asked, _: broker.get_topic(asked.topic)),
            "DeleteTopic": _unary(types.DeleteTopicRequest, lambda asked, _: broker.delete_topic(asked.topic)),
            "Publish": _unary(
                types.PublishRequest,
                lambda asked, _: ids(message_ids=broker.publish(asked.topic, asked.messages)),
            ),
        },
    )


def _subscriber(broker: Broker) -> grpc.GenericRpcHandler[Any, Any]:
    pulled = types.PullResponse.pb()

    def pull(asked: Proto, context: grpc.ServicerContext) -> Proto:
        left = context.time_remaining()
        wait = LONGEST_PULL_SECONDS if left is None else left - ANSWER_SECONDS
        if asked.return_immediately:
            wait = 0
        wait = min(wait, LONGEST_PULL_SECONDS)
        messages = broker.pull(asked.subscription, asked.max_messages, wait, context.is_active)
        return pulled(received_messages=messages)

    return grpc.method_handlers_generic_handler(
        "google.pubsub.v1.Subscriber",
        {
            "CreateSubscription": _unary(types.Subscription, lambda asked, _: broker.create_subscription(asked)),
            "GetSubscription": _unary(
                types.GetSubscriptionRequest, lambda asked, _: broker.get_subscription(asked.subscription)
            ),
            "DeleteSubscription": _unary(
                types.DeleteSubscriptionRequest, lambda asked, _: broker.delete_subscription(asked.subscription)
            ),
            "Pull": _unary(types.PullRequest, pull),
            "Acknowledge": _unary(
                types.AcknowledgeRequest, lambda asked, _: broker.acknowledge(asked.subscription, asked.ack_ids)
            ),
            "ModifyAckDeadline": _unary(
                types.ModifyAckDeadlineRequest,
                lambda asked, _: broker.modify_ack_deadline(
                    asked.subscription, asked.ack_ids, asked.ack_deadline_seconds
                ),
            ),
        },
    )


def _unary(request: Any, work: Work) -> grpc.RpcMethodHandler[Any, Any]:
    """A method whose refusals become gRPC's."""

    def answer(asked: Proto, context: grpc.ServicerContext) -> Proto:
        try:
            result = work(asked, context)
        except Refused as refused:
            context.abort(refused.code, refused.told)
        return Empty() if result is None else result

    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=request.pb().FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )
