"""A fan-out changes only where no event can have been packed by the old one."""

import pytest

from lab.memory import MemoryClock
from shared.errors import Unavailable
from shared.fan_out import CACHE_MS, MARGIN_MS, SINGLE, FanOut, FanOuts, read_fan_out, set_fan_out
from tests.unit.ingest.doubles import NOW, Cabinet

AHEAD = 300


def test_a_content_has_one_partition_until_told_otherwise() -> None:
    assert read_fan_out(Cabinet(), "match") == SINGLE
    assert (SINGLE.at(-5), SINGLE.at(10**9), SINGLE.most(0, 10**9)) == (1, 1, 1)


def test_steps_hold_from_their_own_window_on() -> None:
    fan_out = FanOut((10, 20, 30), (4, 2, 16))
    assert [fan_out.at(window) for window in (9, 10, 19, 20, 29, 30, 99)] == [1, 4, 4, 2, 2, 16, 16]
    assert [fan_out.most(*span) for span in ((0, 9), (0, 10), (10, 29), (20, 29), (11, 99))] == [1, 4, 4, 2, 16]


def test_a_change_waits_until_no_accepted_event_can_meet_it_unforeseen() -> None:
    table = Cabinet()
    start = set_fan_out(table, "match", 4, NOW, max_ahead_seconds=AHEAD)
    newest_event_by_the_old_schedule = NOW + CACHE_MS + AHEAD * 1_000
    assert start * 5_000 > newest_event_by_the_old_schedule
    assert start * 5_000 >= NOW + AHEAD * 1_000 + MARGIN_MS
    fan_out = read_fan_out(table, "match")
    assert (fan_out.at(start - 1), fan_out.at(start)) == (1, 4)


def test_changes_only_ever_add_steps() -> None:
    table = Cabinet()
    starts = [set_fan_out(table, "match", fan_out, NOW) for fan_out in (2, 4, 4, 8)]
    assert starts[0] < starts[1] == starts[2] < starts[3]
    fan_out = read_fan_out(table, "match")
    assert [fan_out.at(start) for start in starts] == [2, 4, 4, 8]
    assert set_fan_out(table, "other", 1, NOW) and read_fan_out(table, "other") == SINGLE


def test_steps_that_no_window_needs_any_more_are_dropped() -> None:
    table, day = Cabinet(), 86_400_000
    for days, wanted in ((0, 2), (1, 4), (30, 8), (31, 16)):
        set_fan_out(table, "match", wanted, NOW + days * day)
    assert read_fan_out(table, "match").fan_outs == (4, 8, 16)


class Contested(Cabinet):
    """Somebody else changes the schedule before so many writes."""

    contests = 0

    def put(
        self,
        partition: str,
        sort: str,
        value: bytes,
        *,
        if_version: str | None = None,
        expires_at: int | None = None,
    ) -> str:
        if self.contests:
            self.contests -= 1
            other = b"[[%d, %d]]" % (NOW // 5_000 - self.contests, 2)
            super().put(partition, sort, other)
        return super().put(partition, sort, value, if_version=if_version, expires_at=expires_at)


def test_a_planner_that_loses_a_race_reads_again() -> None:
    table = Contested()
    table.contests = 3
    set_fan_out(table, "match", 4, NOW)
    assert read_fan_out(table, "match").fan_outs == (2, 4)


def test_a_planner_that_never_wins_says_so() -> None:
    table = Contested()
    table.contests = 1_000
    with pytest.raises(Unavailable, match="match"):
        set_fan_out(table, "match", 4, NOW)


def test_a_fan_out_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="one partition"):
        set_fan_out(Cabinet(), "match", 0, NOW)


def test_schedules_are_read_together_and_again_after_half_a_minute() -> None:
    clock, table = MemoryClock(NOW), Cabinet()
    fan_outs = FanOuts(table, clock)
    contents = [f"match-{i}" for i in range(1_500)]
    assert set(fan_outs.of(contents).values()) == {SINGLE}
    assert table.reads == 2
    start = set_fan_out(table, "match-7", 4, NOW)
    reads = table.reads
    clock.advance(CACHE_MS - 1)
    assert fan_outs.of(["match-7"])["match-7"] == SINGLE
    assert table.reads == reads
    clock.advance(1)
    assert fan_outs.of(["match-7"])["match-7"].at(start) == 4


def test_the_cache_does_not_grow_without_bound() -> None:
    fan_outs = FanOuts(Cabinet(), MemoryClock(NOW))
    for number in range(120):
        fan_outs.of(f"{number}-{i}" for i in range(1_000))
    assert len(fan_outs._cached) <= 50_000
