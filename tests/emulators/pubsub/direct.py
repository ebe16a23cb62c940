"""A subscription of the adapter's on a broker in this process, for tests that need many and no network."""

from collections.abc import Sequence

from google.pubsub_v1 import types

from adapters.gcp.pubsub import Received
from tests.emulators.pubsub.broker import Broker


class DirectSubscription:
    """`adapters.gcp.pubsub.Subscription`, without a client."""

    def __init__(self, broker: Broker, name: str) -> None:
        self._broker = broker
        self._name = name

    def pull(self, limit: int, wait_seconds: float) -> Sequence[Received]:
        return [
            Received(each.ack_id, each.message.data, each.message.message_id, each.delivery_attempt or None)
            for each in self._broker.pull(self._name, limit)
        ]

    def acknowledge(self, ack_ids: Sequence[str]) -> None:
        self._broker.acknowledge(self._name, ack_ids)

    def release(self, ack_ids: Sequence[str]) -> None:
        self._broker.modify_ack_deadline(self._name, ack_ids, 0)

    def extend(self, ack_ids: Sequence[str], seconds: int) -> None:
        self._broker.modify_ack_deadline(self._name, ack_ids, seconds)


def make_topic(broker: Broker, name: str) -> None:
    """A topic without settings."""
    broker.create_topic(types.Topic.pb()(name=name))


def make_subscription(
    broker: Broker,
    name: str,
    topic: str,
    *,
    dead_letter_topic: str | None = None,
    most_attempts: int = 100,
    backoff_seconds: int = 1,
    ack_deadline_seconds: int = 60,
) -> None:
    """A subscription as the suite's are deployed, once its topics are there."""
    settings = types.Subscription.pb()(name=name, topic=topic, ack_deadline_seconds=ack_deadline_seconds)
    settings.retry_policy.minimum_backoff.FromSeconds(backoff_seconds)
    settings.retry_policy.maximum_backoff.FromSeconds(600)
    if dead_letter_topic is not None:
        settings.dead_letter_policy.dead_letter_topic = dead_letter_topic
        settings.dead_letter_policy.max_delivery_attempts = most_attempts
    broker.create_subscription(settings)
