"""Quality of experience: what the sums of a window tell, by the definitions in docs/metrics.md."""

import pytest

from events.event import Event
from shared.audience.measures import TALLIES
from shared.audience.window import WindowState
from tests.builders import event
from tests.unit.audience.states import states_of


def told(*events: Event) -> WindowState:
    (state,) = states_of(list(events)).values()
    return state


def test_the_bitrate_is_weighted_by_the_time_watched() -> None:
    state = told(event(watched_ms=9_000, bitrate_kbps=1_000), event(watched_ms=1_000, bitrate_kbps=6_000))
    assert state.sum("bitrate_ms").value == 10_000
    assert state.mean("bitrate_kbit", "bitrate_ms") == pytest.approx(1.5)
    assert state.mean("bitrate_kbps", "bitrate_samples") == 3_500


def test_time_whose_bitrate_is_unknown_weighs_nothing() -> None:
    state = told(event(watched_ms=9_000), event(watched_ms=1_000, bitrate_kbps=6_000), event(bitrate_kbps=100))
    assert state.sum("watched_ms").value == 10_000
    assert state.mean("bitrate_kbit", "bitrate_ms") == 6
    assert state.sum("bitrate_samples").value == 2


def test_stalls_are_counted_and_their_time_summed() -> None:
    state = told(event("stall", stall_ms=300), event("stall", stall_ms=1_200), event("stall"))
    assert state.events()["stall"].value == 3
    assert (state.sum("stalls_timed").value, state.sum("stall_ms").value) == (2, 1_500)
    assert state.mean("stall_ms", "stalls_timed") == 750


def test_quantiles_of_the_start_up_time_are_within_five_percent() -> None:
    times = [1, 40, 500, 700, 900, 1_100, 2_500, 4_000, 30_000, 100_000]
    state = told(*[event("play", startup_ms=time, viewer_id=str(time)) for time in times])
    assert state.mean("startup_ms", "startups") == sum(times) / len(times)
    for quantile, truth in ((0.01, 1), (0.5, 900), (0.7, 2_500), (0.9, 30_000), (1.0, 100_000)):
        assert state.startup_ms(quantile) == pytest.approx(truth, rel=0.05)


def test_a_start_up_that_took_for_ever_is_in_the_last_bin() -> None:
    assert told(event("play", startup_ms=10**9)).startup_ms(0.5) == pytest.approx(2**17, rel=0.05)


def test_what_nobody_told_is_unknown_rather_than_zero() -> None:
    state = told(event())
    assert state.startup_ms(0.5) is None
    assert state.mean("buffer_ms", "buffer_samples") is None


def test_buffer_throughput_and_state_come_with_reports() -> None:
    state = told(
        event(buffer_ms=12_000, throughput_kbps=8_000, player_state="playing"),
        event(buffer_ms=0, throughput_kbps=2_000, player_state="rebuffering", viewer_id="bob"),
    )
    assert state.mean("buffer_ms", "buffer_samples") == 6_000
    assert state.mean("throughput_kbps", "throughput_samples") == 5_000
    assert {share.value: share.viewers.value for share in state.shares("player_state")} == {
        "playing": 1,
        "rebuffering": 1,
    }


def test_taking_part_is_told_by_events_and_by_viewers() -> None:
    state = told(event("reaction"), event("chat"), event("heartbeat", viewer_id="bob"), event("rating"))
    assert state.engagements() == 3
    assert state.engaged_viewers() == (1, 0)
    assert {share.value for share in state.shares("engagement")} == {"reaction", "chat", "rating"}


def test_tallies_are_never_weighted() -> None:
    state = told(event(), event("join"))
    assert state.tallies() == {**dict.fromkeys(TALLIES, 0), "counted": 2}
    assert not state.empty
    assert WindowState(1).empty
