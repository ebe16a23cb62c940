"""Settings from the environment: what is wrong is told, and what belongs together fits."""

import pytest

from shared.errors import Misconfigured
from shared.settings import Settings, load_settings

DAY_SECONDS = 86_400


def test_an_empty_environment_leaves_every_setting_as_it_is() -> None:
    assert load_settings({"PATH": "/bin"}) == Settings()


def test_settings_are_read_as_what_they_are() -> None:
    read = load_settings({"GRANDSTAND_MAX_AHEAD_SECONDS": "0", "GRANDSTAND_EXTRA_FIELDS": "title, genre,"})
    assert (read.max_ahead_seconds, read.extra_fields) == (0, ("title", "genre"))


@pytest.mark.parametrize(("name", "text"), [("MAX_AGE_SECONDS", "0"), ("REPORT_EVERY_SECONDS", "often")])
def test_a_bad_value_is_told_with_its_variable(name: str, text: str) -> None:
    with pytest.raises(Misconfigured, match=f"GRANDSTAND_{name}='{text}'"):
        load_settings({f"GRANDSTAND_{name}": text})


def test_states_outlive_the_oldest_event_that_is_accepted_and_its_redelivery() -> None:
    assert load_settings({"GRANDSTAND_MAX_AGE_SECONDS": str(30 * DAY_SECONDS)}).state_days == 32
    assert load_settings({"GRANDSTAND_MAX_AGE_SECONDS": "60"}).state_days == Settings().state_days


def test_states_that_would_be_gone_before_the_last_event_comes_are_refused() -> None:
    assert load_settings({"GRANDSTAND_STATE_DAYS": "9"}).state_days == 9
    with pytest.raises(Misconfigured, match=r"GRANDSTAND_STATE_DAYS=8: .* at least 9"):
        load_settings({"GRANDSTAND_STATE_DAYS": "8"})
