"""Pub/Sub's push: posts what waits in a subscription, and posts it again unless the answer is good and in time.

Its envelope is that of an unwrapped push; `deliveryAttempt` is told where the subscription has a dead-letter policy.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from tests.emulators.pubsub.broker import MAX_MESSAGES, Proto

GOOD: Final = frozenset({102, 200, 201, 202, 204})
"""The statuses that acknowledge a message."""

Post = Callable[[bytes], int]
"""Sends a body to the endpoint and returns its status; raises TimeoutError when there is no answer."""


class Messages(Protocol):
    """Where the messages are: the stand-in's broker, or Pub/Sub behind its client."""

    def pull(self, name: str, limit: int, /) -> Sequence[Proto]: ...

    def acknowledge(self, name: str, ack_ids: Sequence[str], /) -> None: ...

    def modify_ack_deadline(self, name: str, ack_ids: Sequence[str], seconds: int, /) -> None: ...


class Pusher:
    """A push subscription's deliveries, when a test asks for them."""

    def __init__(self, messages: Messages, subscription: str, post: Post) -> None:
        self._messages = messages
        self._subscription = subscription
        self._post = post

    def push(self) -> int:
        """Post each message that is due; how many."""
        due = self._messages.pull(self._subscription, MAX_MESSAGES)
        for received in due:
            self._deliver(received)
        return len(due)

    def _deliver(self, received: Proto) -> None:
        try:
            status = self._post(json.dumps(envelope(self._subscription, received)).encode())
        except TimeoutError:
            return  # its lease ends
        if status in GOOD:
            self._messages.acknowledge(self._subscription, [received.ack_id])
        else:
            self._messages.modify_ack_deadline(self._subscription, [received.ack_id], 0)


def envelope(subscription: str, received: Proto) -> dict[str, Any]:
    """What is posted of a message."""
    message = received.message
    told: dict[str, Any] = {
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": message.publish_time.ToJsonString(),
        "publish_time": message.publish_time.ToJsonString(),
    }
    if message.data:
        told["data"] = b64encode(message.data).decode()
    if message.attributes:
        told["attributes"] = dict(message.attributes)
    attempt = {"deliveryAttempt": received.delivery_attempt} if received.delivery_attempt else {}
    return {"message": told, "subscription": subscription, **attempt}
