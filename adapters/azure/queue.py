"""Queues in Storage Queues. A message travels as base64, which the functions' host decodes."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from adapters.azure.errors import Resource, asked
from adapters.common.limits import check_message

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

MAX_DELAY_SECONDS: Final = 7 * 24 * 3_600
FOR_EVER: Final = -1
"""Otherwise a message ends after seven days, unread."""


class AzureQueue:
    """`shared.ports.Queue`. Longer delays than seven days raise ValueError."""

    def __init__(self, client: Callable[[], QueueClient], resource: Resource) -> None:
        self._client = client
        self._resource = resource

    def send(self, body: bytes, *, delay_seconds: int = 0) -> None:
        check_message(body)
        if not 0 <= delay_seconds <= MAX_DELAY_SECONDS:
            raise ValueError(f"a message is delayed by 0 to {MAX_DELAY_SECONDS} s, this one by {delay_seconds}")
        text = b64encode(body).decode()
        asked(
            self._resource,
            lambda: self._client().send_message(text, visibility_timeout=delay_seconds, time_to_live=FOR_EVER),
        )


def body_of(text: str) -> bytes:
    """A message's body. Raises ValueError for a message that is not ours."""
    return b64decode(text, validate=True)
