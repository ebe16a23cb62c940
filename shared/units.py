"""Lengths of time in ms, and the base window of event time."""

from typing import Final

WINDOW_MS: Final = 5_000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
