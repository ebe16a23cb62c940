"""How many partitions a content is given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.plan_fan_out.handler import SHRINK_AFTER_WINDOWS, SMALL_BYTES, Load, make, needed, planned
from shared.audience.distinct import EXACT_LIMIT
from shared.fan_out import SINGLE, FanOut, first_free_window, read_fan_out
from shared.settings import Settings
from shared.stream import NO_DEADLINE, Deadline
from tests.builders import KICK_OFF, event
from tests.unit.audience.stage import Stage

SETTINGS = Settings(fan_out_viewers=1_000, max_fan_out=64)


@pytest.mark.parametrize(
    ("viewers", "fan_out"), [(0, 1), (500, 1), (501, 2), (1_000, 2), (1_001, 4), (10_000, 32), (10**7, 64)]
)
def test_twice_the_audience_finds_room(viewers: int, fan_out: int) -> None:
    assert needed(Load(viewers, 0), 1, SETTINGS) == fan_out


def test_many_records_ask_for_partitions_too_but_not_for_ever_more() -> None:
    busy = Load(viewers=40_000, records=5_000)
    assert needed(busy, 1, Settings()) == 16
    assert needed(Load(viewers=10, records=5_000), 1, Settings()) == 1
    assert needed(Load(viewers=700, records=5_000), 64, Settings()) == 128
    assert needed(Load(viewers=350, records=5_000), 128, Settings()) == 128


@given(st.integers(0, 10**7), st.integers(0, 10**6), st.sampled_from((1, 2, 4, 8, 64)), st.integers(1, 300))
def test_a_fan_out_is_a_power_of_two_within_bounds(viewers: int, records: int, fan_out: int, most: int) -> None:
    found = needed(Load(viewers, records), fan_out, Settings(max_fan_out=most))
    assert found & (found - 1) == 0
    assert 1 <= found <= most


WINDOW = 1_000_000


def test_it_grows_at_once_and_only_past_what_is_planned_already() -> None:
    assert planned(SINGLE, Load(10_000, 0), WINDOW, SETTINGS) == 32
    ahead = FanOut((WINDOW + 70,), (32,))
    assert planned(ahead, Load(10_000, 0), WINDOW, SETTINGS) is None
    assert planned(ahead, Load(20_000, 0), WINDOW, SETTINGS) == 64


def test_it_shrinks_by_halves_and_not_before_half_an_hour() -> None:
    settled = FanOut((WINDOW - SHRINK_AFTER_WINDOWS,), (32,))
    assert planned(settled, Load(50, 0), WINDOW, SETTINGS) == 16
    assert planned(settled, Load(100, 0), WINDOW, SETTINGS) == 16
    assert planned(settled, Load(200, 0), WINDOW, SETTINGS) is None
    assert planned(settled, Load(50, 0), WINDOW - 1, SETTINGS) is None
    assert planned(SINGLE, Load(0, 0), WINDOW, SETTINGS) is None


def crowded(viewers: int, settings: Settings) -> Stage:
    stage = Stage(settings=settings)
    for content_id, count in (("match", viewers), ("film", 1)):
        stage.tell([event(content_id=content_id, viewer_id=f"v{n}") for n in range(count)])
    return stage.at(12_000)


def fan_out(stage: Stage, content_id: str, window: int) -> int:
    return read_fan_out(stage.ports.table("schedules"), content_id).at(window)


@pytest.mark.parametrize("viewers", [30, 4_000])  # above the exact limit the count is told by a sketch
def test_the_planner_gives_a_crowd_room_in_time_and_lets_the_rest_be(viewers: int) -> None:
    stage = crowded(viewers, Settings(fan_out_viewers=viewers * 11 // 10))
    plan = make(stage.ports, stage.settings)
    for _ in range(2):
        plan(NO_DEADLINE)
    begin = first_free_window(stage.clock.now_ms(), stage.settings.max_ahead_seconds)
    assert [fan_out(stage, "match", window) for window in (begin - 1, begin)] == [1, 2]
    assert fan_out(stage, "film", begin) == 1


def test_a_small_state_is_not_even_decoded() -> None:
    stage = crowded(30, Settings())
    (item,) = stage.ports.table("audience").query(f"match#0#{KICK_OFF // 3_600_000}").items
    stage.ports.table("audience").put(item.partition, item.sort, b"x" * SMALL_BYTES)
    make(stage.ports, stage.settings)(NO_DEADLINE)
    assert fan_out(stage, "match", 2**40) == 1


def test_a_crowd_is_never_taken_for_a_small_state() -> None:
    for viewers in (300, EXACT_LIMIT, EXACT_LIMIT + 1, 6_000):
        (item,) = crowded(viewers, Settings()).ports.table("audience").query(f"match#0#{KICK_OFF // 3_600_000}").items
        assert len(item.value) > SMALL_BYTES


def test_near_its_deadline_the_planner_stops() -> None:
    stage = crowded(30, Settings(fan_out_viewers=30))
    make(stage.ports, stage.settings)(Deadline(lambda: 0))
    assert fan_out(stage, "match", 2**40) == 1
