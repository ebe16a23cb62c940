"""How many events a body may hold, and what is refused before anything is made of it."""

from typing import Final

from shared.errors import InvalidInput

PARTS_PER_EVENT: Final = 200
"""More than any honest event has: without a bound, a small body of `[1,1,1,…]` would fill the memory."""


def refuse_crowds(data: bytes, max_events: int) -> None:
    """Raises InvalidInput (413) where commas or lines alone say that there are far too many events."""
    most = max_events * PARTS_PER_EVENT
    if data.count(b",") > most or data.count(b"\n") > most:
        raise too_many(max_events)


def refuse_many(events: int, max_events: int) -> None:
    """Raises InvalidInput (413)."""
    if events > max_events:
        raise too_many(max_events)


def too_many(max_events: int) -> InvalidInput:
    """The body holds more events than are taken at once."""
    return InvalidInput(
        f"the body holds more than {max_events} events; send it in several", status=413, reason="too-many"
    )
