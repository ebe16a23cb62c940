"""A window's state says what a plain count of its events says, however they came together."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.event import EVENT_TYPES, Event
from shared.audience.codec import decode, encode
from shared.audience.concurrency import concurrent
from shared.audience.splits import DIMENSIONS
from shared.audience.window import WindowState, rolled_up
from shared.errors import CorruptData
from tests.builders import KICK_OFF, event
from tests.unit.audience import oracle
from tests.unit.audience.states import merged, states_of

NAMES = ("ada", "bob", "cyd", "dee", "eve", "fay")


def maybe(*values: object) -> st.SearchStrategy[object]:
    return st.sampled_from((None, *values))


EVENTS = st.builds(
    event,
    event_type=st.sampled_from(EVENT_TYPES),
    event_timestamp=st.integers(KICK_OFF, KICK_OFF + 40_000),
    viewer_id=st.sampled_from(NAMES),
    session_id=st.sampled_from(("tv", "phone")),
    watched_ms=maybe(0, 1, 999, 10_000),
    bitrate_kbps=maybe(0, 500, 3_993),
    quality_level=maybe("sd", "hd", "uhd"),
    device_type=maybe("tv", "phone"),
    country=maybe("FR", "DE", "x" * 60),
    tier=maybe("free", "gold"),
    report_every_seconds=maybe(7, 10, 20, 45, 600),
    stall_ms=maybe(200, 4_000),
    startup_ms=maybe(1, 850, 10**7),
    buffer_ms=maybe(12_000),
    player_state=maybe("playing", "rebuffering"),
)
BODIES = st.lists(st.lists(EVENTS, min_size=1, max_size=12), min_size=1, max_size=6)


def figures(state: WindowState) -> dict[str, object]:
    """Everything a state tells."""
    return {
        "counters": state.counters.tolist(),
        "viewers": state.viewers(),
        "engaged": state.engaged_viewers(),
        "shares": {name: state.shares(name) for name in DIMENSIONS},
        "bytes": encode(state),
    }


@given(BODIES)
@settings(max_examples=60, deadline=None)
def test_a_state_says_what_a_plain_count_of_its_events_says(bodies: Sequence[Sequence[Event]]) -> None:
    events = [event for body in bodies for event in body]
    told = oracle.windows(events)
    states = merged(*bodies)
    assert states.keys() == told.keys()
    for window, state in states.items():
        some = told[window]
        assert state.viewers() == (oracle.viewers(some), 0)
        assert {name: count.value for name, count in state.events().items()} == oracle.counts(some)
        assert state.sum("watched_ms") == (oracle.watched_ms(some), 0)
        assert state.tally("counted") == len(some)
        assert state.engaged_viewers() == (oracle.engaged(some), 0)
        for dimension in ("device_type", "tier", "quality_level", "player_state"):
            shares = {share.value: (share.events, share.viewers.value) for share in state.shares(dimension)}
            assert shares == oracle.shares(some, dimension)
        at_end = concurrent(window, states.values())
        assert at_end == (oracle.concurrent(window, events), 0)


@given(BODIES, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_order_and_grouping_of_events_do_not_matter(bodies: Sequence[Sequence[Event]], chance: Random) -> None:
    together = states_of(*bodies)
    shuffled = list(bodies)
    chance.shuffle(shuffled)
    one_by_one = merged(*[[event] for body in shuffled for event in body])
    for window, state in together.items():
        assert figures(state) == figures(one_by_one[window])


@given(BODIES)
@settings(max_examples=30, deadline=None)
def test_a_stored_state_is_read_as_it_was(bodies: Sequence[Sequence[Event]]) -> None:
    for state in merged(*bodies).values():
        state.marks.add(b"r" * 16, b"receptio", 7)
        state.rejected["late"] = 3
        again = decode(encode(state))
        assert figures(again) == figures(state)
        assert again.marks.entries == state.marks.entries
        assert again.rejected == state.rejected


def test_a_corrupt_state_is_told_from_a_sound_one() -> None:
    (state,) = states_of([event(device_type="tv")]).values()
    value = encode(state)
    flipped = value[:-8] + bytes([value[-8] ^ 1]) + value[-7:]
    for broken in (b"", b"GA\x09" + value[3:], value[:-1], value[: len(value) // 2], flipped):
        with pytest.raises(CorruptData):
            decode(broken)


def test_a_minute_counts_a_viewer_of_two_windows_once() -> None:
    states = states_of([event(), event(event_timestamp=KICK_OFF + 5_000), event(viewer_id="bob", device_type="tv")])
    minute = rolled_up(KICK_OFF // 5_000, states.values())
    assert minute.viewers() == (2, 0)
    assert minute.events()["heartbeat"].value == 3
    assert not minute.marks.entries


def test_a_long_word_counts_as_other() -> None:
    (state,) = states_of([event(device_type="tv" * 40), event(device_type="")]).values()
    (share,) = state.shares("device_type")
    assert (share.value, share.events, share.viewers.value) == ("", 1, 1)
