"""Times and devices as senders write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.timestamps import to_ms
from events.user_agent import device_type


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("2026-11-20T18:00:00Z", 1_795_197_600_000),
        ("2026-11-20T18:00:00.0405Z", 1_795_197_600_040),
        ("2026-11-20T19:00:00+01:00", 1_795_197_600_000),
        ("2026-11-20 18:00:00", 1_795_197_600_000),
        (1_795_197_600_000, 1_795_197_600_000),
        (1_795_197_600_000.6, 1_795_197_600_001),
        (0, 0),
        ("1795197600000", None),
        ("noon", None),
        ("", None),
        (True, None),
        (None, None),
        ([], None),
        (float("nan"), None),
        (float("inf"), None),
        ("0001-01-01T00:00:00+23:59", -62_135_683_140_000),
    ],
)
def test_times_are_read_in_ms(written: object, ms: int | None) -> None:
    assert to_ms(written) == ms


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_any_time_written_by_rfc_3339_comes_back(moment: datetime) -> None:
    assert abs((to_ms(moment.isoformat()) or 0) - moment.timestamp() * 1000) <= 0.5


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120", "desktop"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/130", "desktop"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148", "mobile"),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X)", "tablet"),
        ("Mozilla/5.0 (Linux; Android 13; SM-X700) Safari", "tablet"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Mobile Safari", "mobile"),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) TV Safari", "smart_tv"),
        ("Mozilla/5.0 (Web0S; Linux/SmartTV)", "smart_tv"),
        ("Mozilla/5.0 (Linux; Android 9; AFTKA) Silk", "set_top_box"),
        ("Roku/DVP-9.10", "set_top_box"),
        ("Mozilla/5.0 (PlayStation 5)", "console"),
        ("curl/8", None),
        ("", None),
        (None, None),
    ],
)
def test_the_user_agent_names_the_device(user_agent: str | None, device: str | None) -> None:
    assert device_type(user_agent) == device
