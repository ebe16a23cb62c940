"""The committer adds each record once, whatever was redelivered, and wherever it or another committer was cut off."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.commit.handler import LEDGER, make
from lab.faults import Crash, Mishap, Plan
from shared.errors import CorruptData, Unavailable
from shared.history.commit import KEY
from shared.history.tables import STAGING
from shared.settings import Settings
from shared.stream import NO_DEADLINE, Deadline, Record
from shared.units import HOUR_MS
from tests.builders import KICK_OFF, delivered, event, packed
from tests.unit.history.world import HORIZON_MS, World, record


class Interruption(Plan):
    """Lets something happen between two steps of a committer."""

    def __init__(self, step: int, happens: Callable[[], object]) -> None:
        super().__init__()
        self.steps = 0
        self._step = step
        self._happens = happens

    def draw(self, step: str) -> Mishap:
        self.steps += 1
        if self.steps == self._step + 1:
            self._happens()
        return super().draw(step)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_is_staged_becomes_rows_of_the_history(world: World) -> None:
    world.stage(record("a", "b"), record("c"))
    assert world.commit() == 3
    assert world.event_ids() == ["a", "b", "c"]
    assert world.staged() == []


def test_rows_lie_in_the_partition_of_their_own_time(world: World) -> None:
    world.stage(record("a"), record("b", at=KICK_OFF + HOUR_MS), record("c", at=KICK_OFF + 6 * HOUR_MS))
    world.commit()
    found = [(row["event_id"], str(row["date"]), row["hour"]) for row in world.rows("event_id", "date", "hour")]
    assert found == [("a", "2026-10-28", 18), ("b", "2026-10-28", 19), ("c", "2026-10-29", 0)]


def test_rows_of_a_file_are_sorted_by_content_viewer_and_time(world: World) -> None:
    viewers = ("ada", "bob", "cyd")
    for content in ("film", "match"):
        events = [
            event(viewer_id=viewer, content_id=content, event_timestamp=KICK_OFF + tick)
            for tick in (3, 1, 2)
            for viewer in viewers
        ]
        world.stage(delivered(packed(events)))
    world.commit()
    table = world.lake.snapshot().to_table(["content_id", "viewer_id", "event_timestamp"])
    rows = [tuple(row.values()) for row in table.to_pylist()]
    assert rows == sorted(rows)


def test_a_record_that_is_redelivered_after_its_commit_adds_nothing(world: World) -> None:
    one, two, three = record("a"), record("b"), record("c")
    world.stage(one, two)
    world.commit()
    world.stage(two, three)
    world.stage(one)
    assert world.commit() == 1
    assert world.event_ids() == ["a", "b", "c"]


def test_a_batch_that_is_bisected_before_its_commit_counts_once(world: World) -> None:
    records = [record("a"), record("b"), record("c")]
    world.stage(*records)
    world.stage(*records[:2])
    world.stage(records[2])
    world.commit()
    assert world.event_ids() == ["a", "b", "c"]


def test_nothing_staged_makes_no_commit(world: World) -> None:
    world.lake.open()
    assert world.commit() == 0
    assert world.lake.open().version() == 0


def test_a_backlog_is_committed_in_pieces(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.history.commit.MAX_ROWS", 3)
    for name in ("a", "b", "c", "d"):
        world.stage(record(f"{name}1", f"{name}2"))
    assert world.commit() == 8
    assert world.lake.open().version() == 4
    assert len(world.event_ids()) == 8


def test_near_the_deadline_nothing_is_begun(world: World) -> None:
    world.stage(record("a"))
    assert Deadline(lambda: 100).near(5_000)
    make(world.ports, Settings())(Deadline(lambda: 100))
    assert len(world.staged()) == 1


def test_a_record_older_than_the_ledger_is_looked_up_in_the_history(world: World) -> None:
    old, new = record("a", at=KICK_OFF - HOUR_MS), record("b", at=KICK_OFF - HOUR_MS)
    world.stage(old)
    world.commit()
    for name in list(world.ports.objects(LEDGER).list()):
        world.ports.objects(LEDGER).delete(name)
    world.clock.advance(HORIZON_MS + 1)
    world.stage(old, new)
    assert world.commit() == 1
    assert world.event_ids() == ["a", "b"]


def test_when_the_intent_is_lost_nothing_is_added_twice(world: World) -> None:
    one = record("a")
    world.stage(one)
    with pytest.raises(Crash):
        world.commit(Plan([*[Mishap.NONE] * _step_of(world, "lake.commit"), Mishap.CRASH_AFTER]))
    world.ports.table("history").delete(*KEY)
    world.stage(one, record("b"))
    world.commit()
    assert world.event_ids() == ["a", "b"]


def test_a_staged_file_that_cannot_be_read_is_set_aside_and_the_rest_committed(world: World) -> None:
    world.stage(record("a"))
    (name,) = world.staged()
    world.ports.objects(STAGING).put(name, b"cut short")
    world.stage(record("b"))
    world.commit()
    assert world.event_ids() == ["b"]
    (kept,) = world.staged()
    assert kept.startswith("damaged/")
    assert world.ports.objects(STAGING).get(kept) == b"cut short"


def test_an_intent_that_cannot_be_read_says_what_to_do(world: World) -> None:
    world.ports.table("history").put(*KEY, b"{")
    world.stage(record("a"))
    with pytest.raises(CorruptData, match="Delete the item"):
        world.commit()


def test_the_scheduled_function_commits_and_tidies(world: World) -> None:
    run = make(world.ports, Settings())
    for name in "abcdefghijklmnopqr":
        world.stage(record(name))
        run(NO_DEADLINE)
    assert world.event_ids() == list("abcdefghijklmnopqr")
    assert len(list(world.ports.objects(LEDGER).list())) < 16


@pytest.mark.parametrize(
    "mishap", [Mishap.CRASH_BEFORE, Mishap.CRASH_AFTER, Mishap.LOSE_ANSWER, Mishap.FALSE_CONFLICT]
)
def test_a_committer_that_is_cut_off_at_any_step_loses_and_doubles_nothing(tmp_path: Path, mishap: Mishap) -> None:
    records = [record("a"), record("b"), record("c", at=KICK_OFF + HOUR_MS), record("d")]
    for step in range(_steps(World(tmp_path / "dry"), records)):
        world = World(tmp_path / str(step))
        world.stage(*records[:2])
        world.stage(*records[1:3])
        _survive(world, Plan([*[Mishap.NONE] * step, mishap]))
        world.stage(*records[:3])
        world.stage(records[3])
        _survive(world, Plan([*[Mishap.NONE] * (step // 2), mishap]))
        world.commit()
        assert world.event_ids() == ["a", "b", "c", "d"], f"cut off at step {step}"
        assert world.staged() == []


def test_two_committers_at_once_have_the_effect_of_one(tmp_path: Path) -> None:
    records = [record("a"), record("b"), record("c", at=KICK_OFF + HOUR_MS), record("d")]
    for step in range(_steps(World(tmp_path / "dry"), records)):
        world = World(tmp_path / str(step))
        world.stage(*records[:2])

        def another_commits(world: World = world) -> None:
            world.stage(*records[1:3])
            world.commit()
            world.stage(*records[:2])

        world.commit(Interruption(step, another_commits))
        world.stage(records[3])
        world.commit()
        assert world.event_ids() == ["a", "b", "c", "d"], f"interrupted at step {step}"


@pytest.mark.parametrize("write", [0, 1], ids=["opening", "closing"])
def test_a_committer_writes_no_intent_over_that_of_another_who_died(tmp_path: Path, write: int) -> None:
    steps = _names(World(tmp_path / "dry"))
    moment = [number for number, name in enumerate(steps) if name == "history.put"][write]
    for step in range(2 * len(steps)):
        world = World(tmp_path / str(step))
        world.stage(record("a"))

        def another_dies(world: World = world, step: int = step) -> None:
            world.stage(record("b"))
            _survive(world, Plan([*[Mishap.NONE] * step, Mishap.CRASH_AFTER]))

        world.commit(Interruption(moment, another_dies))
        world.commit()
        assert world.event_ids() == ["a", "b"], f"died at step {step}"
        assert world.staged() == []


mishaps = st.lists(st.sampled_from([*[Mishap.NONE] * 6, *Mishap]), max_size=20)


@given(turns=st.lists(st.tuples(st.sets(st.integers(0, 5), min_size=1), mishaps), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_redelivery_and_any_mishaps_end_with_every_record_once(
    tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[set[int], list[Mishap]]]
) -> None:
    world = World(tmp_path_factory.mktemp("history"))
    records = [record(f"{number}", at=KICK_OFF + number % 2 * HOUR_MS) for number in range(6)]
    for batch, plan in turns:
        world.stage(*(records[number] for number in batch))
        _survive(world, Plan(plan))
    world.commit()
    assert world.event_ids() == sorted({f"{number}" for batch, _ in turns for number in batch})


def _survive(world: World, plan: Plan) -> None:
    with suppress(Crash, Unavailable):
        world.commit(plan)


def _steps(world: World, records: list[Record]) -> int:
    world.stage(*records[:2])
    counting = Interruption(1_000_000, lambda: None)
    world.commit(counting)
    return counting.steps


def _step_of(world: World, wanted: str) -> int:
    """How many steps come before the first that is called so."""
    return _names(World(world.folder.parent / "dry")).index(wanted)


def _names(dry: World) -> list[str]:
    """What the steps of a commit are called."""
    names: list[str] = []

    class Recording(Plan):
        def draw(self, step: str) -> Mishap:
            names.append(step)
            return super().draw(step)

    dry.stage(record("dry"))
    dry.commit(Recording())
    return names
