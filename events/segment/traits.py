"""Identify calls: what a viewer is known by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from events.segment.context import consent_of, country_code, country_of, part, text
from events.timestamps import to_ms

AGE_GROUPS: Final = ((18, "under_18"), (25, "18-24"), (35, "25-34"), (45, "35-44"), (55, "45-54"))
OLDEST: Final = "55+"
YEAR_MS: Final = 31_556_952_000
MAX_AGE: Final = 130
SECONDS_UNTIL: Final = 100_000_000_000
"""Numbers below it are seconds since epoch, above it ms."""
CONSENTS: Final = ("none", "analytics", "personalisation")


@dataclass(frozen=True, slots=True)
class Identify:
    """One identify call. `attributes` holds those known of age_group, country, language, subscription, join_date."""

    index: int
    viewer_id: str
    attributes: dict[str, str]
    timestamp: int
    """ms since epoch, on the sender's clock."""
    consent: str | None
    child: bool


def identify_of(index: int, message: Mapping[str, Any], viewer_id: str, timestamp: int) -> Identify:
    """The attributes among a viewer's traits; other traits are not kept."""
    traits = part(message, "traits")
    context = part(message, "context")
    group = text(traits, "age_group", "ageGroup") or _age_group(traits, timestamp)
    locale = text(traits, "language", "locale") or text(context, "locale")
    found = {
        "age_group": group,
        "country": country_code(text(part(traits, "address"), "country") or text(traits, "country"))
        or country_of(context),
        "language": locale.replace("_", "-").split("-")[0].lower() if locale else None,
        "subscription": text(traits, "subscription", "plan", "tier"),
        "join_date": _date(traits.get("join_date") or traits.get("joinDate") or traits.get("createdAt")),
    }
    return Identify(
        index=index,
        viewer_id=viewer_id,
        attributes={name: value for name, value in found.items() if value is not None},
        timestamp=timestamp,
        consent=text(traits, "consent") if traits.get("consent") in CONSENTS else consent_of(context),
        child=traits.get("child") is True,
    )


def _age_group(traits: Mapping[str, Any], at: int) -> str | None:
    age = traits.get("age")
    if not isinstance(age, int | float) or isinstance(age, bool):
        born = to_ms(traits.get("birthday"))
        age = None if born is None else (at - born) / YEAR_MS
    if age is None or not 0 <= age <= MAX_AGE:
        return None
    return next((name for limit, name in AGE_GROUPS if age < limit), OLDEST)


def _date(value: Any) -> str | None:
    """A day as `2026-11-20`; Segment's libraries send RFC 3339 or, for createdAt, seconds or ms since epoch."""
    moment = to_ms(value)
    if moment is None:
        return None
    if isinstance(value, int | float) and abs(value) < SECONDS_UNTIL:
        moment *= 1000
    try:
        return datetime.fromtimestamp(moment / 1000, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return None
