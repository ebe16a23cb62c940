"""Pulses of many instances and slots, merged."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.health.merging import Told, gather
from shared.health.meter import SLOT_MS, Backlog, Counts, Pulse

NOW = 100_000 * SLOT_MS + 7_000
BINS = st.dictionaries(st.integers(0, 90), st.integers(1, 9), max_size=3)
COUNTS = st.builds(
    Counts,
    calls=st.integers(0, 9),
    failures=st.integers(0, 3),
    events_in=st.none() | st.integers(0, 99),
    events_out=st.none() | st.integers(0, 99),
    busy_us=st.integers(0, 10_000_000),
    durations=BINS,
    event_lag=BINS,
    received_lag=BINS,
    backlog=st.none() | st.builds(Backlog, st.integers(0, 9), st.integers(0, 9_999), st.integers(0, 2)),
)


@st.composite
def pulses(draw: st.DrawFn) -> Pulse:
    slot = NOW // SLOT_MS - draw(st.integers(0, 6))
    instance = draw(st.sampled_from("abc"))
    return Pulse(
        function=draw(st.sampled_from(["ingest", "aggregate"])),
        instance=instance,
        slot=slot,
        since=0,
        pulsed_at=slot * SLOT_MS + draw(st.integers(0, SLOT_MS)),
        next_within_ms=5_000 if instance == "a" else None,
        counts=draw(COUNTS),
    )


def once(many: list[Pulse]) -> list[Pulse]:
    """As they are stored: one of each slot."""
    return list({(each.function, each.instance, each.slot): each for each in many}.values())


def plain(known: dict[str, Told]) -> dict[str, Any]:
    """What can be compared; the recent counts of an instance are a bag."""
    return {
        name: (
            told.slots,
            {one: each.newest for one, each in told.instances.items()},
            asdict_of(told.recent()),
            round(told.per_second(NOW, lambda counts: counts.events_in), 9),
        )
        for name, told in known.items()
    }


def asdict_of(counts: Counts) -> dict[str, Any]:
    return {name: getattr(counts, name) for name in Counts.__struct_fields__}


@settings(max_examples=60)
@given(
    st.lists(pulses(), max_size=12).map(once).flatmap(lambda many: st.tuples(st.just(many), st.permutations(many)))
)
def test_the_order_in_which_pulses_come_does_not_matter(pair: tuple[list[Pulse], list[Pulse]]) -> None:
    one, other = pair
    assert plain(gather(one, NOW)) == plain(gather(other, NOW))


@settings(max_examples=60)
@given(st.lists(pulses(), max_size=12).map(once), st.integers(3, 6))
def test_what_is_over_may_be_gathered_before_the_rest(many: list[Pulse], ago: int) -> None:
    """A reader keeps slots that are over; whoever reads all of them at once is told the same."""
    edge = NOW // SLOT_MS - ago
    over = gather([each for each in many if each.slot <= edge], NOW - SLOT_MS)
    before = plain(over)
    assert plain(gather([each for each in many if each.slot > edge], NOW, over)) == plain(gather(many, NOW))
    assert plain(over) == before


@settings(max_examples=60)
@given(st.lists(pulses(), max_size=12).map(once))
def test_sums_are_those_of_all_that_was_told(many: list[Pulse]) -> None:
    known = gather(many, NOW)
    assert sum(counts.calls for told in known.values() for counts in told.slots.values()) == sum(
        each.counts.calls for each in many
    )
    for told in known.values():
        assert told.per_second(NOW, lambda counts: counts.calls) >= 0


def test_of_a_slot_that_was_told_twice_the_later_counts() -> None:
    told = [Pulse("ingest", "a", 9, 0, at, None, Counts(calls=calls)) for at, calls in ((2, 5), (1, 3))]
    assert gather(told, NOW)["ingest"].slots[9].calls == 5
