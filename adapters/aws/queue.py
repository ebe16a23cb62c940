"""Queues in SQS. A message's body travels as base64, since SQS takes text only.

SQS delays a message by 15 minutes at most. A longer delay travels with the message as the time it is due; whoever
receives it earlier puts it back to wait for the rest (`adapters/aws/triggers.py`).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from adapters.aws.errors import about
from shared.ports import MAX_MESSAGE_BYTES, Clock

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

MAX_DELAY_SECONDS: Final = 900
DUE: Final = "due"
"""The attribute with the time before which a message must not be handled, in ms since epoch."""


class AwsQueue:
    """`shared.ports.Queue`."""

    def __init__(self, client: Callable[[], SQSClient], name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._told = f"the queue {name}"

    def send(self, body: bytes, *, delay_seconds: int = 0) -> None:
        if len(body) > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message has at most {MAX_MESSAGE_BYTES} bytes, this one {len(body)}")
        if delay_seconds < 0:
            raise ValueError(f"delay_seconds={delay_seconds}; nothing is delivered before it is sent")
        due = self._clock.now_ms() + 1_000 * delay_seconds if delay_seconds > MAX_DELAY_SECONDS else None
        self.forward(b64encode(body).decode(), due, delay_seconds)

    def forward(self, text: str, due: int | None, delay_seconds: int) -> None:
        """Send a message as it is in the queue, to wait as long as SQS lets it."""
        attributes: Any = {} if due is None else {DUE: {"DataType": "Number", "StringValue": str(due)}}
        with about(self._told):
            self._client().send_message(
                QueueUrl=self.url,
                MessageBody=text,
                DelaySeconds=min(MAX_DELAY_SECONDS, max(0, delay_seconds)),
                MessageAttributes=attributes,
            )

    @cached_property
    def url(self) -> str:
        """Where SQS keeps the queue."""
        with about(self._told):
            return self._client().get_queue_url(QueueName=self._name)["QueueUrl"]


def body_of(text: str) -> bytes:
    """A received message's body. One that is not ours is handed over as it stands, for its handler to reject."""
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return text.encode(errors="surrogatepass")


def due_of(attributes: Mapping[str, Any], value: str) -> int | None:
    """Before which time a received message must not be handled. `value` is what its source calls a text value."""
    told = attributes.get(DUE) or {}
    text = str(told.get(value, ""))
    return int(text) if text.isdecimal() else None
