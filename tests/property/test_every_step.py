"""Each function meets each mishap at every single step that it takes."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions.roll.handler import GRACE_MS
from lab.faults import Mishap
from tests.property.bodies import Letter, Said
from tests.property.checks import check_audience, check_history, check_rollups
from tests.property.test_stream_contract import a_world, post
from tests.property.translations import ROUTES, Route
from tests.property.world import HOUR, MINUTE, SECOND, Mishaps, World

Scene = Callable[[World], Callable[[Mishaps], object]]
"""What comes before, and then the work in which the mishap strikes."""

KINDS = (Mishap.CRASH_AFTER, Mishap.LOSE_ANSWER, Mishap.FALSE_CONFLICT, Mishap.RIVAL, Mishap.NEIGHBOUR)
"""To crash before a step is to crash after the one before it."""
SPARED = (".query", ".list")
"""They change nothing, and the roller looks through many empty shards."""


def said(at_ms: int, viewer: str, event_type: str = "heartbeat") -> Said:
    """A viewer's event, `at_ms` after the history's start."""
    fields: dict[str, Any] = {"content_id": "match", "viewer_id": viewer, "session_id": viewer, "watched_ms": 1_000}
    return Said(at_ms, {**fields, "event_type": event_type, "report_every_seconds": 20}, from_start=True)


def tell(world: World, *events: Said, mishaps: Mishaps | None = None) -> None:
    post(Letter(list(events), "body", 0, None, ""), mishaps or {}, world)


def begin(world: World) -> None:
    """The first events, counted."""
    tell(
        world, said(MINUTE + 2 * SECOND, "ada", "join"), said(3 * MINUTE, "bea"), said(3 * MINUTE + 9 * SECOND, "ada")
    )
    world.poll("aggregate", 0, {})


def keep(world: World) -> None:
    """The first events, in the history."""
    world.poll("archive", 0, {})
    world.commit({})


def roll_minutes(world: World) -> None:
    for wait in (5 * MINUTE, GRACE_MS + SECOND):
        world.clock.advance(wait)
        world.roll({})


def more(world: World) -> None:
    """Late events, one of them seen from the next minute, in which nothing is new; and a post that comes again."""
    tell(
        world,
        said(MINUTE - SECOND, "cor"),
        said(3 * MINUTE + SECOND, "cor"),
        said(3 * MINUTE + 8 * SECOND, "bea", "stop"),
    )
    world.send(world.posts[-1], {})


def ingesting(world: World) -> Callable[[Mishaps], object]:
    begin(world)
    return lambda mishaps: tell(
        world, said(0, "cor"), said(MINUTE, "ada"), said(2, "bea"), said(3, "dee"), mishaps=mishaps
    )


def counting(world: World) -> Callable[[Mishaps], object]:
    begin(world)
    roll_minutes(world)
    more(world)
    return lambda mishaps: world.poll("aggregate", 0, mishaps)


def archiving(world: World) -> Callable[[Mishaps], object]:
    begin(world)
    keep(world)
    more(world)
    return lambda mishaps: world.poll("archive", 0, mishaps)


def committing(world: World) -> Callable[[Mishaps], object]:
    begin(world)
    keep(world)
    more(world)
    world.poll("archive", 0, {})
    return world.commit


def rolling_minutes(world: World) -> Callable[[Mishaps], object]:
    begin(world)
    world.clock.advance(5 * MINUTE)
    world.roll({})
    world.clock.advance(GRACE_MS + SECOND)
    more(world)
    return world.roll


def rolling_hours(world: World) -> Callable[[Mishaps], object]:
    begin(world)
    roll_minutes(world)
    more(world)
    world.poll("aggregate", 0, {})
    world.clock.advance(HOUR + 5 * MINUTE)
    world.roll({})
    world.clock.advance(GRACE_MS + SECOND)
    return world.roll


def replaying(world: World) -> Callable[[Mishaps], object]:
    begin(world)
    more(world)
    world.outage("aggregate")
    return world.replay


SCENES: list[Scene] = [ingesting, counting, archiving, committing, rolling_minutes, rolling_hours, replaying]
ANYHOW = [(scene, ROUTES[0]) for scene in SCENES]
DELIVERED = [(scene, route) for scene in (counting, archiving) for route in ROUTES]


def unfold_every(scene: Scene, route: Route, kind: Mishap) -> Iterator[int]:
    """The scene again and again, the mishap one step later each time, until it comes too late to strike."""
    for step in range(200):
        with a_world(route, 8) as world:
            work = scene(world)
            world.plan.log.clear()
            world.plan.spared = SPARED
            work({step: kind})
            struck = bool(world.plan.log)
            world.settle()
            world.catch_up()
            check_audience(world)
            check_rollups(world)
            check_history(world)
        if not struck:
            return
        yield step


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    ("scene", "route"),
    list(dict.fromkeys([*ANYHOW, *DELIVERED])),
    ids=lambda value: value.name if isinstance(value, Route) else value.__name__,
)
def test_a_mishap_at_any_step_changes_nothing_in_the_end(scene: Scene, route: Route, kind: Mishap) -> None:
    assert len(list(unfold_every(scene, route, kind))) >= 1
