"""A table of the history takes on the columns of a newer release, and keeps the rows of the older."""

from pathlib import Path

import pytest

from shared.history.compact import Compactor
from shared.history.schema import FACT_SCHEMA, ROWS, SCHEMAS
from shared.history.tables import COLUMNS, FACTS
from shared.stream import NO_DEADLINE
from tests.unit.history.world import World, record

NEWEST = "ad_id"


def without_the_newest(schema: object) -> object:
    assert isinstance(schema, type(ROWS))
    return schema.remove(schema.get_field_index(NEWEST))


def test_rows_from_before_a_column_was_added_have_null_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    with monkeypatch.context() as older:
        older.setitem(COLUMNS, FACTS, {name: kind for name, kind in COLUMNS[FACTS].items() if name != NEWEST})
        older.setitem(SCHEMAS, FACTS, without_the_newest(FACT_SCHEMA))
        older.setattr("shared.history.commit.ROWS", without_the_newest(ROWS))
        world.stage(record("a"))
        world.commit()
        assert NEWEST not in world.rows()[0]
    world.stage(record("b"))
    world.commit()
    assert [row[NEWEST] for row in world.rows()] == [None, None]
    Compactor(world.lake, world.clock).run(NO_DEADLINE, everything=True)
    assert world.event_ids() == ["a", "b"]
    assert NEWEST in {field.name for field in world.lake.open().schema().fields}


def test_opening_a_table_that_lacks_nothing_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.lake.open().version() == world.lake.open().version() == 0
