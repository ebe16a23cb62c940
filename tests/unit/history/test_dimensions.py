"""dim_content says which contents there are, dim_users what viewers agreed to be known by."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from functions.dimensions.handler import make
from lab.faults import Crash, Mishap, Plan
from shared.history.dimensions import update_contents, update_users
from shared.history.lake import Lake
from shared.history.tables import CONTENT, USERS
from shared.settings import Settings
from shared.stream import NO_DEADLINE
from shared.units import HOUR_MS
from shared.viewing.attributes import erase_attributes, put_attributes
from tests.builders import KICK_OFF, delivered, event, packed, pseudonym
from tests.unit.history.world import FaultyLake, World

ADA, BOB = pseudonym("ada"), pseudonym("bob")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def rows(world: World, name: str) -> list[dict[str, Any]]:
    return Lake(str(world.folder), {}, name).snapshot().to_table().to_pylist()


def update(world: World) -> None:
    make(world.ports, Settings())(NO_DEADLINE)


def report(world: World, content_id: str, at: int, **fields: Any) -> None:
    header = {"content_type": fields.pop("content_type", None)}
    world.stage(delivered(packed([event(content_id=content_id, event_timestamp=at, **fields)], **header)))
    world.commit()


def moment(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1_000, dt.UTC)


def test_a_content_is_there_once_with_when_it_was_seen(world: World) -> None:
    report(world, "match", KICK_OFF, content_type="live")
    report(world, "film", KICK_OFF + 5, content_type="vod", extra={"title": "The Film"})
    update(world)
    report(world, "match", KICK_OFF + HOUR_MS)
    report(world, "match", KICK_OFF - HOUR_MS)
    update(world)
    assert rows(world, CONTENT) == [
        {
            "content_id": "film",
            "content_type": "vod",
            "title": "The Film",
            "first_seen": moment(KICK_OFF + 5),
            "last_seen": moment(KICK_OFF + 5),
        },
        {
            "content_id": "match",
            "content_type": "live",
            "title": None,
            "first_seen": moment(KICK_OFF - HOUR_MS),
            "last_seen": moment(KICK_OFF + HOUR_MS),
        },
    ]


def test_nothing_new_makes_no_commit(world: World) -> None:
    report(world, "match", KICK_OFF)
    contents = Lake(str(world.folder), {}, CONTENT)
    assert update_contents(world.lake, contents)
    assert not update_contents(world.lake, contents)


def test_an_update_that_is_cut_off_is_made_good(world: World) -> None:
    report(world, "match", KICK_OFF)
    for mishap in (Mishap.CRASH_BEFORE, Mishap.CRASH_AFTER):
        with pytest.raises(Crash):
            update_contents(world.lake, FaultyLake(str(world.folder), Plan([mishap]), CONTENT))
    update(world)
    assert [row["content_id"] for row in rows(world, CONTENT)] == ["match"]


def test_users_are_those_who_agreed(world: World) -> None:
    viewers = world.ports.table("viewers")
    put_attributes(viewers, ADA, {"country": "NO", "join_date": "2024-02-29"}, 10, "analytics")
    put_attributes(viewers, BOB, {"country": "SE"}, 10, "none")
    update(world)
    nothing = dict.fromkeys(("age_group", "language", "subscription"))
    assert rows(world, USERS) == [
        {"viewer_id": ADA.hex(), "country": "NO", "join_date": "2024-02-29", **nothing},
    ]


def test_a_user_who_withdraws_is_no_longer_there(world: World) -> None:
    viewers = world.ports.table("viewers")
    put_attributes(viewers, ADA, {"country": "NO"}, 10, "analytics")
    users = Lake(str(world.folder), {}, USERS)
    assert update_users(viewers, users)
    assert not update_users(viewers, users)
    erase_attributes(viewers, ADA, 20)
    assert update_users(viewers, users)
    assert rows(world, USERS) == []
