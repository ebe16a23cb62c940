"""Whoever retries a body, whenever, makes the same records under the same ids; and no other body makes them."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from events.columns import Columns
from functions.ingest.handler import Ingest, Sent
from shared.fan_out import set_fan_out
from shared.settings import Settings
from tests.builders import KICK_OFF
from tests.unit.ingest.doubles import NOW, Desk, as_json, told

WEEK = 7 * 24 * 3_600_000

heartbeat = st.fixed_dictionaries(
    {
        "event_type": st.sampled_from(["heartbeat", "heartbeat", "join", "stall", "dance"]),
        "event_timestamp": st.integers(NOW - WEEK - 60_000, NOW - WEEK + 60_000) | st.integers(NOW - 9_999, NOW),
        "content_id": st.sampled_from(["match", "film", ""]),
        "viewer_id": st.sampled_from([f"v{i}" for i in range(9)]),
        "watched_ms": st.sampled_from([1_000, None, -1, "x"]),
    }
)
bodies = st.lists(heartbeat, max_size=25)


def post(
    data: bytes, *, now: int = NOW, source: str = "web", key: str | None = None, **changed: Any
) -> list[Columns]:
    """The records of a body on an instance of its own, with a fan-out that has long been known."""
    desk = Desk()
    for content, fan_out in (("match", 4), ("film", 2)):
        set_fan_out(desk.table("schedules"), content, fan_out, KICK_OFF - 2 * WEEK)
    desk.clock.time_ms = now
    Ingest(desk.ports, Settings(chunk_events=6, **changed)).ingest(Sent(data, source, idempotency_key=key))
    return desk.stream.columns()


def ids(records: list[Columns]) -> dict[bytes, tuple[str, int]]:
    return {each.header.record_id: (each.header.content_id, each.header.k) for each in records}


@given(bodies, st.integers(0, 90_000), st.sampled_from([1, 5, 10**9]))
@settings(max_examples=60, deadline=None)
def test_a_retry_elsewhere_later_and_under_another_load_makes_the_same_records(
    events: list[dict[str, Any]], later: int, sampling: int
) -> None:
    data = as_json(events, batch_id="b1")
    first = {each.header.record_id: each for each in post(data)}
    second = post(data, now=NOW + later, sampling_events_per_second=sampling)
    for each in second:
        twin = first.get(each.header.record_id)
        if twin is None:  # all that this one tells of is lateness, or its events are late by now
            assert not each.n
            continue
        assert (each.header.content_id, each.header.k) == (twin.header.content_id, twin.header.k)
        assert set(each.event_id) <= set(twin.event_id)
    for each in (*first.values(), *second):
        kept, header = each.n, each.header
        assert header.received == kept + header.sampled_out + sum(header.rejected.values())
    assert sum(each.header.received for each in second) == len(events)


@given(bodies)
@settings(max_examples=30, deadline=None)
def test_the_same_body_is_the_same_records_to_the_byte_but_for_its_reception(events: list[dict[str, Any]]) -> None:
    data = as_json(events, batch_id="b1", sent_at=NOW)
    again = as_json(events, batch_id="b1", sent_at=NOW + 77)
    assert ids(post(data)) == ids(post(again)) == ids(post(data, now=NOW))


@given(bodies, bodies)
@settings(max_examples=30, deadline=None)
def test_different_bodies_sources_and_batches_share_no_record(
    events: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    if events == others:
        others = [*copy.deepcopy(others), *told(1)]
    seen: set[bytes] = set()
    for records in (
        post(as_json(events, batch_id="b1")),
        post(as_json(others, batch_id="b1")),
        post(as_json(events, batch_id="b2")),
        post(as_json(events, batch_id="b1"), source="app"),
        post(as_json(events)),
        post(as_json(events)),
    ):
        found = ids(records)
        assert len(found) == len(records)
        assert seen.isdisjoint(found)
        seen |= found.keys()


def test_a_batch_id_may_come_as_an_idempotency_key() -> None:
    data = as_json(told(3))
    assert ids(post(data, key="k1")) == ids(post(data, key="k1")) != ids(post(data, key="k2"))
    assert all(each.header.exact for each in post(data, key="k1"))
    assert not any(each.header.exact for each in post(data))


def test_each_reception_is_told_apart() -> None:
    data = as_json(told(3), batch_id="b1")
    receptions = {each.header.reception for _ in range(3) for each in post(data)}
    assert len(receptions) == 3
