"""What Pub/Sub promises, in memory: topics, leases, redelivery with backoff, attempts, dead-letter topics.

Time is the broker's `now` (seconds): the machine's, or a clock that a test moves. Order is nobody's promise.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp
from google.pubsub_v1 import types

from tests.emulators.google_rpc import Code, Refused

Proto = Any
"""A protobuf message of google.pubsub.v1; its classes are made at run time."""

MESSAGE: Final = types.PubsubMessage.pb()
MAX_MESSAGES: Final = 1_000
MAX_PUBLISH_BYTES: Final = 10_000_000
MAX_ACK_BYTES: Final = 524_288
MAX_PULL_BYTES: Final = 10_000_000
DEFAULT_ACK_SECONDS: Final = 10
DEFAULT_ATTEMPTS: Final = 5
TURN_SECONDS: Final = 0.01
"""How often a waiting pull looks whether the clock was moved."""


@dataclass
class Copy:
    """One subscription's copy of a message."""

    message: Proto
    due: float
    attempts: int = 0


@dataclass
class Subscription:
    """What waits for a subscriber, and what one has."""

    settings: Proto
    waiting: deque[Copy] = field(default_factory=deque)
    leased: dict[str, tuple[float, Copy]] = field(default_factory=dict)

    @property
    def most_attempts(self) -> int | None:
        """After so many a message goes to the dead-letter topic, where there is one."""
        policy = self.settings.dead_letter_policy
        return (policy.max_delivery_attempts or DEFAULT_ATTEMPTS) if policy.dead_letter_topic else None

    def backoff(self, attempts: int) -> float:
        """How long a message waits after so many attempts (seconds): not at all without a retry policy."""
        if not self.settings.HasField("retry_policy"):
            return 0.0
        policy = self.settings.retry_policy
        least = policy.minimum_backoff.ToMicroseconds() / 1e6 if policy.HasField("minimum_backoff") else 10.0
        most = policy.maximum_backoff.ToMicroseconds() / 1e6 if policy.HasField("maximum_backoff") else 600.0
        return float(min(most, least * 2.0 ** (attempts - 1)))


