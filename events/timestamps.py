"""Times as senders write them, in ms since epoch."""

import math
from datetime import UTC, datetime
from typing import Any


def to_ms(value: Any) -> int | None:
    """ms since epoch of an RFC 3339 text (UTC where it names no offset) or of a number of ms; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return math.floor(value + 0.5) if math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.upper())
        since_epoch = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except ValueError:
        return None
    return round(since_epoch * 1000)
