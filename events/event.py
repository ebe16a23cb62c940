"""The event: one thing that happened while a viewer watched, and the words it is told in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

PLAYBACK_TYPES: Final = (
    "join",
    "play",
    "heartbeat",
    "pause",
    "seek",
    "quality_change",
    "stall",
    "error",
    "stop",
    "complete",
)
ENGAGEMENT_TYPES: Final = ("reaction", "chat", "poll_vote", "rating", "follow")
ADVERT_TYPES: Final = ("ad_start", "ad_end")

EVENT_TYPES: Final = PLAYBACK_TYPES + ENGAGEMENT_TYPES + ADVERT_TYPES
"""Append only: a packed record stores a type as its index here."""

TYPE_CODE: Final = {name: code for code, name in enumerate(EVENT_TYPES)}

STOPPING_TYPES: Final = ("stop", "complete")
"""After one of these the viewer is no longer concurrent."""

SAMPLED_TYPES: Final = ("heartbeat", "quality_change", "stall", "seek")
"""What a spike may sample: heartbeats and quality of experience, never lifecycle, errors or engagement."""

MAX_ID_BYTES: Final = 256
MAX_TEXT_BYTES: Final = 2_000


class CoreEvent(msgspec.Struct, kw_only=True, gc=False):
    """The fields that every report has, and no other: most bodies are decoded into these alone.

    They stand in the order of the fact table; a decoder is quickest on events that keep to it.

    `event_timestamp` is in ms since epoch on the player's clock; durations are in ms, bitrates in kbit/s.
    One of `viewer_id` and `session_id` is there; each stands in for the other where it is not.
    """

    event_id: str | None = None
    viewer_id: str | None = None
    content_id: str
    session_id: str | None = None
    event_type: str
    event_timestamp: int
    position_seconds: float | None = None
    watched_ms: int | None = None
    quality_level: str | None = None
    bitrate_kbps: int | None = None
    device_type: str | None = None
    network_quality: str | None = None
    country: str | None = None
    tier: str | None = None
    age_group: str | None = None
    report_every_seconds: int | None = None


class Event(CoreEvent, kw_only=True, gc=False):
    """One event as Grandstand knows it, whatever format it came in."""

    content_type: str | None = None
    consent: str | None = None
    child: bool | None = None
    stall_ms: int | None = None
    startup_ms: int | None = None
    buffer_ms: int | None = None
    throughput_kbps: int | None = None
    playback_rate: float | None = None
    player_state: str | None = None
    seek_from_seconds: float | None = None
    error_code: str | None = None
    reaction: str | None = None
    text: str | None = None
    poll_id: str | None = None
    option: str | None = None
    rating: float | None = None
    follow_kind: str | None = None
    follow_id: str | None = None
    ad_id: str | None = None
    extra: dict[str, Any] | None = None
    """Fields of the operator's allow-list, and what a format carries beyond ours (CMCD custom keys)."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why the event at `index` of its body was not taken: `code` is counted, `reason` is told to the sender."""

    index: int
    code: str
    reason: str


@dataclass(slots=True)
class Body:
    """What a decoder made of one HTTP request, before any rule of the house is applied."""

    events: list[Event]
    indices: Sequence[int]
    """Each event's index in the body, as the sender counts."""
    rejected: list[Rejection] = field(default_factory=list)
    batch_id: str | None = None
    sent_at: int | None = None
    """ms since epoch on the sender's clock, for bodies without a batch_id."""
    clock_offset_ms: int = 0
    """How far the sender's clock is ahead; the same in every retry."""
    consent: str | None = None
    child: bool | None = None
    normalised: dict[str, int] = field(default_factory=dict)
    """How often a rule of the format was broken and mended, by rule."""
    core: list[CoreEvent] = field(default_factory=list)
    """The events, where none of them has more than the core fields; `events` is empty then."""
    sound: bool = False
    """Whether the decoder held the events to their limits (events/limits.py) already."""
