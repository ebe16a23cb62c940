"""A history whose disk is full or whose files are damaged says so, and loses nothing by being asked again."""

import errno
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adapters.common.warehouse import DeltaWarehouse
from shared.errors import CorruptData, Unavailable
from shared.history.compact import Compactor
from shared.history.ledger import Ledger
from shared.stream import NO_DEADLINE
from shared.units import HOUR_MS
from tests.builders import KICK_OFF
from tests.unit.history.world import World, record


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def data_files(world: World, hour: int) -> list[Path]:
    return sorted(world.folder.rglob(f"hour={hour}/*.parquet"))


def test_a_full_disk_keeps_what_is_staged_for_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    world.stage(record("a"))
    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetWriter, "write_batch", full)
        with pytest.raises(Unavailable, match="No space left"):
            world.commit()
    assert world.commit() == 1
    assert world.event_ids() == ["a"]


def test_a_damaged_log_of_the_table_is_told_and_nothing_staged_is_lost(world: World) -> None:
    world.stage(record("a"))
    world.commit()
    world.stage(record("b"))
    (log,) = world.folder.rglob("_delta_log/*1.json")
    whole = log.read_bytes()
    log.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Unavailable, match="restore them from a backup"):
        world.commit()
    log.write_bytes(whole)
    world.commit()
    assert world.event_ids() == ["a", "b"]


def test_an_hour_with_a_damaged_file_does_not_keep_the_others_from_compaction(world: World) -> None:
    for name in "ab":
        world.stage(record(name), record(name * 2, at=KICK_OFF + 3 * HOUR_MS))
        world.commit()
    damaged = data_files(world, 21)[0]
    damaged.write_bytes(damaged.read_bytes()[:500])
    with pytest.raises(Unavailable, match="'hour': '21'"):
        Compactor(world.lake, world.clock).run(NO_DEADLINE, everything=True)
    files = world.lake.files(world.lake.open())
    assert sorted(file.hour == KICK_OFF // HOUR_MS for file in files) == [False, False, True]
    with pytest.raises(Unavailable, match="cannot be read"):
        DeltaWarehouse(world.ports.history_uri).query("SELECT sum(watched_ms) FROM fact_stream_events", {})


@pytest.mark.parametrize("data", [b"", b"too short", bytes(32)])
def test_a_damaged_ledger_stops_commits_rather_than_counting_twice(world: World, data: bytes) -> None:
    world.stage(record("a"))
    world.commit()
    objects = world.ports.objects("history-ledger")
    (name,) = objects.list()
    objects.put(name, data)
    world.stage(record("b"))
    with pytest.raises(CorruptData, match=name):
        world.commit()
    assert world.event_ids() == ["a"]


def test_a_ledger_knows_ids_that_end_in_zeros(world: World) -> None:
    ledger = Ledger(world.ports.objects("history-ledger"))
    zeros, shorter = bytes(16), b"\1" + bytes(15)
    ledger.add(1, [zeros, shorter], 0)
    assert ledger.known(1, [zeros, shorter, b"\1" * 16]) == {zeros, shorter}
    assert ledger.known(2, [zeros]) == set()


def test_a_ledger_forgets_hours_whose_last_commit_is_old(world: World) -> None:
    ledger = Ledger(world.ports.objects("history-ledger"))
    ledger.add(1, [b"\1" * 16], 1_000)
    ledger.add(2, [b"\2" * 16], 5_000)
    ledger.tidy(10_000, 6_000)
    assert ledger.known(1, [b"\1" * 16]) == set()
    assert ledger.known(2, [b"\2" * 16]) == {b"\2" * 16}
