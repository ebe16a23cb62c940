"""Compaction makes few sorted files of many and takes repeats out; nobody loses a row by it."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.faults import Crash, Mishap, Plan
from shared.errors import Unavailable
from shared.history.compact import QUIET_MS, Compactor
from shared.stream import NO_DEADLINE, Deadline, Record
from shared.units import HOUR_MS
from tests.builders import KICK_OFF, delivered, event, packed
from tests.unit.history.world import FaultyLake, World, record


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def compact(world: World, plan: Plan | None = None, *, everything: bool = True) -> int:
    lake = FaultyLake(str(world.folder), plan or Plan())
    return Compactor(lake, world.clock).run(NO_DEADLINE, everything=everything)


def fill(world: World, names: Sequence[str], at: int = KICK_OFF) -> None:
    for name in names:
        world.stage(record(name, at=at))
        world.commit()


def files(world: World) -> int:
    return len(world.lake.files(world.lake.open()))


def repeated(
    event_id: str, *, at: int = KICK_OFF, received: int = 0, session: str = "ada-tv", **header: object
) -> Record:
    """An event in a body without a batch_id."""
    told = event(event_id=event_id, event_timestamp=at, session_id=session)
    return delivered(packed([told], exact=False, received_at=KICK_OFF + received, **header))


def test_many_files_of_an_hour_become_one_with_the_same_rows(world: World) -> None:
    fill(world, "abcdef")
    before = world.rows()
    assert compact(world) == 1
    assert files(world) == 1
    assert world.rows() == before


def test_each_hour_keeps_its_own_file(world: World) -> None:
    fill(world, "ab")
    fill(world, "cd", KICK_OFF + HOUR_MS)
    assert compact(world) == 2
    assert files(world) == 2
    assert world.event_ids() == list("abcd")


def test_rows_are_sorted_whatever_file_they_come_from(world: World) -> None:
    for tick, viewer in [(2, "bob"), (1, "ada"), (1, "bob"), (2, "ada")]:
        world.stage(delivered(packed([event(viewer_id=viewer, event_timestamp=KICK_OFF + tick)])))
        world.commit()
    compact(world)
    rows = [
        tuple(row.values()) for row in world.lake.snapshot().to_table(["viewer_id", "event_timestamp"]).to_pylist()
    ]
    assert rows == sorted(rows)


def test_files_are_merged_and_compared_a_piece_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HELD_ROWS": 4, "LEAST_ROWS": 1, "GROUP_ROWS": 7}.items():
        monkeypatch.setattr(f"shared.history.merging.{name}", value)
    monkeypatch.setattr("shared.history.repeats.SLICE_ROWS", 4)
    viewers = [f"viewer{number}" for number in range(9)]
    for start in range(4):
        events = [
            event(event_id=f"{viewer}-{tick}", viewer_id=viewer, session_id=viewer, event_timestamp=KICK_OFF + tick)
            for viewer in viewers[start:] + viewers[: start // 2]
            for tick in range(start, start + 2)
        ]
        world.stage(delivered(packed(events, exact=False, received_at=KICK_OFF + start)))
        world.commit()
    before = {(row["event_id"], row["viewer_id"]) for row in world.rows()}
    assert compact(world) == 1
    (file,) = world.lake.files(world.lake.open())
    (stored,) = [pq.ParquetFile(path) for path in world.folder.rglob(file.path.rpartition("/")[2])]
    groups = [stored.metadata.row_group(number).num_rows for number in range(stored.num_row_groups)]
    assert groups == [7] * (len(before) // 7) + [len(before) % 7] * (len(before) % 7 > 0)
    rows = world.lake.snapshot().to_table(["content_id", "viewer_id", "event_timestamp", "event_id"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == sorted(tuple(row.values()) for row in rows)
    assert sorted((row["event_id"], row["viewer_id"]) for row in rows) == sorted(before)


def test_a_quiet_hour_that_is_over_is_merged_by_the_schedule(world: World) -> None:
    fill(world, "ab")
    world.clock.time_ms = max(file.written_at for file in world.lake.files(world.lake.open())) + QUIET_MS + 1
    assert compact(world, everything=False) == (world.clock.time_ms > KICK_OFF + HOUR_MS)
    assert files(world) == 1


def test_a_running_hour_is_merged_only_when_small_files_pile_up(world: World) -> None:
    fill(world, "abc")
    assert compact(world, everything=False) == 0
    fill(world, "defghijklmnop")
    assert compact(world, everything=False) == 1
    assert files(world) == 1
    assert world.event_ids() == list("abcdefghijklmnop")


def test_a_large_file_is_not_rewritten_for_small_ones(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.history.compact.SMALL_BYTES", 50_000)
    monkeypatch.setattr("shared.history.compact.MANY", 2)
    world.stage(record(*(f"{number * 0x9E37_79B9_7F4A_7C15 % 2**64:016x}" for number in range(10_000))))
    world.commit()
    fill(world, "abc")
    assert compact(world, everything=False) == 1
    assert files(world) == 2


def test_what_a_sender_without_batch_ids_repeats_is_kept_once(world: World) -> None:
    world.stage(repeated("a"), repeated("b"))
    world.commit()
    world.stage(repeated("a", received=5_000), repeated("a", received=9_000))
    world.commit()
    compact(world)
    assert world.event_ids() == ["a", "b"]


def test_repeats_within_one_commit_are_found(world: World) -> None:
    world.stage(repeated("a"), repeated("a", received=5))
    world.commit()
    assert compact(world, everything=False) == 1
    assert world.event_ids() == ["a"]


def test_the_first_received_wins(world: World) -> None:
    world.stage(repeated("a", received=9_000, content_id="match"))
    world.commit()
    world.stage(repeated("a", received=1_000))
    world.commit()
    compact(world)
    (row,) = world.rows("received_at")
    assert row["received_at"].timestamp() * 1_000 == KICK_OFF + 1_000


def test_the_same_event_id_in_another_session_or_of_another_sender_is_another_event(world: World) -> None:
    world.stage(repeated("a", session="eve-tv"))
    world.commit()
    world.stage(repeated("a", received=5), repeated("a", received=6, source="another-key"))
    world.commit()
    compact(world)
    assert world.event_ids() == ["a", "a", "a"]


def test_a_body_with_a_batch_id_is_never_taken_for_a_repeat(world: World) -> None:
    world.stage(record("a"), record("a"))
    world.commit()
    compact(world)
    assert world.event_ids() == ["a", "a"]


def test_a_repeat_whose_clock_was_corrected_into_the_next_hour_is_found(world: World) -> None:
    end = KICK_OFF + HOUR_MS
    world.stage(repeated("a", at=end - 20))
    world.commit()
    world.stage(repeated("a", at=end + 30, received=5_000))
    world.commit()
    compact(world, everything=False)
    assert world.event_ids() == ["a"]
    (row,) = world.rows("hour")
    assert row["hour"] == 18


def test_an_append_during_the_rewrite_is_kept(world: World) -> None:
    fill(world, "ab")

    class Late(Plan):
        def draw(self, step: str) -> Mishap:
            if step == "lake.commit":
                fill(world, "c")
            return super().draw(step)

    assert compact(world, Late()) == 1
    assert world.event_ids() == ["a", "b", "c"]


def test_two_compactions_at_once_double_nothing(world: World) -> None:
    fill(world, "ab")

    class Rival(Plan):
        def draw(self, step: str) -> Mishap:
            if step == "lake.commit":
                compact(world)
            return super().draw(step)

    assert compact(world, Rival()) == 0
    assert world.event_ids() == ["a", "b"]


def test_a_reader_finishes_on_the_version_that_it_opened(world: World) -> None:
    fill(world, "ab")
    opened = world.lake.snapshot()
    compact(world)
    assert opened.to_table(columns=["event_id"]).num_rows == 2


@pytest.mark.parametrize("mishap", [Mishap.CRASH_BEFORE, Mishap.CRASH_AFTER, Mishap.LOSE_ANSWER, Mishap.FAIL])
@pytest.mark.parametrize("step", [0, 1])
def test_a_compaction_that_is_cut_off_loses_nothing(world: World, mishap: Mishap, step: int) -> None:
    fill(world, "ab")
    with pytest.raises((Crash, Unavailable)):
        compact(world, Plan([*[Mishap.NONE] * step, mishap]))
    assert world.event_ids() == ["a", "b"]
    compact(world)
    assert world.event_ids() == ["a", "b"]
    assert files(world) == 1


def test_near_the_deadline_no_hour_is_begun(world: World) -> None:
    fill(world, "ab")
    assert Compactor(world.lake, world.clock).run(Deadline(lambda: 100), everything=True) == 0


bodies = st.tuples(
    st.sampled_from("abc"), st.booleans(), st.integers(0, 9), st.sampled_from(["ada-tv", "bob-tv"]), st.booleans()
)


@given(bodies=st.lists(bodies, min_size=1, max_size=8), mishaps=st.lists(st.sampled_from(Mishap), max_size=6))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_any_order_with_any_mishaps_the_first_of_each_event_stays(
    tmp_path_factory: pytest.TempPathFactory,
    bodies: list[tuple[str, bool, int, str, bool]],
    mishaps: list[Mishap],
) -> None:
    world = World(tmp_path_factory.mktemp("history"))
    firsts: dict[tuple[str, str], int] = {}
    exact = 0
    for name, with_batch_id, received, session, compacted in bodies:
        told = event(event_id=name, session_id=session)
        source = "exact" if with_batch_id else "inexact"
        header = {"exact": with_batch_id, "received_at": KICK_OFF + received, "source": source}
        world.stage(delivered(packed([told], **header)))
        world.commit()
        exact += with_batch_id
        if not with_batch_id:
            firsts[session, name] = min(received, firsts.get((session, name), received))
        if compacted:
            with suppress(Crash, Unavailable):
                compact(world, Plan(mishaps))
    compact(world)
    rows = world.rows("exact", "event_id", "received_at")
    assert sum(row["exact"] for row in rows) == exact
    kept = sorted(
        (row["event_id"], row["received_at"].timestamp() * 1_000 - KICK_OFF) for row in rows if not row["exact"]
    )
    assert kept == sorted((name, received) for (_, name), received in firsts.items())
