"""Roll-ups hold all that was counted, whatever was interleaved or died in between."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.event import Event
from functions.aggregate.handler import make as make_aggregate
from functions.roll.handler import GRACE_MS, SETTLE_MS
from functions.roll.handler import make as make_roller
from lab.faults import Crash, Mishap, Plan, faulty
from lab.oracle import audience
from shared.audience import rollup
from shared.audience.dirty import DIRTY_TABLE, put_dirty
from shared.audience.estimate import Estimate
from shared.audience.keys import state_key, window_of
from shared.audience.rollup import HOUR, MINUTE, ROLLUPS_TABLE, Concurrency, rollup_key
from shared.errors import CorruptData, Unavailable
from shared.stream import DONE, NO_DEADLINE, Deadline, Record
from shared.units import HOUR_MS, MINUTE_MS
from tests.builders import KICK_OFF, delivered, event, packed
from tests.unit.audience.stage import Stage

VIEWERS = ("ada", "grace", "mary", "alan")


def watching(viewer: str, at_ms: int, kind: str = "heartbeat", **fields: Any) -> Event:
    """An event of a viewer, ms after kick-off."""
    return event(
        kind,
        viewer_id=viewer,
        session_id=viewer,
        event_timestamp=KICK_OFF + at_ms,
        watched_ms=5_000,
        report_every_seconds=10,
        **fields,
    )


def test_a_minute_keeps_its_distinct_viewers_and_the_maximum_and_mean_of_the_concurrent_ones() -> None:
    stage = Stage()
    stage.tell([watching("ada", 0), watching("grace", 1_000), watching("ada", 20_000), watching("mary", 59_000)])
    stage.at(MINUTE_MS + 10_000).roll()
    (minute,) = stage.windows(resolution="1m", since=KICK_OFF, to=KICK_OFF + HOUR_MS)
    assert (minute["start"], minute["viewers"], minute["events"]) == ("2026-10-28T18:00:00Z", 3, {"heartbeat": 4})
    assert (minute["concurrent"], minute["concurrent_mean"], minute["watched_ms"]) == (2, 1, 20_000)


def test_an_hour_is_made_of_its_minutes() -> None:
    stage = Stage()
    stage.tell([watching("ada", 0), watching("grace", 30 * MINUTE_MS), watching("ada", 59 * MINUTE_MS)])
    stage.tell([watching("mary", HOUR_MS)])
    stage.at(2 * HOUR_MS + 180_000).roll()
    assert stage.marks() == []
    hours = stage.windows(resolution="1h", since=KICK_OFF, to=KICK_OFF + 2 * HOUR_MS)
    assert [(hour["start"][11:16], hour["viewers"], hour["concurrent"]) for hour in hours] == [
        ("18:00", 2, 1),
        ("19:00", 1, 1),
    ]


def test_a_minute_that_runs_is_not_rolled_up_yet_but_told_all_the_same() -> None:
    stage = Stage()
    stage.tell([watching("ada", 0)])
    stage.at(MINUTE_MS + SETTLE_MS[MINUTE] - 1)
    stage.roller(NO_DEADLINE)
    assert stored(stage, MINUTE, KICK_OFF) is None
    assert [minute["viewers"] for minute in stage.windows(resolution="1m", since=KICK_OFF)] == [1]


def test_late_events_arrive_in_minutes_and_hours_up_to_a_week_later() -> None:
    stage = Stage()
    stage.tell([watching("ada", 0)])
    stage.at(2 * HOUR_MS).roll()
    stage.at(7 * 24 * HOUR_MS)
    stage.tell([watching("grace", 3_000)])
    for _ in range(2):
        for resolution in ("5s", "1m", "1h"):
            told = stage.windows(resolution=resolution, since=KICK_OFF, to=KICK_OFF + HOUR_MS)
            assert [window["viewers"] for window in told] == [2]
        stage.roll()
    assert stage.marks() == []


def test_a_mark_waits_for_longer_than_a_writer_may_live() -> None:
    stage = Stage().at(2 * HOUR_MS)
    put_dirty(stage.ports.table(DIRTY_TABLE), "match", "1m", [MINUTE.number(KICK_OFF)])
    stage.roller(NO_DEADLINE)
    stage.clock.advance(GRACE_MS - 1)
    stage.roller(NO_DEADLINE)
    assert len(stage.marks()) == 1
    stage.clock.advance(1)
    stage.roller(NO_DEADLINE)
    assert stage.marks() == []


def test_the_grace_is_longer_than_aggregates_timeout() -> None:
    from functions.manifest import FUNCTIONS

    (timeout,) = [one.timeout_seconds for one in FUNCTIONS if one.name == "aggregate"]
    assert timeout * 1_000 < GRACE_MS


def test_a_mark_of_nothing_leaves_no_roll_up_behind() -> None:
    stage = Stage().at(2 * HOUR_MS)
    put_dirty(stage.ports.table(DIRTY_TABLE), "match", "1m", [MINUTE.number(KICK_OFF)])
    stage.roll()
    assert (stage.marks(), stored(stage, MINUTE, KICK_OFF), stored(stage, HOUR, KICK_OFF)) == ([], None, None)


def test_a_mark_that_outlived_its_states_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    stage.tell([watching("ada", 0)])
    stage.at(2 * HOUR_MS).roll()
    before = stored(stage, MINUTE, KICK_OFF)
    stage.at(9 * 24 * HOUR_MS + 1)
    put_dirty(stage.ports.table(DIRTY_TABLE), "match", "1m", [MINUTE.number(KICK_OFF)])
    stage.roll(1)
    assert stage.marks() == []
    assert before is not None
    assert stored(stage, MINUTE, KICK_OFF) == before
    assert "older than the states" in caplog.text


def test_one_unreadable_state_stops_no_other_roll_up(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    stage.tell([watching("ada", 0)])
    stage.tell([watching("ada", 0, content_id="other")])
    key = state_key("match", 0, window_of(KICK_OFF))
    stage.ports.table("audience").put(*key, b"garbage")
    stage.ports.table(DIRTY_TABLE).put("dirty#00", "x|1m|0000000000", b"\xc1")
    stage.at(2 * HOUR_MS).roll()
    assert [mark.split("|")[0] for mark in stage.marks()] == ["match", "x"]
    assert "cannot be read" in caplog.text


def test_near_its_deadline_the_roller_stops() -> None:
    stage = Stage()
    stage.tell([watching("ada", 0)])
    stage.at(2 * HOUR_MS)
    for _ in range(3):
        stage.roller(Deadline(lambda: 0))
        stage.clock.advance(GRACE_MS)
    assert stage.marks() == ["match|1m|0029886840", "match|1m|0029886841"][: len(stage.marks())]
    assert stored(stage, MINUTE, KICK_OFF) is None


def stored(stage: Stage, resolution: rollup.Resolution, time_ms: int) -> bytes | None:
    item = stage.ports.table(ROLLUPS_TABLE).get(*rollup_key("match", resolution, resolution.number(time_ms)))
    return item.value if item else None


def test_what_is_stored_reads_back_and_garbage_is_called_so() -> None:
    stage = Stage()
    stage.tell([watching("ada", 0, device_type="tv"), watching("grace", 5_000)])
    (one,) = list(dict(stage_reader(stage).minutes_from_states("match", *[MINUTE.number(KICK_OFF)] * 2)).values())
    again = rollup.decode(rollup.encode(one))
    assert (again.start_ms, again.concurrency) == (KICK_OFF, one.concurrency)
    assert again.state.viewers() == Estimate(2)
    for garbage in (b"", b"\xc1", rollup.encode(one)[:-3]):
        with pytest.raises(CorruptData):
            rollup.decode(garbage)


def stage_reader(stage: Stage) -> Any:
    from shared.audience.query import AudienceReader

    return AudienceReader(stage.ports)


def test_the_mean_of_errors_is_an_upper_bound_of_the_means_error() -> None:
    assert Concurrency(Estimate(9, 2.0), 15, 3.0, 2).mean == Estimate(8, 1.5)


# Interleavings

events_of_two_minutes = st.lists(
    st.builds(
        watching,
        st.sampled_from(VIEWERS),
        st.integers(0, 2 * MINUTE_MS - 1),
        st.sampled_from(("heartbeat", "join", "stop")),
    ),
    min_size=1,
    max_size=6,
)


@dataclass
class Interrupted(Plan):
    """A plan that does something else in the middle of a step: another process had its turn."""

    actions: dict[int, Callable[[], None]] = field(default_factory=dict)
    mishaps: dict[int, Mishap] = field(default_factory=dict)
    step: int = 0
    busy: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def draw(self, step: str) -> Mishap:
        if self.busy:
            return Mishap.NONE
        self.step += 1
        action = self.actions.get(self.step)
        if action is not None:
            self.busy = True
            action()
            self.busy = False
        return self.mishaps.get(self.step, Mishap.NONE)


BODIES = [
    [watching("ada", 0), watching("ada", 61_000)],
    [watching("grace", 1_000), watching("grace", 62_000)],
]


def finished(stage: Stage) -> None:
    """Both bodies are told and everything is rolled up: the roll-ups alone must now be right."""
    for body, record in zip(BODIES, records_of(BODIES), strict=True):
        assert make_aggregate(stage.ports, stage.settings)([record], NO_DEADLINE) == [DONE], body
    stage.at(2 * HOUR_MS).roll(6)
    assert stage.marks() == []
    assert told_by_api(stage) == told_by_oracle(BODIES)
    totals = stage.client.get("/v1/completeness").json()
    assert (totals["received"], totals["counted"]) == (4, 4)


def records_of(bodies: list[list[Event]]) -> list[Record]:
    return [
        delivered(packed(body, record_id=bytes([number] * 16), reception=b"r" * 8))
        for number, body in enumerate(bodies, 1)
    ]


def each_step(prepare: Callable[[], Stage], run: Callable[[Stage, Interrupted], None]) -> Iterator[tuple[Stage, int]]:
    """A stage for every step of `run`, at which it stands still."""
    step = 0
    while True:
        step += 1
        stage, plan = prepare(), Interrupted()
        seen: list[int] = []
        plan.actions = {step: partial(seen.append, step)}
        run(stage, plan)
        if not seen:
            return
        yield prepare(), step


def rolled_once() -> Stage:
    """The first body is told and seen by the roller, whose grace is over."""
    stage = Stage().at(3 * MINUTE_MS)
    assert stage.aggregate(records_of(BODIES)[:1], NO_DEADLINE) == [DONE]
    stage.roll(1)
    return stage


def roll(stage: Stage, plan: Interrupted) -> None:
    surviving(partial(make_roller(faulty(stage.ports, plan), stage.settings), NO_DEADLINE))


def tell_second(stage: Stage, plan: Interrupted) -> None:
    surviving(partial(make_aggregate(faulty(stage.ports, plan), stage.settings), records_of(BODIES)[1:], NO_DEADLINE))


def test_a_roller_that_runs_between_any_two_steps_of_a_writer_loses_nothing() -> None:
    for stage, step in each_step(rolled_once, tell_second):
        tell_second(stage, Interrupted(actions={step: partial(roll, stage, Interrupted())}))
        finished(stage)


def test_a_writer_that_writes_between_any_two_steps_of_the_roller_is_not_missed() -> None:
    for stage, step in each_step(rolled_once, roll):
        roll(stage, Interrupted(actions={step: partial(tell_second, stage, Interrupted())}))
        finished(stage)


def hour_due() -> Stage:
    """The first body is told and its minutes are rolled up; the hour, long over, is not."""
    stage = Stage().at(2 * HOUR_MS)
    assert stage.aggregate(records_of(BODIES)[:1], NO_DEADLINE) == [DONE]
    stage.roll(2)
    assert stage.marks() == ["match|1h|0000498114"]
    return stage


@pytest.mark.parametrize("prepare", [rolled_once, hour_due])
@pytest.mark.parametrize("rolls", [2, 3])
def test_a_roller_that_was_overtaken_by_another_gives_way(prepare: Callable[[], Stage], rolls: int) -> None:
    for stage, step in each_step(prepare, roll):

        def overtake(stage: Stage = stage) -> None:
            tell_second(stage, Interrupted())
            stage.roll(rolls)

        roll(stage, Interrupted(actions={step: overtake}))
        finished(stage)


@pytest.mark.parametrize("mishap", [Mishap.CRASH_BEFORE, Mishap.CRASH_AFTER, Mishap.LOSE_ANSWER])
def test_a_roller_that_dies_at_any_step_leaves_a_mark_that_leads_back(mishap: Mishap) -> None:
    for stage, step in each_step(rolled_once, roll):
        roll(stage, Interrupted(mishaps={step: mishap}))
        finished(stage)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    bodies=st.lists(events_of_two_minutes, min_size=1, max_size=5),
    turns=st.lists(st.tuples(st.integers(1, 60), st.sampled_from(("roll", "tell"))), max_size=6),
    mishaps=st.dictionaries(
        st.integers(1, 80),
        st.sampled_from((Mishap.CRASH_BEFORE, Mishap.CRASH_AFTER, Mishap.FAIL, Mishap.LOSE_ANSWER)),
        max_size=4,
    ),
    waits=st.lists(st.sampled_from((0, 2_000, GRACE_MS // 2)), min_size=4, max_size=4),
)
def test_whatever_dies_or_comes_between_minutes_and_hours_equal_the_oracle(
    bodies: list[list[Event]],
    turns: list[tuple[int, str]],
    mishaps: dict[int, Mishap],
    waits: list[int],
) -> None:
    stage = Stage().at(3 * MINUTE_MS)
    records = [delivered(packed(body), first_appended_at=stage.clock.now_ms()) for body in bodies]
    untold = list(records)
    plan = Interrupted(mishaps=mishaps)
    ports = faulty(stage.ports, plan)

    def tell() -> None:
        if untold:
            record = untold.pop()
            assert make_aggregate(stage.ports, stage.settings)([record], NO_DEADLINE) == [DONE]

    plan.actions = {step: partial(roll, stage, Interrupted()) if what == "roll" else tell for step, what in turns}
    for wait in waits:
        surviving(partial(make_aggregate(ports, stage.settings), untold[:1], NO_DEADLINE))
        stage.clock.advance(wait)
        surviving(partial(make_roller(ports, stage.settings), NO_DEADLINE))
        stage.clock.advance(GRACE_MS // 2)
    plan.mishaps, plan.actions = {}, {}
    for record in records:  # whatever was not done is delivered again
        assert make_aggregate(stage.ports, stage.settings)([record], NO_DEADLINE) == [DONE]

    expected = told_by_oracle(bodies)
    assert told_by_api(stage) == expected
    stage.at(2 * HOUR_MS).roll(6)
    assert stage.marks() == []
    assert told_by_api(stage) == expected


def surviving(run: Callable[[], object]) -> None:
    """A process that may die, or be told to try again."""
    try:
        run()
    except (Crash, Unavailable):
        return


def told_by_oracle(bodies: list[list[Event]]) -> dict[str, list[tuple[Any, ...]]]:
    told = [{name: getattr(one, name) for name in one.__struct_fields__} for body in bodies for one in body]
    windows = audience(told)["match"]
    answers = {}
    for name, length in (("1m", MINUTE_MS), ("1h", HOUR_MS)):
        starts = sorted({start - start % length for start in windows})
        groups = [[one for at, one in windows.items() if at - at % length == start] for start in starts]
        answers[name] = [
            (
                start,
                len(set().union(*(one.viewers for one in group))),
                sum(one.events.total() for one in group),
                sum(one.watched_ms for one in group),
                max(one.concurrent for one in group),
                round(sum(one.concurrent for one in group) / len(group)),
            )
            for start, group in zip(starts, groups, strict=True)
        ]
    return answers


def told_by_api(stage: Stage) -> dict[str, list[tuple[Any, ...]]]:
    from events.timestamps import to_ms

    return {
        name: [
            (
                to_ms(one["start"]),
                one["viewers"],
                sum(one["events"].values()),
                one["watched_ms"],
                one["concurrent"],
                one["concurrent_mean"],
            )
            for one in stage.windows(resolution=name, since=KICK_OFF, to=KICK_OFF + HOUR_MS)
        ]
        for name in ("1m", "1h")
    }
