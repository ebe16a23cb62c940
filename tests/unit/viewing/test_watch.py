"""Watch time: total, unique, by content type, each record once, and nobody's who is not to be known."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.columns import read
from events.event import Event
from functions.merge_watch.handler import make as make_merge
from functions.watch.handler import VIEWER_LOG, make, watch
from lab.faults import Crash, Mishap, Plan, faulty
from lab.memory import MemoryClock, memory_ports
from shared.errors import CorruptData, Unavailable
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE, Deadline, Record, Reject, Retry
from shared.units import HOUR_MS
from shared.viewing.buckets import bucket_of
from shared.viewing.facts import NOTHING, buckets_of, decode, encode, facts_of
from shared.viewing.log import ViewerLog
from shared.viewing.watch_time import WatchTime, watch_time
from tests.builders import KICK_OFF, delivered, event, packed, pseudonym

ADA, BOB = pseudonym("ada"), pseudonym("bob")


@pytest.fixture
def ports() -> Ports:
    return memory_ports(MemoryClock(KICK_OFF))


def log_of(ports: Ports) -> ViewerLog:
    return ViewerLog(ports.objects(VIEWER_LOG), ports.table(VIEWER_LOG))


def deliver(ports: Ports, *records: Record) -> list[Any]:
    return list(make(ports, Settings())(records, NO_DEADLINE))


def record(*events: Event, **header: Any) -> Record:
    return delivered(packed(events, **header))


def watched(seconds: int, **fields: Any) -> Event:
    return event(watched_ms=seconds * 1_000, **fields)


def asked(
    ports: Ports, *pseudonyms: bytes, since: int = 0, to: int = 2**52
) -> tuple[WatchTime, dict[str, WatchTime]]:
    return watch_time(log_of(ports).read(pseudonyms or (ADA,), since, to))


def total(ports: Ports, viewer: bytes = ADA) -> int:
    return asked(ports, viewer)[0].total_ms


def test_watched_time_adds_up_for_each_viewer(ports: Ports) -> None:
    deliver(ports, record(watched(10), watched(10, event_timestamp=KICK_OFF + 10_000), watched(5, viewer_id="bob")))
    assert total(ports, ADA) == 20_000
    assert total(ports, BOB) == 5_000
    assert total(ports, pseudonym("cyd")) == 0


def test_a_stretch_that_is_watched_again_is_unique_once(ports: Ports) -> None:
    stretches = [watched(10, position_seconds=position) for position in (10, 20, 15)]
    deliver(ports, record(*stretches))
    assert asked(ports)[0] == WatchTime(total_ms=30_000, unique_ms=20_000)


def test_the_same_position_of_another_content_is_another_stretch(ports: Ports) -> None:
    deliver(ports, record(watched(10, position_seconds=10)))
    deliver(ports, record(watched(10, position_seconds=10, content_id="film")))
    assert asked(ports)[0] == WatchTime(total_ms=20_000, unique_ms=20_000)


def test_without_a_position_the_clock_says_what_overlaps(ports: Ports) -> None:
    tv, phone = watched(10), watched(10, event_timestamp=KICK_OFF + 4_000, session_id="ada-phone")
    deliver(ports, record(tv, phone))
    assert asked(ports)[0] == WatchTime(total_ms=20_000, unique_ms=14_000)


def test_at_double_speed_a_report_covers_twice_the_content(ports: Ports) -> None:
    deliver(ports, record(watched(10, position_seconds=40, playback_rate=2), watched(10, position_seconds=30)))
    assert asked(ports)[0] == WatchTime(total_ms=20_000, unique_ms=20_000)


@pytest.mark.parametrize("rate", [0, -1, 1e300])
def test_a_senseless_playback_rate_does_no_harm(ports: Ports, rate: float) -> None:
    deliver(ports, record(watched(10, position_seconds=1e300, playback_rate=rate)))
    assert asked(ports)[0].total_ms == 10_000


def test_watch_time_is_split_by_content_type(ports: Ports) -> None:
    deliver(
        ports,
        record(watched(10), content_type="live"),
        record(watched(20, content_id="film"), content_type="vod"),
        record(watched(5, content_id="clip")),
        record(watched(1, event_timestamp=KICK_OFF + 60_000)),
    )
    _, by_type = asked(ports)
    assert by_type == {
        "live": WatchTime(11_000, 11_000),
        "unknown": WatchTime(5_000, 5_000),
        "vod": WatchTime(20_000, 20_000),
    }


def test_only_reports_of_the_range_count(ports: Ports) -> None:
    deliver(ports, record(*(watched(1, event_timestamp=KICK_OFF + hour * HOUR_MS) for hour in range(5))))
    merge(ports)
    answer, _ = asked(ports, since=KICK_OFF + HOUR_MS, to=KICK_OFF + 3 * HOUR_MS)
    assert answer.total_ms == 2_000


def test_a_viewer_whose_key_rotated_is_one_viewer(ports: Ports) -> None:
    both = record(watched(10), watched(7, viewer_id="bob"))
    deliver(ports, both)
    deliver(ports, both)
    assert asked(ports, ADA, BOB)[0].total_ms == 17_000


@pytest.mark.parametrize("hidden", [{"child": True}, {"consent": "none"}])
def test_who_is_not_to_be_known_has_no_facts(ports: Ports, hidden: dict[str, Any]) -> None:
    deliver(ports, record(watched(10, **hidden)))
    assert total(ports, ADA) == 0
    assert total(ports, pseudonym("ada-tv")) == 0
    assert not list(ports.objects(VIEWER_LOG).list())


def test_events_without_watched_time_cost_nothing(ports: Ports) -> None:
    assert deliver(ports, record(event("join"), event(watched_ms=0)), delivered(packed([]))) == [DONE, DONE]
    assert not list(ports.objects(VIEWER_LOG).list())


def test_a_redelivery_in_any_batch_counts_once(ports: Ports) -> None:
    one, two, three = (record(watched(seconds)) for seconds in (1, 2, 4))
    deliver(ports, one, two)
    deliver(ports, two, three, three)
    merge(ports)
    deliver(ports, one, two, three)
    assert total(ports) == 7_000
    merge(ports)
    assert total(ports) == 7_000


def test_a_batch_writes_one_object_for_each_bucket_of_viewers(ports: Ports) -> None:
    viewers = [f"viewer-{number}" for number in range(200)]
    deliver(ports, record(*(watched(1, viewer_id=viewer) for viewer in viewers)))
    assert len(list(ports.objects(VIEWER_LOG).list())) == len({bucket_of(pseudonym(viewer)) for viewer in viewers})
    assert all(total(ports, pseudonym(viewer)) == 1_000 for viewer in viewers)


def test_merging_leaves_one_object_for_each_hour_that_is_over(ports: Ports) -> None:
    for number in range(5):
        deliver(ports, record(watched(1, event_timestamp=KICK_OFF + number)))
        merge(ports)
    assert len(list(ports.objects(VIEWER_LOG).list())) == 5
    merge(ports, KICK_OFF + HOUR_MS)
    assert len(list(ports.objects(VIEWER_LOG).list())) == 1
    assert total(ports) == 5_000


def test_a_running_hour_never_has_many_objects(ports: Ports) -> None:
    for number in range(20):
        deliver(ports, record(watched(1, event_timestamp=KICK_OFF + number)))
        merge(ports)
        assert len(list(ports.objects(VIEWER_LOG).list())) <= 9
    assert total(ports) == 20_000


def test_hours_past_the_retention_are_deleted(ports: Ports) -> None:
    deliver(ports, record(watched(1, event_timestamp=KICK_OFF - 500 * 24 * HOUR_MS), watched(2)))
    make_merge(ports, Settings())(NO_DEADLINE)
    make_merge(ports, Settings())(NO_DEADLINE)
    assert total(ports) == 2_000
    assert len(list(ports.objects(VIEWER_LOG).list())) == 1


def test_near_the_deadline_no_bucket_is_begun(ports: Ports) -> None:
    deliver(ports, record(watched(1)))
    before = list(ports.objects(VIEWER_LOG).list())
    make_merge(ports, Settings())(Deadline(lambda: 10))
    assert list(ports.objects(VIEWER_LOG).list()) == before


def test_a_corrupt_record_is_rejected_and_its_neighbours_are_kept(ports: Ports) -> None:
    good, bad = record(watched(1)), record(watched(1))
    answers = deliver(ports, good, replace(bad, body=bad.body[:-9]), replace(bad, body=b""))
    assert answers[0] == DONE
    assert isinstance(answers[1], Reject)
    assert isinstance(answers[2], Reject)
    assert total(ports) == 1_000


def test_a_batch_that_cannot_be_stored_is_handed_back(ports: Ports) -> None:
    full = faulty(ports, Plan([Mishap.FAIL]))
    bad = record(watched(1))
    answers = deliver(full, record(watched(1)), replace(bad, body=b"junk"))
    assert isinstance(answers[0], Retry)
    assert isinstance(answers[1], Reject)


def test_what_the_deadline_leaves_no_time_for_is_handed_back(ports: Ports) -> None:
    times = iter([5_000, 500])
    answers = watch(
        log_of(ports), ports.meter("watch"), [record(watched(1)), record(watched(1))], Deadline(lambda: next(times))
    )
    assert answers == [DONE, None]
    assert total(ports) == 1_000


@pytest.mark.parametrize("data", [b"", b"junk", encode(NOTHING)[:-3], encode(NOTHING)[:3] + b"x"])
def test_a_damaged_object_is_named(ports: Ports, data: bytes) -> None:
    deliver(ports, record(watched(1)))
    (name,) = ports.objects(VIEWER_LOG).list()
    ports.objects(VIEWER_LOG).put(name, data)
    with pytest.raises(CorruptData, match=name):
        total(ports)


def test_a_damaged_item_is_named(ports: Ports) -> None:
    bucket = f"runs#{bucket_of(ADA):02d}"
    ports.table(VIEWER_LOG).put(bucket, f"{KICK_OFF // HOUR_MS:07d}", b"{")
    with pytest.raises(CorruptData, match=bucket):
        total(ports)


def test_a_run_that_is_gone_is_asked_for_again(ports: Ports) -> None:
    deliver(ports, record(watched(1)))
    merge(ports)
    (name,) = ports.objects(VIEWER_LOG).list()
    ports.objects(VIEWER_LOG).delete(name)
    with pytest.raises(Unavailable, match="try again"):
        total(ports)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9), st.none() | st.integers(0, 50)), max_size=30))
@settings(max_examples=40, deadline=None)
def test_a_block_keeps_what_was_told(told: list[tuple[int, int, int | None]]) -> None:
    events = [watched(seconds, viewer_id=f"v{who}", position_seconds=position) for who, seconds, position in told]
    new = packed(events)
    facts = facts_of(new.record_id, read(new.body))
    again = decode("block", encode(facts))
    assert sorted(rows(again)) == sorted(rows(facts))
    viewers = [bytes(viewer) for viewer in facts.viewer.tolist()]
    assert buckets_of(facts).tolist() == [bucket_of(viewer) for viewer in viewers]


def rows(facts: Any) -> Iterable[tuple[Any, ...]]:
    columns = (facts.viewer, facts.at, facts.watched_ms, facts.media_ms, facts.position_ms)
    return zip(*(column.tolist() for column in columns), strict=True)


actions = st.lists(
    st.tuples(
        st.sets(st.integers(0, 5)),
        st.booleans(),
        st.lists(st.sampled_from([*[Mishap.NONE] * 8, *Mishap]), max_size=30),
    ),
    max_size=6,
)


@given(actions=actions)
@settings(max_examples=120, deadline=None)
def test_any_mishaps_to_consumers_merges_and_readers_count_each_record_once(
    actions: list[tuple[set[int], bool, list[Mishap]]],
) -> None:
    ports = memory_ports(MemoryClock(KICK_OFF + HOUR_MS))
    records = [
        record(watched(2**number, event_timestamp=KICK_OFF + number % 2 * HOUR_MS), watched(1)) for number in range(6)
    ]
    done: set[int] = set()
    for batch, merged, mishaps in actions:
        broken = faulty(ports, Plan(mishaps))
        try:
            answers = deliver(broken, *(records[number] for number in batch))
            done |= {number for number, answer in zip(batch, answers, strict=True) if answer == DONE}
            if merged:
                merge(broken)
            assert total(broken) % 1_000 == 0
        except (Crash, Unavailable):
            pass
        assert total(ports) >= sum(2**number + 1 for number in done) * 1_000
    deliver(ports, *records)
    expected = sum(2**number + 1 for number in range(6)) * 1_000
    assert total(ports) == expected
    merge(ports)
    merge(ports)
    assert total(ports) == expected


@given(step=st.integers(0, 40), settled=st.booleans())
@settings(max_examples=60, deadline=None)
def test_two_merges_at_once_lose_nothing(step: int, settled: bool) -> None:
    ports = memory_ports(MemoryClock(KICK_OFF))
    now = KICK_OFF + HOUR_MS * settled
    for number in range(9):
        deliver(ports, record(watched(2**number)))
        if number % 3:
            merge(ports)

    class Rival(Plan):
        steps = 0

        def draw(self, at: str) -> Mishap:
            self.steps += 1
            if self.steps == step:
                deliver(ports, record(watched(512)))
                merge(ports, now)
            return super().draw(at)

    rival = Rival()
    merge(faulty(ports, rival), now)
    assert total(ports) == (511 + 512 * (rival.steps >= step > 0)) * 1_000


def merge(ports: Ports, now: int = KICK_OFF) -> None:
    log_of(ports).merge(bucket_of(ADA), now)
