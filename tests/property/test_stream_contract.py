"""Any interleaving of crashes, redeliveries, lost answers, races and replays gives the audience of the events alone."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.local.triggers import Delivery
from lab.faults import Mishap
from tests.property.bodies import LONGEST_HISTORY_MS, Letter, named_letters, nameless_letters, write
from tests.property.checks import check_audience, check_history, check_rollups
from tests.property.world import CONSUMERS, INSTANCES, MINUTE, SECOND, Mishaps, World, lake_of

Step = Callable[[World], None]

mishaps = st.dictionaries(st.integers(0, 40), st.sampled_from(list(Mishap)), max_size=4)
few_mishaps = st.dictionaries(st.integers(0, 3), st.sampled_from(list(Mishap)), max_size=2)
consumers = st.sampled_from(list(CONSUMERS))
instances = st.integers(0, INSTANCES - 1)


def post(letter: Letter, mishaps: Mishaps) -> Step:
    def step(world: World) -> None:
        world.posts.append(write(letter, world.clock.now_ms()))
        world.send(world.posts[-1], mishaps)

    return step


def retry(number: int, mishaps: Mishaps) -> Step:
    """A body comes again, whether it was answered or not."""

    def step(world: World) -> None:
        exact = [post for post in world.posts if post.exact]
        if exact:
            world.send(exact[number % len(exact)], mishaps)

    return step


def advance(milliseconds: int) -> Step:
    def step(world: World) -> None:
        if world.clock.now_ms() + milliseconds < world.started + LONGEST_HISTORY_MS - 30 * MINUTE:
            world.clock.advance(milliseconds)

    return step


steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(post, named_letters, few_mishaps),
    st.builds(post, named_letters, few_mishaps),
    st.builds(post, nameless_letters, st.just({})),
    st.builds(retry, st.integers(0, 20), few_mishaps),
    st.builds(lambda *args: lambda world: world.poll(*args), consumers, instances, mishaps),
    st.builds(lambda *args: lambda world: world.poll(*args), consumers, instances, mishaps),
    st.builds(lambda *args: lambda world: world.poll(*args), st.just("aggregate"), instances, mishaps),
    st.builds(lambda mishaps: lambda world: world.commit(mishaps), mishaps),
    st.builds(lambda mishaps: lambda world: world.roll(mishaps), mishaps),
    st.builds(lambda name: lambda world: world.outage(name), consumers),
    st.builds(lambda mishaps: lambda world: world.replay(mishaps), mishaps),
    st.builds(
        lambda content_id, k: lambda world: world.fan_out(content_id, k),
        st.sampled_from(["match", "cup/2#b"]),
        st.sampled_from([1, 2, 3, 4]),
    ),
    st.just(World.rebuild),
    st.builds(advance, st.sampled_from([SECOND, 20 * SECOND, 70 * SECOND, 7 * MINUTE])),
)


@contextmanager
def a_world(delivery: Delivery, batch: int) -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        world = World(delivery, batch, Path(folder))
        patch.setattr("functions.commit.handler.Lake", lake_of(world))
        patch.setattr("functions.ingest.append.FIRST_PAUSE_SECONDS", 0)
        yield world


@given(st.lists(steps, min_size=5, max_size=40), st.sampled_from(list(Delivery)), st.integers(1, 8))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_accepted_event_counts_once_whatever_happens(
    steps: list[Step], delivery: Delivery, batch: int
) -> None:
    with a_world(delivery, batch) as world:
        for step in steps:
            step(world)
        world.settle()
        check_audience(world)
        world.catch_up()
        check_audience(world)
        check_rollups(world)
        check_history(world)
