"""Any interleaving of crashes, redeliveries, lost answers, races and replays gives what the events alone would."""

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.roll.handler import GRACE_MS
from lab.faults import Mishap
from tests.property.bodies import LONGEST_HISTORY_MS, Letter, named_letters, nameless_letters, write
from tests.property.checks import check_audience, check_history, check_rollups
from tests.property.translations import ROUTES, Route
from tests.property.world import CONSUMERS, INSTANCES, MINUTE, SECOND, Mishaps, World, lake_of

Step = Callable[[World], object]

mishaps = st.dictionaries(st.integers(0, 40), st.sampled_from(list(Mishap)), max_size=4)
few_mishaps = st.dictionaries(st.integers(0, 3), st.sampled_from(list(Mishap)), max_size=2)
consumers = st.sampled_from(list(CONSUMERS))
instances = st.integers(0, INSTANCES - 1)


def post(letter: Letter, mishaps: Mishaps, world: World) -> None:
    world.posts.append(write(letter, len(world.posts), world.clock.now_ms(), world.started))
    world.send(world.posts[-1], mishaps)


def retry(number: int, mishaps: Mishaps, world: World) -> None:
    """A body comes again, whether it was answered or not."""
    exact = [post for post in world.posts if post.exact]
    if exact:
        world.send(exact[number % len(exact)], mishaps)


def poll(name: str, instance: int, mishaps: Mishaps, world: World) -> None:
    world.poll(name, instance, mishaps)


def go_on(name: str, instance: int, mishaps: Mishaps, world: World) -> None:
    world.go_on(name, instance, mishaps)


def keep(mishaps: Mishaps, world: World) -> None:
    """Something to commit, and a committer that comes to grief."""
    world.poll("archive", 0, {})
    world.commit(mishaps)


def outage(name: str, world: World) -> None:
    world.outage(name)


def commit(mishaps: Mishaps, world: World) -> None:
    world.commit(mishaps)


def roll(mishaps: Mishaps, world: World) -> None:
    world.roll(mishaps)


def replay(mishaps: Mishaps, world: World) -> None:
    world.replay(mishaps)


def rebuild(world: World) -> None:
    world.rebuild()


def fan_out(content_id: str, partitions: int, world: World) -> None:
    world.fan_out(content_id, partitions)


def advance(milliseconds: int, world: World) -> None:
    if world.clock.now_ms() + milliseconds < world.started + LONGEST_HISTORY_MS - 30 * MINUTE:
        world.clock.advance(milliseconds)


def step(do: Callable[..., None], *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(*arguments).map(lambda given: partial(do, *given))


posts = step(post, named_letters, few_mishaps)
any_post = posts | posts | step(post, nameless_letters, st.just({}))
retries = step(retry, st.integers(0, 20), few_mishaps)
polls = step(poll, consumers, instances, mishaps)
counting = step(poll, st.just("aggregate"), instances, mishaps)
archiving = step(poll, st.just("archive"), instances, mishaps)
waiting = step(advance, st.sampled_from([SECOND, 20 * SECOND, 70 * SECOND, 7 * MINUTE]))

everything = st.one_of(
    any_post,
    any_post,
    retries,
    polls,
    counting,
    step(go_on, consumers, instances, mishaps),
    step(commit, mishaps),
    step(roll, mishaps),
    step(replay, mishaps),
    step(outage, consumers),
    step(rebuild),
    step(fan_out, st.sampled_from(["match", "cup/2#b"]), st.sampled_from([1, 2, 3, 4])),
    waiting,
)
"""All that may happen; what follows brings parts of it closer together."""
races = st.one_of(posts, retries, counting, counting, step(go_on, st.just("aggregate"), instances, mishaps))
history = st.one_of(posts, retries, archiving, step(keep, mishaps), step(keep, mishaps), step(rebuild))
rollups = st.one_of(
    posts, counting, step(roll, mishaps), step(roll, mishaps), step(advance, st.just(GRACE_MS + SECOND))
)
fan_outs = st.one_of(
    posts,
    retries,
    counting,
    step(fan_out, st.just("match"), st.sampled_from([1, 2, 3, 4])),
    step(advance, st.sampled_from([35 * SECOND, 3 * MINUTE])),
)


@contextmanager
def a_world(route: Route, batch: int) -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        world = World(route, batch, Path(folder))
        patch.setattr("functions.commit.handler.Lake", lake_of(world))
        patch.setattr("functions.ingest.append.FIRST_PAUSE_SECONDS", 0)
        for log in ("grandstand.triggers", "grandstand.parking"):
            patch.setattr(logging.getLogger(log), "disabled", True)
        yield world


def unfold(steps: list[Step], route: Route, batch: int) -> None:
    """Take the steps, then let everything come to rest and compare."""
    with a_world(route, batch) as world:
        for step in steps:
            step(world)
        world.settle()
        check_audience(world)
        world.catch_up()
        check_audience(world)
        check_rollups(world)
        check_history(world)


def histories(steps: st.SearchStrategy[Step], examples: int) -> Callable[..., Any]:
    """A test of so many histories."""
    given_history = given(st.lists(steps, min_size=5, max_size=40), st.sampled_from(ROUTES), st.integers(1, 8))
    how = settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    return lambda test: how(given_history(test))


@histories(everything, 100)
def test_every_accepted_event_counts_once_whatever_happens(steps: list[Step], route: Route, batch: int) -> None:
    unfold(steps, route, batch)


@histories(races, 40)
def test_instances_that_race_each_other_lose_nothing(steps: list[Step], route: Route, batch: int) -> None:
    unfold(steps, route, batch)


@histories(history, 40)
def test_the_history_holds_every_event_once(steps: list[Step], route: Route, batch: int) -> None:
    unfold(steps, route, batch)


@histories(rollups, 40)
def test_minutes_and_hours_follow_whatever_comes_late(steps: list[Step], route: Route, batch: int) -> None:
    unfold(steps, route, batch)


@histories(fan_outs, 40)
def test_a_changing_fan_out_moves_no_event(steps: list[Step], route: Route, batch: int) -> None:
    unfold(steps, route, batch)
