"""Queues in SQS; `adapters/aws/messages.py` says how a message lies in one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from adapters.aws.errors import about
from adapters.aws.messages import DUE, MAX_DELAY_SECONDS, text_of
from adapters.common.limits import check_message
from shared.ports import Clock

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


class AwsQueue:
    """`shared.ports.Queue`."""

    def __init__(self, client: Callable[[], SQSClient], name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._told = f"the queue {name}"

    def send(self, body: bytes, *, delay_seconds: int = 0) -> None:
        check_message(body)
        if delay_seconds < 0:
            raise ValueError(f"delay_seconds={delay_seconds}; nothing is delivered before it is sent")
        self.send_text(text_of(body), self._clock.now_ms() + 1_000 * delay_seconds)

    def send_text(self, text: str, due: int) -> None:
        """Send a message as it lies in the queue, to wait until it is due or as long as SQS lets it."""
        delay_seconds = max(0, -(-(due - self._clock.now_ms()) // 1_000))
        longer = delay_seconds > MAX_DELAY_SECONDS
        attributes: Any = {DUE: {"DataType": "Number", "StringValue": str(due)}} if longer else {}
        with about(self._told):
            self._client().send_message(
                QueueUrl=self.url,
                MessageBody=text,
                DelaySeconds=min(MAX_DELAY_SECONDS, delay_seconds),
                MessageAttributes=attributes,
            )

    @cached_property
    def url(self) -> str:
        """Where SQS keeps the queue."""
        with about(self._told):
            return self._client().get_queue_url(QueueName=self._name)["QueueUrl"]
