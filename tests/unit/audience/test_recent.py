"""The last minutes of a content are those that the audience API tells, however they were stored."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.audience import recent as module
from shared.audience.concurrency import LOOKBACK_WINDOWS, concurrent
from shared.audience.estimate import Estimate
from shared.audience.keys import WINDOWS_PER_MINUTE
from shared.audience.query import AudienceReader
from shared.audience.recent import SPARK_MINUTES, RecentReader
from shared.audience.rollup import HOUR, MINUTE, WINDOW
from shared.audience.window import WindowState
from shared.units import HOUR_MS, MINUTE_MS
from tests.builders import KICK_OFF, event
from tests.unit.audience.stage import Stage

REPORTS = st.lists(
    st.tuples(
        st.sampled_from(["ada", "grace", "mary", "joan"]),
        st.integers(0, 8 * MINUTE_MS),
        st.sampled_from(["heartbeat", "heartbeat", "stop"]),
        st.sampled_from([10, 60]),
    ),
    max_size=12,
)


def reported(stage: Stage, reports: list[tuple[str, int, str, int]]) -> None:
    for viewer, at, kind, interval in reports:
        fields: dict[str, Any] = {"viewer_id": viewer, "report_every_seconds": interval}
        stage.tell([event(kind, event_timestamp=KICK_OFF + at, watched_ms=1_000, **fields)])


@settings(max_examples=40, deadline=None)
@given(REPORTS, REPORTS, st.integers(0, 4), st.integers(0, 9 * MINUTE_MS))
def test_they_are_those_of_the_audience_api(
    first: list[tuple[str, int, str, int]], late: list[tuple[str, int, str, int]], rolls: int, now: int
) -> None:
    stage = Stage()
    recents, reader = RecentReader(stage.ports), AudienceReader(stage.ports)
    for reports in (first, late):
        reported(stage, reports)
        now_ms = KICK_OFF + now
        found = recents.of("match", now_ms)
        running, minute = WINDOW.number(now_ms), MINUTE.number(now_ms)
        assert found.now == reader.latest("match", running)[1]
        minutes = reader.audiences("match", MINUTE, minute - SPARK_MINUTES + 1, minute)
        told = {MINUTE.number(one.start_ms) - found.first_minute: one.concurrency.peak.value for one in minutes}
        assert found.peaks == [told.get(each) for each in range(SPARK_MINUTES)]
        two = [one.state for one in minutes if MINUTE.number(one.start_ms) >= minute - 1]
        assert found.sum("watched_ms") == sum(state.sum("watched_ms").value for state in two)
        five_ago = reader.latest("match", running - 5 * 12)[1].value
        assert (found.ago[5].value if found.ago[5] else 0) == five_ago
        hours = reader.audiences("match", HOUR, HOUR.number(KICK_OFF), HOUR.number(KICK_OFF))
        most = max((one.concurrency.peak.value for one in hours), default=0)
        assert recents.most("match", KICK_OFF, KICK_OFF + HOUR_MS - 1).value == most
        stage.at(10 * MINUTE_MS).roll(rolls)


def noted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The windows whose concurrent viewers are worked out from now on."""
    worked_out: list[int] = []

    def concurrent_of(window: int, states: Iterable[WindowState]) -> Estimate:
        worked_out.append(window)
        return concurrent(window, states)

    monkeypatch.setattr(module, "concurrent", concurrent_of)
    return worked_out


def test_of_many_contents_only_what_changed_is_worked_out_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage()
    names = [f"match-{number}" for number in range(130)]
    for name in names:
        stage.tell([event(event_timestamp=KICK_OFF, content_id=name)])
    recents = RecentReader(stage.ports)
    before = {name: recents.of(name, KICK_OFF + 1_000).now for name in names}
    worked_out = noted(monkeypatch)
    assert {name: recents.of(name, KICK_OFF + 2_000).now for name in names} == before
    assert worked_out == []
    stage.tell([event(event_timestamp=KICK_OFF + 2_000, content_id=names[0], viewer_id="grace")])
    assert recents.of(names[0], KICK_OFF + 3_000).now.value == 2
    assert WINDOW.number(KICK_OFF) in worked_out
    assert len(worked_out) < WINDOWS_PER_MINUTE + LOOKBACK_WINDOWS


def test_only_so_many_contents_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    stage = Stage()
    for name in ("first", "second", "third"):
        stage.tell([event(event_timestamp=KICK_OFF, content_id=name)])
    recents = RecentReader(stage.ports)
    for name in ("first", "second", "first", "third", "first", "nothing"):
        recents.of(name, KICK_OFF + 1_000)
    worked_out = noted(monkeypatch)
    recents.of("first", KICK_OFF + 1_000)
    assert worked_out == []
    recents.of("second", KICK_OFF + 1_000)
    assert worked_out
