"""What became of everything that was received adds up, rolled up or not."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.operations.models import CompletenessAnswer
from shared.fan_out import set_fan_out
from shared.stream import DONE, NO_DEADLINE
from shared.units import HOUR_MS, MINUTE_MS
from tests.builders import KICK_OFF, delivered, event, packed
from tests.unit.audience.stage import Stage


def completeness(stage: Stage, **query: Any) -> dict[str, Any]:
    answer = stage.client.get("/v1/completeness", params=query)
    told = CompletenessAnswer.model_validate(answer.json())
    assert told.received == (
        told.counted + told.duplicate + told.late + sum(told.rejected.values()) + told.sampled_out
    )
    whole: dict[str, Any] = answer.json()
    return whole


@pytest.mark.parametrize("rolls", [0, 6])
def test_every_class_is_told(rolls: int) -> None:
    stage = Stage()
    stage.tell([event(), event(viewer_id="grace")], received=9, rejected={"late": 3, "wrong_type": 2}, sampled_out=2)
    stage.tell([], received=4, rejected={"not_json": 4})
    stage.at(2 * HOUR_MS if rolls else 1).roll(rolls)
    assert bool(rolls) == (stage.marks() == [])
    told = completeness(stage)
    assert {name: told[name] for name in ("received", "counted", "duplicate", "late", "rejected", "sampled_out")} == {
        "received": 13,
        "counted": 2,
        "duplicate": 0,
        "late": 3,
        "rejected": {"not_json": 4, "wrong_type": 2},
        "sampled_out": 2,
    }
    assert told["dead_letters"] == 0


def test_a_range_takes_whole_minutes() -> None:
    stage = Stage()
    stage.tell([event()])
    stage.tell([event(event_timestamp=KICK_OFF + 90_000)])
    stage.at(2 * MINUTE_MS)
    told = completeness(stage, **{"from": KICK_OFF + 1_000, "to": KICK_OFF + 2_000})
    assert (told["received"], told["from"], told["to"]) == (1, "2026-10-28T18:00:00Z", "2026-10-28T18:01:00Z")
    assert completeness(stage, to=KICK_OFF + MINUTE_MS + 1)["received"] == 2


def test_a_range_ends_where_nothing_can_be() -> None:
    stage = Stage()
    stage.tell([event()])
    told = completeness(stage, **{"from": 0, "to": "9999-01-01"})
    assert (told["received"], told["from"], told["to"]) == (1, "2025-09-23T18:00:00Z", "2026-10-28T18:06:00Z")
    for outside in ({"from": "2030-01-01", "to": "2031-01-01"}, {"from": 0, "to": 1}):
        assert completeness(stage, **outside)["received"] == 0


def test_events_ahead_of_time_are_in_the_whole() -> None:
    stage = Stage()
    stage.tell([event(event_timestamp=KICK_OFF + 300_000)])
    assert completeness(stage)["received"] == 1


def test_from_must_be_before_to() -> None:
    assert Stage().client.get("/v1/completeness?from=2&to=1").status_code == 400


@pytest.mark.parametrize("rolls", [0, 6])
def test_tallies_under_a_k_beyond_the_fan_out_of_their_window_are_found(rolls: int) -> None:
    stage = Stage()
    set_fan_out(stage.ports.table("schedules"), "match", 4, KICK_OFF)
    stage.tell([], content_id="match", k=3, received=2, rejected={"ahead": 2})
    stage.at(2 * HOUR_MS if rolls else 1).roll(rolls)
    assert completeness(stage)["rejected"] == {"ahead": 2}


deliveries = st.lists(
    st.tuples(
        st.sampled_from(("match", "film")),
        st.integers(0, 3 * MINUTE_MS),
        st.integers(1, 3),
        st.sampled_from(({}, {"late": 1}, {"wrong_type": 2})),
        st.sampled_from(("once", "again", "retried", "roll")),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(deliveries)
def test_nothing_is_counted_twice_whatever_is_redelivered_retried_or_rolled_up_meanwhile(
    deliveries: list[tuple[str, int, int, dict[str, int], str]],
) -> None:
    stage = Stage().at(4 * MINUTE_MS)
    expected: Counter[str] = Counter()
    for number, (content_id, at_ms, count, rejected, what) in enumerate(deliveries):
        events = [
            event(content_id=content_id, viewer_id=f"v{n}", event_timestamp=KICK_OFF + at_ms) for n in range(count)
        ]
        size = count + sum(rejected.values())
        header = {"received": size, "rejected": rejected, "record_id": bytes([number] * 16)}
        record = packed(events, reception=b"first" * 2, **header)
        receptions = [record, record] if what == "again" else [record]
        if what == "retried":
            receptions.append(packed(events, reception=b"other" * 2, **header))
            expected["duplicate"] += size
        expected += Counter(received=size * len({one.body for one in receptions}), counted=count)
        expected += Counter({f"rejected {code}": many for code, many in rejected.items()})
        for one in receptions:
            told = delivered(one, first_appended_at=stage.clock.now_ms())
            assert stage.aggregate([told], NO_DEADLINE) == [DONE]
        if what == "roll":
            stage.roll(3)
    for rolls in (0, 6):
        stage.roll(rolls)
        told_all = completeness(stage)
        classes = Counter({name: told_all[name] for name in ("received", "counted", "duplicate")})
        classes["rejected late"] = told_all["late"]
        classes.update({f"rejected {code}": many for code, many in told_all["rejected"].items()})
        assert +classes == +expected
