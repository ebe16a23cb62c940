"""Segment's Video spec as our events. `docs/segment.md` says it in full.

Source: https://segment.com/docs/connections/spec/video (playback, content, advert and quality events).
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from events.event import Event
from events.segment.context import consent_of, country_of, device_of, part, text

MEANING: Final = {
    "video playback started": ("join", "starting"),
    "video playback paused": ("pause", "paused"),
    "video playback resumed": ("play", "playing"),
    "video playback interrupted": ("stop", "interrupted"),
    "video playback buffer started": ("stall", "rebuffering"),
    "video playback buffer completed": ("heartbeat", "playing"),
    "video playback seek started": ("seek", "seeking"),
    "video playback seek completed": ("heartbeat", "playing"),
    "video playback completed": ("complete", "ended"),
    "video playback exited": ("stop", "quit"),
    "video content started": ("play", "playing"),
    "video content playing": ("heartbeat", "playing"),
    "video content completed": ("heartbeat", "playing"),
    "video ad started": ("ad_start", "playing"),
    "video ad playing": ("heartbeat", "playing"),
    "video ad completed": ("ad_end", "playing"),
    "video quality updated": ("quality_change", None),
}
"""By event name: our type and the player's state. A completed *content* is the end of a pod, not of the playback."""

CONTENT_IDS: Final = ("content_asset_id", "contentAssetId", "content_id")
FIRST_OF: Final = ("content_asset_ids", "contentAssetIds")
FACTS_OF_CONTENT: Final = ("title", "program", "genre", "season", "episode", "channel", "publisher", "total_length")
"""Kept once a session, when playback or a content starts."""


def is_video(name: str) -> bool:
    """Whether the Video spec knows an event of this name."""
    return name.strip().lower() in MEANING


def content_of(message: Mapping[str, Any]) -> str | None:
    """The content that a video event names; adverts name theirs under `properties.content`."""
    properties = part(message, "properties")
    for name in FIRST_OF:
        listed = properties.get(name)
        if isinstance(listed, list) and listed:
            return text({name: listed[0]}, name)
    return (
        text(properties, *CONTENT_IDS)
        or text(part(properties, "content"), "asset_id", "assetId")
        or (None if _is_advert(message) else text(properties, "asset_id", "assetId"))
    )


def session_of(message: Mapping[str, Any]) -> str | None:
    """The playback's id, or the visit's where the call has none."""
    return text(part(message, "properties"), "session_id", "sessionId") or text(part(message, "context"), "sessionId")


def event_of(
    message: Mapping[str, Any],
    content_id: str,
    viewer_id: str,
    timestamp: int,
    extra_fields: frozenset[str],
) -> Event:
    """The event that a track call of the Video spec tells of. `timestamp` is in ms since epoch."""
    properties, context = part(message, "properties"), part(message, "context")
    name = str(message["event"]).strip().lower()
    event_type, state = MEANING[name]
    position, seeks_to = _number(properties.get("position")), _number(properties.get("seek_position"))
    is_seek = event_type == "seek" and seeks_to is not None
    startup = _number(properties.get("startupTime"))
    bitrate = _number(properties.get("bitrate"))
    livestream = properties.get("livestream")
    return Event(
        event_type=event_type,
        event_timestamp=timestamp,
        content_id=content_id,
        viewer_id=viewer_id,
        session_id=session_of(message),
        event_id=text(message, "messageId"),
        position_seconds=seeks_to if is_seek else position,
        seek_from_seconds=position if is_seek else None,
        bitrate_kbps=_rounded(bitrate),
        quality_level=text(properties, "quality"),
        device_type=device_of(context),
        country=country_of(context),
        content_type=("live" if livestream else "vod") if isinstance(livestream, bool) else None,
        startup_ms=_rounded(startup),
        player_state=state,
        error_code=text(properties, "method") if name == "video playback interrupted" else None,
        ad_id=_advert(message),
        consent=consent_of(context),
        extra=_extra(name, properties, extra_fields) or None,
    )


def _is_advert(message: Mapping[str, Any]) -> bool:
    return str(message.get("event")).strip().lower().startswith("video ad ")


def _advert(message: Mapping[str, Any]) -> str | None:
    properties = part(message, "properties")
    return text(properties, "asset_id", "assetId") if _is_advert(message) else text(properties, "ad_asset_id")


def _number(value: Any) -> float | None:
    """A number that is not negative; Segment allows numbers as text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = float(value)
    return number if math.isfinite(number) and number >= 0 else None


def _rounded(number: float | None) -> int | None:
    return None if number is None else round(number)


def _extra(name: str, properties: Mapping[str, Any], extra_fields: frozenset[str]) -> dict[str, Any]:
    kept = extra_fields
    if name in ("video playback started", "video content started"):
        kept = kept.union(FACTS_OF_CONTENT)
    scalars = {key: value for key, value in properties.items() if isinstance(value, str | int | float | bool)}
    return {key: value for key, value in scalars.items() if key in kept}
