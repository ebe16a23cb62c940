"""The last minutes of a content are those that the audience API tells, however they were stored."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.audience.query import AudienceReader
from shared.audience.recent import SPARK_MINUTES, RecentReader
from shared.audience.rollup import HOUR, MINUTE, WINDOW
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
