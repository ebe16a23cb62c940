"""Whatever is redelivered, repeated, interrupted or contended: the audience is the oracle's."""

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from events.event import SAMPLED_TYPES, Event
from lab.faults import Crash, Mishap, Plan, faulty
from shared.audience.concurrency import concurrent
from shared.audience.window import WindowState
from shared.stream import NO_DEADLINE, Done, Record
from tests.builders import KICK_OFF, delivered, event, packed
from tests.unit.aggregate.world import adds_up, aggregate, completeness, ports_at_kick_off, stored
from tests.unit.audience import oracle

EVENTS = st.builds(
    event,
    event_type=st.sampled_from(("join", "heartbeat", "heartbeat", "stop", "reaction")),
    event_timestamp=st.integers(KICK_OFF, KICK_OFF + 24_999),
    content_id=st.just("match"),
    viewer_id=st.sampled_from(("ada", "bob", "cyd")),
    watched_ms=st.sampled_from((None, 5_000)),
    device_type=st.sampled_from(("tv", "phone")),
)
BODIES = st.lists(st.lists(EVENTS, min_size=1, max_size=8), min_size=1, max_size=5)
MISHAPS = st.lists(st.sampled_from((Mishap.NONE, *Mishap)), max_size=25)
WINDOWS = range(KICK_OFF // 5_000, KICK_OFF // 5_000 + 6)


def received(number: int, body: Sequence[Event], reception: int, level: int = 0) -> Record:
    """A record of one reception of a body, sampled as ingest would: by type alone here, which is harsher."""
    kept = [each for each in body if not level or each.event_type not in SAMPLED_TYPES]
    new = packed(
        kept,
        content_id="match",
        record_id=number.to_bytes(16, "big"),
        reception=bytes([reception]) * 8,
        level=level,
        received=len(body),
        sampled_out=len(body) - len(kept),
        tally_window=min(each.event_timestamp for each in body) // 5_000,
    )
    return delivered(new)


def deliver(records: Sequence[Record], mishaps: Sequence[Mishap], chance: Random) -> dict[int, WindowState]:
    """Deliver everything, in any order and cut into any batches, to two instances by turns, until all is done."""
    ports, plan = ports_at_kick_off(), Plan(mishaps)
    instances = [aggregate(faulty(ports, plan)), aggregate(faulty(ports, plan))]
    left = list(range(len(records)))
    done: set[int] = set()
    while left:
        chance.shuffle(left)
        batch = left[: chance.randint(1, len(left))] + ([chance.choice(sorted(done))] if done else [])
        one = chance.randrange(2)
        try:
            answers = instances[one]([records[index] for index in batch], NO_DEADLINE)
        except Crash:
            instances[one] = aggregate(faulty(ports, plan))
            continue
        done |= {index for index, answer in zip(batch, answers, strict=True) if isinstance(answer, Done)}
        left = [index for index in left if index not in done]
    return stored(ports, "match", WINDOWS)


@given(BODIES, MISHAPS, st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_every_record_counts_exactly_once(
    bodies: Sequence[Sequence[Event]], mishaps: Sequence[Mishap], chance: Random
) -> None:
    records = [received(number, body, reception=number) for number, body in enumerate(bodies)]
    again = [received(number, body, reception=100 + number) for number, body in enumerate(bodies) if number % 2]
    states = deliver([*records, *again, *records[:2]], mishaps, chance)
    events = [event for body in bodies for event in body]
    told = oracle.windows(events)
    assert {window for window, state in states.items() if not state.empty} == told.keys()
    for window, some in told.items():
        state = states[window]
        assert {name: count.value for name, count in state.events().items()} == oracle.counts(some)
        assert state.viewers().value == oracle.viewers(some)
        assert state.sum("watched_ms").value == oracle.watched_ms(some)
        shares = {share.value: (share.events, share.viewers.value) for share in state.shares("device_type")}
        assert shares == oracle.shares(some, "device_type")
        assert concurrent(window, states.values()).value == oracle.concurrent(window, events)
    totals = completeness(states.values())
    repeated = sum(len(body) for number, body in enumerate(bodies) if number % 2)
    assert totals["counted"] == len(events)
    assert totals["duplicate"] == repeated
    assert totals["received"] == len(events) + repeated


@given(BODIES, MISHAPS, st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_of_receptions_sampled_differently_one_counts_whole(
    bodies: Sequence[Sequence[Event]], mishaps: Sequence[Mishap], chance: Random
) -> None:
    records = [
        received(number, body, reception=10 * number + copy, level=level)
        for number, body in enumerate(bodies)
        for copy, level in enumerate((0, 3))
    ]
    totals = completeness(deliver(records, mishaps, chance).values())
    events = sum(len(body) for body in bodies)
    assert adds_up(totals)
    assert totals["received"] == 2 * events
    assert totals["duplicate"] == events
    assert totals["counted"] + totals["sampled_out"] == events
