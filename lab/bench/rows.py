"""The rows that all contenders must agree on."""

from typing import NamedTuple


class Row(NamedTuple):
    """One content in one 5 s window; `start_ms` is ms since epoch."""

    content_id: str
    start_ms: int
    events: int
    watched_ms: int
    viewers: int
