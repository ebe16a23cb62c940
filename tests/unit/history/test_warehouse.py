"""Analysts and functions ask the history in SQL, and can do nothing else there."""

import datetime as dt
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.common.warehouse import DeltaWarehouse
from shared.errors import InvalidInput, Unavailable
from shared.history.lake import Lake
from shared.history.schema import SCHEMAS
from shared.history.tables import COLUMNS, FACTS
from shared.units import HOUR_MS
from tests.builders import KICK_OFF, delivered, event, packed
from tests.unit.history.test_lake import without_the_newest
from tests.unit.history.world import World, record

NOON = dt.datetime(2026, 10, 28, 12, 0, 0, 345_000)  # noqa: DTZ001  as times are in the warehouse


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def warehouse(world: World) -> DeltaWarehouse:
    return DeltaWarehouse(world.ports.history_uri)


def test_a_history_without_events_has_empty_tables_and_asking_makes_none(
    world: World, warehouse: DeltaWarehouse
) -> None:
    for table, columns in COLUMNS.items():
        assert warehouse.query(f"SELECT count(*) AS n FROM {table} AS t", {}) == [{"n": 0}]
        assert warehouse.query(f"SELECT {', '.join(columns)} FROM {table}", {}) == []
    assert list(world.folder.iterdir()) == []


def test_a_query_takes_parameters_by_name(world: World, warehouse: DeltaWarehouse) -> None:
    events = [event(viewer_id=viewer, watched_ms=5_000) for viewer in ("ada", "bob", "bob")]
    world.stage(delivered(packed(events)), delivered(packed([event(content_id="film", watched_ms=1)])))
    world.commit()
    sql = """
        SELECT count(DISTINCT viewer_id) AS viewers, sum(watched_ms)::BIGINT AS watched
        FROM fact_stream_events
        WHERE content_id = $content AND date = $day AND hour = 18
    """
    for day in ("2026-10-28", dt.date(2026, 10, 28)):
        assert warehouse.query(sql, {"content": "match", "day": day}) == [{"viewers": 2, "watched": 15_000}]


def test_timestamps_are_utc_which_they_do_not_say(world: World, warehouse: DeltaWarehouse) -> None:
    world.stage(delivered(packed([event()])))
    world.commit()
    moment = dt.datetime(2026, 10, 28, 18)  # noqa: DTZ001
    (row,) = warehouse.query("SELECT event_timestamp, received_at, hour FROM fact_stream_events", {})
    assert row == {"event_timestamp": moment, "received_at": moment, "hour": 18}
    for told in (moment, moment.replace(tzinfo=dt.timezone(dt.timedelta(0)))):
        found = warehouse.query("SELECT 1 AS one FROM fact_stream_events WHERE event_timestamp = $at", {"at": told})
        assert found == [{"one": 1}]


VALUES = [None, True, False, 0, -1, 2**63 - 1, -(2**63) + 1, 0.1, -1e300, math.inf, "", NOON, NOON.date()]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_parameter_comes_back_as_it_went_in(warehouse: DeltaWarehouse, value: object) -> None:
    assert warehouse.query("SELECT $value AS value", {"value": value}) == [{"value": value}]


