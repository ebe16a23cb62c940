"""What the decoder holds to its limits need not be checked again, and what it does not is told as ever."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.event import CoreEvent
from events.limits import LIMITED, MAX_AMOUNT
from events.native import Native
from functions.ingest.rules import check
from functions.ingest.told import tell

CORE: dict[str, Any] = {"event_type": "play", "event_timestamp": 1, "content_id": "match", "viewer_id": "a"}
TEXTS = st.one_of(st.none(), st.sampled_from(["", "a", "a" * 64, "a" * 65, "é" * 64, "a" * 256, "é" * 129, "€" * 86]))
AMOUNTS = st.one_of(st.none(), st.sampled_from([-1, 0, 1, 3_600, 3_601, MAX_AMOUNT, MAX_AMOUNT + 1, 10**30]))
POSITIONS = st.one_of(st.none(), st.sampled_from([-2e12, -1e12, 0, 0.5, 1e12, 1.1e12, 10**30]))


def by_type(kind: Any) -> st.SearchStrategy[Any]:
    if kind in (float, float | None):
        return POSITIONS
    return AMOUNTS if kind in (int, int | None) else TEXTS


EVENTS = st.fixed_dictionaries(
    {
        name: by_type(CoreEvent.__annotations__[name])
        for name in CoreEvent.__struct_fields__
        if name not in ("event_type", "event_timestamp", "content_id")
    }
).map(lambda fields: CORE | fields)


def told_of(events: list[dict[str, Any]]) -> tuple[bool, dict[int, tuple[str, str]]]:
    """Whether the decoder vouches for the body, and what the rules say of it."""
    told = tell(Native().decode(json.dumps(events).encode()))
    sound, told.sound = told.sound, False
    return sound, check(told)


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=3))
def test_a_body_that_the_decoder_vouches_for_breaks_no_rule(events: list[dict[str, Any]]) -> None:
    sound, faults = told_of(events)
    assert not (sound and faults)


def test_a_plain_body_is_vouched_for() -> None:
    assert told_of([{**CORE, "session_id": "s", "watched_ms": 5, "position_seconds": 1e12}]) == (True, {})
    assert told_of([CORE, {**CORE, "viewer_id": None, "session_id": "s"}]) == (True, {})


def test_every_core_field_is_limited_but_type_and_time() -> None:
    assert set(CoreEvent.__struct_fields__) - LIMITED.keys() == {"event_type", "event_timestamp"}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("content_id", "", "missing"),
        ("content_id", "é" * 129, "too_long"),
        ("event_id", "é" * 129, "too_long"),
        ("country", "a" * 257, "too_long"),
        ("watched_ms", -1, "out_of_range"),
        ("bitrate_kbps", MAX_AMOUNT + 1, "out_of_range"),
        ("position_seconds", 2e12, "out_of_range"),
        ("report_every_seconds", 0, "out_of_range"),
        ("viewer_id", None, "missing"),
        ("viewer_id", "", "missing"),
    ],
)
def test_what_is_beyond_a_limit_is_rejected_alone(field: str, value: object, code: str) -> None:
    sound, faults = told_of([CORE, {**CORE, field: value}, CORE])
    assert not sound
    assert {row: fault[0] for row, fault in faults.items()} == {1: code}


def test_a_text_of_many_characters_is_no_fault() -> None:
    assert told_of([{**CORE, "session_id": "s", "event_id": "a" * 256}]) == (False, {})
