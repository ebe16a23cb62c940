"""What Pub/Sub pushes: one message a request, in Pub/Sub's own envelope, or as an event that wraps it.

`deliveryAttempt` stands only in the envelope as it is sent, which is why functions take it by the `http` signature.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from adapters.gcp.delivery import Delivery
from adapters.gcp.pubsub import Received
from shared.errors import InvalidInput
from shared.stream import Deadline

DEAD_ATTEMPTS: Final = "CloudPubSubDeadLetterSourceDeliveryCount"
"""The attribute by which a dead-letter topic tells how often a message was tried."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """A pushed message, and how often it had been tried before it was given up, where it was."""

    received: Received
    given_up_after: int | None


def pushed(body: bytes) -> Pushed:
    """The message of a push. Raises InvalidInput where there is none: Pub/Sub keeps it, and delivers it again."""
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"this is no push of Pub/Sub's: {error}", reason="not-a-push") from error
    envelope, message = _message(told)
    data, message_id = _data(message), _text(message, "messageId", "message_id")
    attempt = envelope.get("deliveryAttempt")
    received = Received("", data, message_id, attempt if isinstance(attempt, int) and attempt > 0 else None)
    return Pushed(received, _given_up_after(message))


def take(delivery: Delivery, body: bytes, deadline: Deadline) -> bool:
    """Hand a push's message over; whether it is settled, and so need not come again. Raises InvalidInput."""
    (message,) = delivery.open([pushed(body).received])
    if delivery.is_spent(message):
        return delivery.bury_spent(message)
    return not delivery.deliver([message], deadline)


def bury(delivery: Delivery, body: bytes) -> bool:
    """Keep what a dead-letter topic pushes; whether it is safe among our dead letters. Raises InvalidInput."""
    push = pushed(body)
    (message,) = delivery.open([push.received])
    attempts = push.given_up_after or delivery.terms.max_attempts
    return delivery.bury(message, f"Pub/Sub gave up after {attempts} attempts")


def _message(told: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The envelope and its message: as pushed, inside a CloudEvent, or as a background event of old."""
    if isinstance(told, dict):
        envelope = told["data"] if "message" not in told and isinstance(told.get("data"), dict) else told
        if isinstance(envelope.get("message"), dict):
            return envelope, envelope["message"]
        if str(envelope.get("@type", "")).endswith("PubsubMessage"):
            context = told.get("context")
            event_id = context.get("eventId") if isinstance(context, dict) else None
            return {}, {"messageId": event_id, **envelope}
    raise InvalidInput("this is no push of Pub/Sub's: it has no message", reason="not-a-push")


def _data(message: Mapping[str, Any]) -> bytes:
    data = message.get("data", "")  # a message of attributes alone has none
    try:
        return base64.b64decode(data, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise InvalidInput(f"the message's data is not base64: {error}", reason="not-a-push") from error


def _text(message: Mapping[str, Any], *names: str) -> str:
    return next((str(message[name]) for name in names if message.get(name)), "")


def _given_up_after(message: Mapping[str, Any]) -> int | None:
    attributes = message.get("attributes")
    told = attributes.get(DEAD_ATTEMPTS) if isinstance(attributes, dict) else None
    return int(told) if isinstance(told, str) and told.isdecimal() else None
