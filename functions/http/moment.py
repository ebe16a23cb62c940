"""Times in queries: RFC 3339 or ms since epoch, and how far back to look. Imported with the models."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from events.timestamps import to_ms
from shared.errors import InvalidInput
from shared.units import DAY_MS, HOUR_MS, MINUTE_MS

END_OF_TIME_MS: Final = 253_402_300_800_000
"""The year 10000, where RFC 3339 ends."""
LOST_PLUS: Final = re.compile(r" (?=\d\d:?\d\d$)")
"""A `+` that was not percent-encoded arrives as a space."""


def _read(value: object) -> int:
    text = str(value).strip()
    moment = int(text) if re.fullmatch(r"[0-9]{1,18}", text) else to_ms(LOST_PLUS.sub("+", text))
    if moment is None or not 0 <= moment < END_OF_TIME_MS:
        raise ValueError("give RFC 3339 (2026-11-20T18:00:00Z) or ms since epoch")
    return moment


Moment = Annotated[
    int,
    BeforeValidator(_read),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time", "examples": ["2026-11-20T18:00:00Z"]},
                {"type": "integer", "minimum": 0, "exclusiveMaximum": END_OF_TIME_MS},
            ]
        }
    ),
]
"""A time in a query: RFC 3339 (UTC where it names no offset) or ms since epoch, held as the latter."""

MAX_BACK_DAYS: Final = 31
_UNIT_MS: Final = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}

Back = Annotated[
    str,
    Field(pattern=r"^[1-9][0-9]{0,4}[mhd]$", description="How far back to look: minutes (15m), hours or days"),
]
"""A length of time that ends now."""


def back_ms(window: str) -> int:
    """The length of a `Back`. Raises InvalidInput (400) past MAX_BACK_DAYS."""
    length = int(window[:-1]) * _UNIT_MS[window[-1]]
    if length > MAX_BACK_DAYS * DAY_MS:
        raise InvalidInput(f"window: at most {MAX_BACK_DAYS}d.", reason="query")
    return length
