"""The history forgets the days past its retention, and deletes files only when no reader can need them."""

import os
import time
from pathlib import Path

import pytest

from functions.compact.handler import make
from lab.faults import Mishap, Plan, faulty
from shared.history.retention import KEEP_HOURS, forget, vacuum
from shared.settings import Settings
from shared.stream import NO_DEADLINE
from shared.units import HOUR_MS
from tests.builders import KICK_OFF
from tests.unit.history.world import World, record

DAY_MS = 24 * HOUR_MS


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def data_files(world: World) -> list[Path]:
    return sorted(world.folder.rglob("*.parquet"))


def age(path: Path, hours: int) -> None:
    then = time.time() - hours * 3_600
    os.utime(path, (then, then))


def test_days_past_the_retention_are_forgotten(world: World) -> None:
    world.stage(record("old", at=KICK_OFF - 40 * DAY_MS), record("new"))
    world.commit()
    assert forget(world.lake, 30, world.clock) == 1
    assert world.event_ids() == ["new"]
    assert forget(world.lake, 30, world.clock) == 0


def test_a_file_that_was_never_committed_is_deleted_after_a_day(world: World) -> None:
    world.stage(record("a"))
    world.commit()
    (kept,) = data_files(world)
    young, old = (kept.with_name(f"part-{name}.zstd.parquet") for name in ("young", "old"))
    for orphan in (young, old):
        orphan.write_bytes(b"an orphan of a crash")
    for path in (kept, old):
        age(path, KEEP_HOURS + 1)
    assert vacuum([world.lake], world.ports.table("history"), world.clock)
    assert data_files(world) == sorted([kept, young])
    assert world.event_ids() == ["a"]


def test_vacuum_runs_four_times_a_day_and_once_at_a_time(world: World) -> None:
    table = world.ports.table("history")
    assert vacuum([world.lake], table, world.clock)
    assert not vacuum([world.lake], table, world.clock)
    world.clock.advance(6 * HOUR_MS)
    rivalled = faulty(world.ports, Plan([Mishap.NONE, Mishap.FALSE_CONFLICT])).table("history")
    assert not vacuum([world.lake], rivalled, world.clock)


def test_the_scheduled_function_compacts_and_forgets(world: World) -> None:
    world.stage(record("old", at=KICK_OFF - 500 * DAY_MS))
    for name in "abcdefghijklmnopq":
        world.stage(record(name))
        world.commit()
    run = make(world.ports, Settings())
    run(NO_DEADLINE)
    run(NO_DEADLINE)
    assert world.event_ids() == list("abcdefghijklmnopq")
    assert len(world.lake.files(world.lake.open())) == 1
