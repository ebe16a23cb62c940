"""What an event must keep to beyond its types; and as far as a decoder can see to it, as types."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Meta

from events.event import MAX_ID_BYTES, MAX_TEXT_BYTES

MAX_AMOUNT: Final = 2**31 - 1
"""What a column of 32 bits holds: 24 days in ms."""
MAX_EXTRA_BYTES: Final = 2_000
REPORT_EVERY: Final = (1, 3_600)

AMOUNTS: Final = ("watched_ms", "bitrate_kbps", "stall_ms", "startup_ms", "buffer_ms", "throughput_kbps")
NUMBERS: Final = {
    "position_seconds": (-1e12, 1e12),
    "playback_rate": (-1e3, 1e3),
    "seek_from_seconds": (-1e12, 1e12),
    "rating": (-1e6, 1e6),
}
RANGES: Final = {**dict.fromkeys(AMOUNTS, (0, MAX_AMOUNT)), **NUMBERS}

SIZES: Final = {
    "content_id": MAX_ID_BYTES,
    "event_id": MAX_ID_BYTES,
    "quality_level": MAX_ID_BYTES,
    "content_type": MAX_ID_BYTES,
    "player_state": MAX_ID_BYTES,
    "error_code": MAX_ID_BYTES,
    "reaction": MAX_ID_BYTES,
    "text": MAX_TEXT_BYTES,
    "poll_id": MAX_ID_BYTES,
    "option": MAX_ID_BYTES,
    "follow_kind": MAX_ID_BYTES,
    "follow_id": MAX_ID_BYTES,
    "ad_id": MAX_ID_BYTES,
}

SURELY_SHORT: Final = MAX_ID_BYTES // 4
"""A text of so many characters keeps to its bytes, since none takes more than 4 in UTF-8."""

Id = Annotated[str, Meta(min_length=1, max_length=SURELY_SHORT)]
Word = Annotated[str, Meta(max_length=SURELY_SHORT)]
Amount = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
Position = Annotated[float, Meta(ge=NUMBERS["position_seconds"][0], le=NUMBERS["position_seconds"][1])]
Interval = Annotated[int, Meta(ge=REPORT_EVERY[0], le=REPORT_EVERY[1])]

LIMITED: Final[Mapping[str, Any]] = {
    "event_id": Word | None,
    "viewer_id": Id | None,
    "content_id": Id,
    "session_id": Id | None,
    "position_seconds": Position | None,
    "watched_ms": Amount | None,
    "quality_level": Word | None,
    "bitrate_kbps": Amount | None,
    "device_type": Word | None,
    "network_quality": Word | None,
    "country": Word | None,
    "tier": Word | None,
    "age_group": Word | None,
    "report_every_seconds": Interval | None,
}
"""Core fields as types for msgspec. What fits them keeps to the rules; a long text may keep to them and not fit."""
