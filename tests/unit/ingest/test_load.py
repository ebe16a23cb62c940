"""The reporting interval and sampling follow the load, come back when it is over, and do not go to and fro."""

from collections import Counter

import pytest

from functions.http.problems import Refused
from functions.ingest.handler import Ingest, Sent
from functions.ingest.load import INTERVALS, Load
from shared.settings import Settings
from tests.unit.ingest.doubles import Desk, as_json, told

SETTINGS = Settings(
    comfortable_events_per_second=1_000, sampling_events_per_second=5_000, shed_events_per_second=50_000
)


def spell(load: Load, per_second: int, seconds: int, *, interval: int | None = None, start: int = 0) -> int:
    """Events at a steady rate, in ten bodies a second; returns when it ended."""
    for tick in range(seconds * 10):
        load.observe(per_second // 10, interval, start + tick * 100)
    return start + seconds * 1_000


def test_intervals_are_such_that_their_span_is_whole_windows() -> None:
    assert all(interval * 1.5 % 5 == 0 for interval in INTERVALS)


@pytest.mark.parametrize(("rate", "interval"), [(500, 10), (1_500, 20), (2_500, 30), (4_000, 60), (90_000, 60)])
def test_the_interval_grows_with_the_load(rate: int, interval: int) -> None:
    load = Load(SETTINGS)
    spell(load, rate, 5)
    assert load.report_every_seconds == interval


def test_a_spike_that_has_followed_the_longer_interval_stays_there() -> None:
    load = Load(SETTINGS)
    now = spell(load, 2_800, 5)
    assert load.report_every_seconds == 30
    spell(load, 2_800 // 3, 30, interval=30, start=now)
    assert load.report_every_seconds == 30


def test_the_interval_comes_back_when_the_spike_is_over() -> None:
    load = Load(SETTINGS)
    now = spell(load, 2_800, 5)
    spell(load, 100, 10, interval=30, start=now)
    assert load.report_every_seconds == 10


def test_a_load_at_a_bound_does_not_go_to_and_fro() -> None:
    load, seen = Load(SETTINGS), []
    now = 0
    for rate in (1_030, 970) * 10:
        now = spell(load, rate, 2, start=now)
        seen.append(load.report_every_seconds)
    assert set(seen[1:]) == {20}


def test_the_operator_sets_the_bounds_of_the_interval() -> None:
    load = Load(Settings(report_every_seconds=20, max_report_every_seconds=30, comfortable_events_per_second=10))
    assert load.report_every_seconds == 20
    spell(load, 10_000, 3)
    assert load.report_every_seconds == 30


def test_sampling_sets_in_past_its_rate_deepens_and_ends() -> None:
    load = Load(SETTINGS)
    levels = []
    now = 0
    for rate in (4_000, 7_000, 30_000, 17_000, 7_000, 4_500, 2_000):
        now = spell(load, rate, 6, start=now)
        levels.append(load.level)
    assert levels == [0, 3, 6, 6, 3, 3, 0]


def test_far_beyond_that_bodies_are_refused_for_a_moment() -> None:
    load = Load(SETTINGS)
    load.observe(60_000, None, 0)
    with pytest.raises(Refused) as caught:
        load.admit(100)
    assert caught.value.status == 429
    assert int((caught.value.headers or {})["Retry-After"]) >= 1
    load.admit(2_000)


def test_a_clock_that_steps_back_does_no_harm() -> None:
    load = Load(SETTINGS)
    load.observe(100, None, 10_000)
    load.observe(100, None, 2_000)
    load.admit(10_500)
    assert load.report_every_seconds == 10


def test_sampling_is_unbiased() -> None:
    """Over many audiences, the weighted sum of what is kept is the sum of what was sent, and so is its mean error."""
    audiences, viewers = 60, 100
    errors: list[float] = []
    levels: Counter[int] = Counter()
    for audience in range(audiences):
        desk = Desk()
        events = [told(1, viewer_id=f"{audience}-{i}", watched_ms=1 + i)[0] for i in range(viewers)]
        Ingest(desk.ports, Settings(sampling_events_per_second=50)).ingest(Sent(as_json(events), "web"))
        (columns,) = desk.stream.columns()
        levels[columns.header.level] += 1
        weighted = int(columns.watched_ms.sum()) * 2**columns.header.level
        errors.append(weighted - sum(range(1, viewers + 1)))
    assert levels == {3: audiences}
    mean = sum(errors) / audiences
    spread = (sum((error - mean) ** 2 for error in errors) / (audiences - 1) / audiences) ** 0.5
    assert abs(mean) < 4 * spread
    assert spread > 0
