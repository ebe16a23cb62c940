"""A queue's message as it lies in SQS: its body as base64, since SQS takes text only, and when it is due.

SQS delays a message by 15 minutes at most. A longer delay travels with the message as the time it is due; whoever
receives it earlier sends it again, to wait for the rest.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any, Final

MAX_DELAY_SECONDS: Final = 900
EMPTY: Final = "="
"""SQS takes no message without text; this is no base64."""
DUE: Final = "due"
"""The attribute with the time before which a message must not be handled, in ms since epoch."""


def text_of(body: bytes) -> str:
    """A body as SQS keeps it."""
    return b64encode(body).decode() or EMPTY


def body_of(text: str) -> bytes:
    """A received message's body. One that is not ours is handed over as it stands, for its handler to reject."""
    if text == EMPTY:
        return b""
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return text.encode(errors="surrogatepass")


def due_of(attributes: Mapping[str, Any]) -> int:
    """Before which time a message that Lambda hands over must not be handled; 0 when it may be at once."""
    text = str((attributes.get(DUE) or {}).get("stringValue", ""))
    return int(text) if text.isdecimal() else 0
