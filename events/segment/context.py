"""What Segment's `context` tells of a viewer: device, country and consent."""

from collections.abc import Mapping
from typing import Any, Final

from events.user_agent import device_type

DEVICES: Final = {
    "ios": "mobile",
    "android": "mobile",
    "phone": "mobile",
    "mobile": "mobile",
    "tablet": "tablet",
    "ipad": "tablet",
    "desktop": "desktop",
    "tv": "smart_tv",
    "smart_tv": "smart_tv",
    "tvos": "set_top_box",
    "roku": "set_top_box",
    "console": "console",
}
PERSONALISATION: Final = frozenset(("personalisation", "personalization", "targeting", "targeted"))
ANALYTICS: Final = frozenset(("analytics", "performance", "statistics", "measurement"))


def part(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under `name`; an empty one where there is none."""
    found = message.get(name)
    return found if isinstance(found, dict) else {}


def text(message: Mapping[str, Any], *names: str) -> str | None:
    """The first of these that is a text, or a number as text, and not empty."""
    for name in names:
        value = message.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value:
            return value
    return None


def device_of(context: Mapping[str, Any]) -> str | None:
    """The User-Agent tells a tablet from a phone, so it goes first."""
    named = text(part(context, "device"), "type")
    return device_type(text(context, "userAgent")) or DEVICES.get((named or "").lower())


def country_of(context: Mapping[str, Any]) -> str | None:
    """The two-letter country of `context.location`; names of countries are not guessed at."""
    return country_code(text(part(context, "location"), "country", "countryCode"))


def country_code(country: str | None) -> str | None:
    """A two-letter country in capitals; None for anything else."""
    return country.upper() if country and len(country) == 2 and country.isalpha() else None


def consent_of(context: Mapping[str, Any]) -> str | None:
    """What `context.consent.categoryPreferences` grants; None where the call does not speak of consent.

    A platform names its categories itself; those whose names say personalisation or analytics grant that, and
    preferences that grant neither are `none`.
    """
    preferences = part(context, "consent").get("categoryPreferences")
    if not isinstance(preferences, dict):
        return None
    granted = {name.lower() for name, allowed in preferences.items() if allowed is True}
    if granted & PERSONALISATION:
        return "personalisation"
    return "analytics" if granted & ANALYTICS else "none"
