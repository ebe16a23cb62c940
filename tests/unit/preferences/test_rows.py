"""A question opens the files of its own hours, and no others."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Unavailable
from shared.preferences.rows import Span, reported
from shared.units import DAY_MS, HOUR_MS
from tests.builders import KICK_OFF
from tests.unit.preferences.stage import Stage, crowd, watching

PATH = "/v1/contents/match/segments"
MIDNIGHT = KICK_OFF - KICK_OFF % DAY_MS


@pytest.mark.parametrize(
    ("since", "to"),
    [
        (KICK_OFF, KICK_OFF + HOUR_MS),
        (MIDNIGHT - HOUR_MS, MIDNIGHT + HOUR_MS),
        (MIDNIGHT - 25 * HOUR_MS, MIDNIGHT + 2 * HOUR_MS),
    ],
)
def test_files_of_other_hours_need_not_be_there(tmp_path: Path, since: int, to: int) -> None:
    stage = Stage(tmp_path)
    inside, outside = [since, to - HOUR_MS], [since - HOUR_MS, to, since - DAY_MS, to + DAY_MS]
    for at in inside:
        stage.happened(watching("match", *crowd("v", 5), event_timestamp=at))
    kept = set(tmp_path.rglob("*.parquet"))
    for at in outside:
        stage.happened(watching("match", *crowd("v", 5), event_timestamp=at))
    for path in set(tmp_path.rglob("*.parquet")) - kept:
        path.unlink()
    (segment,) = stage.get(PATH, **{"from": since, "to": to})["segments"]
    assert segment["watched_ms"] == 2 * 5 * 10_000


def test_a_file_that_is_needed_and_not_there_is_told(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.happened(watching("match", *crowd("v", 5)))
    for path in tmp_path.rglob("*.parquet"):
        path.unlink()
    answer = stage.client.get(PATH)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    with pytest.raises(Unavailable):
        stage.warehouse.query("SELECT viewer_id FROM fact_stream_events", {})


@settings(max_examples=50)
@given(since=st.integers(0, 4 * 24).map(lambda hours: MIDNIGHT + hours * HOUR_MS), length=st.integers(1, 4 * DAY_MS))
def test_every_parameter_is_used_and_every_one_used_is_there(since: int, length: int) -> None:
    sql, parameters = reported(Span(since, since + length))
    named = {word.strip("(),") for word in sql.split() if word.startswith("$")}
    assert named == {f"${name}" for name in parameters}
