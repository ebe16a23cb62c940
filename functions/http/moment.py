"""Times in queries: RFC 3339 or ms since epoch. Imported with the models."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

from events.timestamps import to_ms

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
