"""Real processes commit and compact one history at the same time, and some are killed at it."""

import multiprocessing as mp
import random
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

from adapters.local.suite import suite
from functions.archive.handler import archive
from functions.commit.handler import make as make_commit
from shared.history.compact import Compactor
from shared.history.lake import Lake
from shared.history.tables import FACTS, STAGING
from shared.settings import Settings
from shared.stream import NO_DEADLINE
from tests.unit.history.world import record

ROUNDS = 12


def commit_for_ever(folder: str) -> None:
    """One committer's process."""
    run = make_commit(suite(Path(folder), Settings()), Settings())
    while True:
        run(NO_DEADLINE)


def compact_for_ever(folder: str) -> None:
    """One compactor's process."""
    ports = suite(Path(folder), Settings())
    compactor = Compactor(Lake(*ports.history_uri(), FACTS), ports.clock)
    while True:
        compactor.run(NO_DEADLINE, everything=True)
        time.sleep(0.05)


def started(target: object, folder: Path) -> BaseProcess:
    assert callable(target)
    process = mp.get_context("spawn").Process(target=target, args=(str(folder),), daemon=True)
    process.start()
    return process


def killed(process: BaseProcess) -> None:
    process.kill()
    process.join()


def test_committers_and_a_compactor_that_race_and_die_keep_every_record_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    ports = suite(tmp_path, Settings())
    lake = Lake(*ports.history_uri(), FACTS)
    records = [record(f"{number:03d}") for number in range(4 * ROUNDS)]
    rivals = [started(commit_for_ever, tmp_path), started(commit_for_ever, tmp_path)]
    compactor = started(compact_for_ever, tmp_path)
    try:
        for turn in range(ROUNDS):
            fresh = records[4 * turn : 4 * turn + 4]
            again = chance.sample(records[: 4 * turn + 4], min(4, 4 * turn + 4))
            before = lake.open().version()
            archive(ports.objects(STAGING), ports.meter("archive"), [*fresh, *again], NO_DEADLINE)
            archive(ports.objects(STAGING), ports.meter("archive"), again, NO_DEADLINE)
            if turn in (4, 8):
                killed(rivals.pop(0))
                rivals.append(started(commit_for_ever, tmp_path))
            while lake.open().version() == before:
                time.sleep(0.02)
    finally:
        for process in (*rivals, compactor):
            killed(process)
    make_commit(ports, Settings())(NO_DEADLINE)
    Compactor(lake, ports.clock).run(NO_DEADLINE, everything=True)
    found = lake.snapshot().to_table(["event_id"]).sort_by("event_id").column("event_id").to_pylist()
    assert found == [f"{number:03d}" for number in range(4 * ROUNDS)]
    assert len(lake.files(lake.open())) == 1
