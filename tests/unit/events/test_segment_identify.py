import json
from typing import Any

import pytest

from events.segment import Identify, decode
from tests.unit.events.golden import golden

NOW = 1_795_197_721_000


def identified(traits: dict[str, Any], **others: Any) -> Identify:
    body = json.dumps({"userId": "u", "traits": traits, **others}).encode()
    return decode("identify", body, NOW).identifies[0]


def test_traits_become_the_viewers_attributes_and_nothing_else_is_kept() -> None:
    (identify,) = decode("batch", golden("segment-session.json").encode(), NOW).identifies
    assert identify == Identify(
        index=0,
        viewer_id="u-7",
        attributes={
            "age_group": "25-34",
            "country": "DE",
            "language": "de",
            "subscription": "premium",
            "join_date": "2024-03-05",
        },
        timestamp=1_795_197_598_000,
        consent="analytics",
        child=False,
    )


@pytest.mark.parametrize(
    ("traits", "group"),
    [
        ({"age": 12}, "under_18"),
        ({"age": 18}, "18-24"),
        ({"age": 54.9}, "45-54"),
        ({"age": 99}, "55+"),
        ({"age": -1}, None),
        ({"age": 900}, None),
        ({"age": True}, None),
        ({"age": "old"}, None),
        ({"birthday": "2000-01-01"}, "25-34"),
        ({"age_group": "35-44", "age": 12}, "35-44"),
        ({}, None),
    ],
)
def test_age_is_kept_as_a_group_only(traits: dict[str, Any], group: str | None) -> None:
    assert identified(traits).attributes.get("age_group") == group


@pytest.mark.parametrize(
    ("created", "day"),
    [
        ("2024-03-05T10:00:00Z", "2024-03-05"),
        (1_709_632_800, "2024-03-05"),
        (1_709_632_800_000, "2024-03-05"),
        ("long ago", None),
        (10**17, None),
        (-(10**20), None),
    ],
)
def test_the_day_of_joining_may_be_text_seconds_or_ms(created: object, day: str | None) -> None:
    assert identified({"createdAt": created}).attributes.get("join_date") == day


@pytest.mark.parametrize(
    ("traits", "language"),
    [({"language": "EN_us"}, "en"), ({"locale": "fr"}, "fr"), ({"language": 5}, "5"), ({}, None)],
)
def test_the_language_is_the_locales_first_part(traits: dict[str, Any], language: str | None) -> None:
    assert identified(traits).attributes.get("language") == language


def test_the_country_is_the_traits_before_the_contexts() -> None:
    context = {"location": {"country": "fr"}}
    assert identified({"country": "es"}, context=context).attributes["country"] == "ES"
    assert identified({"country": "Spain"}, context=context).attributes["country"] == "FR"


def test_consent_and_childhood_are_told() -> None:
    assert identified({"consent": "personalisation", "child": True}).consent == "personalisation"
    assert identified({"consent": "personalisation", "child": True}).child
    assert identified({}).consent is None
    denied = {"consent": {"categoryPreferences": {"Analytics": False}}}
    assert identified({}, context=denied).consent == "none"


def test_an_identify_without_a_time_holds_from_now() -> None:
    assert identified({"plan": "free"}).timestamp == NOW