PIECES = ["'", "''", '"', "\\", "\\'", "--", "/*", "*/", ";", "$a", "$1", "?", "{a}", "%(a)s", "\0", "\n", "E'", "$$"]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5))).map("".join))
@settings(max_examples=150, deadline=None)
def test_a_string_stays_a_value_whatever_it_holds(text: str) -> None:
    warehouse = DeltaWarehouse(lambda: ("/nonexistent/nowhere", {}))
    sql = "SELECT $a AS a, $b AS b, CASE WHEN $a = $b THEN 'same' END AS same, length($a) AS n WHERE $a IS NOT NULL"
    expected = {"a": text, "b": text, "same": "same", "n": len(text)}
    assert warehouse.query(sql, {"a": text, "b": text}) == [expected]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "CREATE TABLE mine AS SELECT 1",
        "CREATE EXTERNAL TABLE mine STORED AS CSV LOCATION '/etc/passwd'",
        "DELETE FROM fact_stream_events",
        "WITH gone AS (DELETE FROM fact_stream_events RETURNING *) SELECT * FROM gone",
        "INSERT INTO fact_stream_events SELECT * FROM fact_stream_events",
        "SELECT 1 INTO mine",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM information_schema.tables",
        "COPY (SELECT 1) TO '/tmp/out'",
        "SET datafusion.runtime.memory_limit = '100G'",
        "EXPLAIN ANALYZE SELECT 1",
        "SELECT * FROM nowhere",
        "SELECT nothing FROM fact_stream_events",
        "SELECT nothing(1)",
        "SELECT 1 / 0",
        "SELECT CAST('x' AS BIGINT)",
        "SELEC 1",
        "SELECT 'unended",
        "",
    ],
)
def test_anything_but_one_select_over_the_history_is_refused(warehouse: DeltaWarehouse, sql: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        warehouse.query(sql, {})
    assert refused.value.status == 400


@pytest.mark.parametrize("parameters", [{}, {"a": 1, "b": 2}, {"a": b"bytes"}, {"a": 2**63}, {"a": [1]}], ids=repr)
def test_parameters_that_do_not_fit_are_refused(warehouse: DeltaWarehouse, parameters: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        warehouse.query("SELECT $a AS a", parameters)


def test_nulls_come_last_whichever_way_rows_are_ordered(warehouse: DeltaWarehouse) -> None:
    for order, expected in (("", [1, 2, None]), ("DESC", [2, 1, None])):
        rows = warehouse.query(f"SELECT a FROM (VALUES (1), (NULL), (2)) AS v(a) ORDER BY a {order}", {})
        assert [row["a"] for row in rows] == expected


def test_what_is_materialized_is_a_table_of_that_query_alone(world: World, warehouse: DeltaWarehouse) -> None:
    world.stage(record("a", "b"))
    world.commit()
    sql = """
        WITH loose AS (SELECT event_id FROM fact_stream_events),
        made AS MATERIALIZED (SELECT event_id FROM loose WHERE event_id <> $id),
        again AS MATERIALIZED (SELECT event_id FROM made)
        SELECT (SELECT count(*) FROM made) + (SELECT count(*) FROM again) AS n, count(*) AS events FROM loose
    """
    for _ in range(2):
        assert warehouse.query(sql, {"id": "a"}) == [{"n": 2, "events": 2}]
    with pytest.raises(InvalidInput):
        warehouse.query("SELECT * FROM made", {})


def test_files_of_other_hours_and_contents_are_not_opened(world: World, warehouse: DeltaWarehouse) -> None:
    film = packed([event(event_id="film", content_id="film")])
    for each in (record("a"), record("later", at=KICK_OFF + HOUR_MS), delivered(film)):
        world.stage(each)
        world.commit()
    for file in world.lake.files(world.lake.open()):
        with (world.folder / FACTS / file.path).open("r+b") as stored:
            if b"later" in stored.read() or (stored.seek(0) == 0 and b"film" in stored.read()):
                stored.truncate(0)
    sql = "SELECT event_id FROM fact_stream_events WHERE date = $day AND hour = 18 AND content_id = $content"
    assert warehouse.query(sql, {"day": dt.date(2026, 10, 28), "content": "match"}) == [{"event_id": "a"}]
    with pytest.raises(Unavailable, match="cannot be read"):
        warehouse.query("SELECT sum(watched_ms) AS n FROM fact_stream_events", {})


def test_a_column_that_an_older_table_has_not_got_is_null(
    world: World, warehouse: DeltaWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setitem(COLUMNS, FACTS, {name: kind for name, kind in COLUMNS[FACTS].items() if name != "ad_id"})
        older.setitem(SCHEMAS, FACTS, without_the_newest(SCHEMAS[FACTS]))
        Lake(str(world.folder), {}, FACTS).open()
    assert warehouse.query("SELECT count(e.ad_id) AS n FROM FACT_STREAM_EVENTS AS e", {}) == [{"n": 0}]
    before = world.lake.open().version()
    assert before == 1  # a writer adds it
