"""Analysts ask the history in SQL, and can do nothing else there."""

import datetime as dt
from pathlib import Path

import pytest

from adapters.common.warehouse import DeltaWarehouse
from shared.errors import InvalidInput
from tests.builders import delivered, event, packed
from tests.unit.history.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def warehouse(world: World) -> DeltaWarehouse:
    return DeltaWarehouse(world.ports.history_uri)


def test_a_history_without_events_has_empty_tables(warehouse: DeltaWarehouse) -> None:
    for table in ("fact_stream_events", "dim_content", "dim_users"):
        assert warehouse.query(f"SELECT count(*) AS n FROM {table}", {}) == [{"n": 0}]


def test_a_query_takes_parameters_by_name(world: World, warehouse: DeltaWarehouse) -> None:
    events = [event(viewer_id=viewer, watched_ms=5_000) for viewer in ("ada", "bob", "bob")]
    world.stage(delivered(packed(events)), delivered(packed([event(content_id="film", watched_ms=1)])))
    world.commit()
    sql = """
        SELECT count(DISTINCT viewer_id) AS viewers, sum(watched_ms)::BIGINT AS watched
        FROM fact_stream_events
        WHERE content_id = $content AND date = $day AND hour = 18
    """
    answer = warehouse.query(sql, {"content": "match", "day": "2026-10-28"})
    assert answer == [{"viewers": 2, "watched": 15_000}]


def test_timestamps_are_utc(world: World, warehouse: DeltaWarehouse) -> None:
    world.stage(delivered(packed([event()])))
    world.commit()
    (row,) = warehouse.query("SELECT event_timestamp AS at, received_at, hour FROM fact_stream_events", {})
    assert row == {"at": dt.datetime(2026, 10, 28, 18), "received_at": dt.datetime(2026, 10, 28, 18), "hour": 18}  # noqa: DTZ001


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "CREATE TABLE mine AS SELECT 1",
        "DELETE FROM fact_stream_events",
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/out'",
        "SET enable_external_access = true",
        "SELECT * FROM nowhere",
        "SELEC 1",
        "",
    ],
)
def test_anything_but_one_select_over_the_history_is_refused(warehouse: DeltaWarehouse, sql: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        warehouse.query(sql, {})
    assert refused.value.status == 400