class Broker:
    """A project's Pub/Sub. Every method is one request, one at a time; it raises Refused."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.most_per_pull = MAX_MESSAGES
        """Pub/Sub often returns fewer messages than were asked for and wait."""
        self.longest_wait_seconds = 90.0
        """How long a pull waits at most for the first message; Pub/Sub does not say."""
        self.topics: dict[str, Proto] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self._changed = threading.Condition()
        self._ids = count(1)

    def create_topic(self, topic: Proto) -> Proto:
        with self._changed:
            return _create(self.topics, topic.name, topic)

    def get_topic(self, name: str) -> Proto:
        with self._changed:
            return _find(self.topics, name)

    def delete_topic(self, name: str) -> None:
        with self._changed:
            _find(self.topics, name)
            del self.topics[name]

    def create_subscription(self, settings: Proto) -> Proto:
        with self._changed:
            _find(self.topics, settings.topic)
            return _create(self.subscriptions, settings.name, Subscription(settings)).settings

    def get_subscription(self, name: str) -> Proto:
        with self._changed:
            return _find(self.subscriptions, name).settings

    def delete_subscription(self, name: str) -> None:
        with self._changed:
            _find(self.subscriptions, name)
            del self.subscriptions[name]

    def publish(self, topic: str, messages: Sequence[Proto]) -> list[str]:
        """The messages' ids. All of them are taken, or none."""
        with self._changed:
            _find(self.topics, topic)
            if not 1 <= len(messages) <= MAX_MESSAGES:
                raise _invalid(f"a request has 1 to {MAX_MESSAGES} messages, this one {len(messages)}")
            if sum(message.ByteSize() for message in messages) > MAX_PUBLISH_BYTES:
                raise _invalid(f"a request has at most {MAX_PUBLISH_BYTES} bytes")
            if not all(message.data or message.attributes for message in messages):
                raise _invalid("a message needs data or attributes")
            return self._deliver(topic, messages)

    def pull(
        self, name: str, limit: int, wait_seconds: float = 0.0, alive: Callable[[], bool] = lambda: True
    ) -> list[Proto]:
        """Up to `limit` messages, as soon as there is one; none when none comes in time or the caller has gone."""
        end = time.monotonic() + min(wait_seconds, self.longest_wait_seconds)
        with self._changed:
            if limit < 1:
                raise _invalid("max_messages must be at least 1")
            while alive():
                taken = list(self._take(_find(self.subscriptions, name), min(limit, self.most_per_pull)))
                left = end - time.monotonic()
                if taken or left <= 0:
                    return taken
                self._changed.wait(min(TURN_SECONDS, left))
            return []

    def acknowledge(self, name: str, ack_ids: Sequence[str]) -> None:
        """Forget messages; one whose lease has ended comes again all the same."""
        with self._changed:
            subscription = _find(self.subscriptions, name)
            _check_size(ack_ids)
            self._return_expired(subscription)
            for ack_id in ack_ids:
                subscription.leased.pop(ack_id, None)

    def modify_ack_deadline(self, name: str, ack_ids: Sequence[str], seconds: int) -> None:
        """Lengthen leases; 0 gives the messages back."""
        with self._changed:
            subscription = _find(self.subscriptions, name)
            _check_size(ack_ids)
            if not 0 <= seconds <= 600:
                raise _invalid(f"ack_deadline_seconds is 0 to 600, not {seconds}")
            self._return_expired(subscription)
            for ack_id in ack_ids:
                if ack_id in subscription.leased:
                    copy = subscription.leased[ack_id][1]
                    subscription.leased[ack_id] = self.now() + seconds, copy
            self._return_expired(subscription)

    def _deliver(self, topic: str, messages: Iterable[Proto]) -> list[str]:
        published = Timestamp()
        published.FromMicroseconds(int(self.now() * 1e6))
        sent = []
        for message in messages:
            told = MESSAGE(message_id=str(next(self._ids)), publish_time=published, data=message.data)
            told.attributes.update(message.attributes)
            sent.append(told)
        for subscription in self.subscriptions.values():
            if subscription.settings.topic == topic:
                subscription.waiting.extend(Copy(message, self.now()) for message in sent)
        self._changed.notify_all()
        return [message.message_id for message in sent]

    def _take(self, subscription: Subscription, limit: int) -> Iterator[Proto]:
        self._return_expired(subscription)
        now = self.now()
        size = taken = 0
        for _ in range(len(subscription.waiting)):
            copy = subscription.waiting[0]
            if copy.due > now:
                subscription.waiting.rotate(-1)
                continue
            size += copy.message.ByteSize()
            if taken == limit or (taken and size > MAX_PULL_BYTES):
                return
            taken += 1
            yield self._lease(subscription, subscription.waiting.popleft())

    def _lease(self, subscription: Subscription, copy: Copy) -> Proto:
        copy.attempts += 1
        ack_id = f"{uuid4().hex}{'-' * 140}{uuid4().hex}"  # as long as those of Google
        seconds = subscription.settings.ack_deadline_seconds or DEFAULT_ACK_SECONDS
        subscription.leased[ack_id] = self.now() + seconds, copy
        told = 0 if subscription.most_attempts is None else copy.attempts
        return types.ReceivedMessage.pb()(ack_id=ack_id, message=copy.message, delivery_attempt=told)

    def _return_expired(self, subscription: Subscription) -> None:
        """What was given back, or not acknowledged in time, waits again, or has had its attempts."""
        now = self.now()
        for ack_id in [ack_id for ack_id, (until, _) in subscription.leased.items() if until <= now]:
            until, copy = subscription.leased.pop(ack_id)
            most = subscription.most_attempts
            if most is not None and copy.attempts >= most:
                self._bury(subscription, copy)
            else:
                copy.due = until + subscription.backoff(copy.attempts)
                subscription.waiting.append(copy)

    def _bury(self, subscription: Subscription, copy: Copy) -> None:
        project, _, name = subscription.settings.name.removeprefix("projects/").partition("/subscriptions/")
        message = MESSAGE(data=copy.message.data)
        message.attributes.update(copy.message.attributes)
        message.attributes.update(
            {
                "CloudPubSubDeadLetterSourceDeliveryCount": str(copy.attempts),
                "CloudPubSubDeadLetterSourceSubscription": name,
                "CloudPubSubDeadLetterSourceSubscriptionProject": project,
                "CloudPubSubDeadLetterSourceTopicPublishTime": copy.message.publish_time.ToJsonString(),
            }
        )
        self._deliver(subscription.settings.dead_letter_policy.dead_letter_topic, [message])


def _create(resources: dict[str, Any], name: str, resource: Any) -> Any:
    if name in resources:
        raise Refused(Code.ALREADY_EXISTS, f"Resource already exists in the project (resource={name}).")
    resources[name] = resource
    return resource


def _find(resources: dict[str, Any], name: str) -> Any:
    try:
        return resources[name]
    except KeyError:
        raise Refused(Code.NOT_FOUND, f"Resource not found (resource={name}).") from None


def _check_size(ack_ids: Sequence[str]) -> None:
    if not ack_ids or sum(map(len, ack_ids)) > MAX_ACK_BYTES:
        raise _invalid(f"a request has 1 ack_id or more, in at most {MAX_ACK_BYTES} bytes")


def _invalid(told: str) -> Refused:
    return Refused(Code.INVALID_ARGUMENT, told)
