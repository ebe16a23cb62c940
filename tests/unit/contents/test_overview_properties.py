"""Whatever is on and whoever may see it: the overview leaves nothing out, adds nothing and tells no secret."""

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contents import overview as module
from shared.contents.search import folded
from shared.units import HOUR_MS, MINUTE_MS
from tests.builders import KICK_OFF
from tests.unit.audience.stage import OPERATOR, PUBLISH
from tests.unit.contents.stage import Stage

NOW_MS = 10 * MINUTE_MS
TITLES = ("Final", "Fïnal", "Derby", "<b>", "=1+1")


class Told(NamedTuple):
    """One content: who watches now, who watched a while ago, what the catalogue says, whether it is listed."""

    now: int
    before: int
    title: str | None
    starts_at: int | None
    ends_at: int | None
    listed: bool


MOMENTS = st.one_of(st.none(), st.sampled_from([-HOUR_MS, -MINUTE_MS, NOW_MS - 1, NOW_MS + MINUTE_MS, HOUR_MS]))
CONTENTS = st.lists(
    st.builds(
        Told,
        st.integers(0, 4),
        st.integers(0, 3),
        st.one_of(st.none(), st.sampled_from(TITLES)),
        MOMENTS,
        MOMENTS,
        st.booleans(),
    ).filter(lambda one: one.starts_at is None or one.ends_at is None or one.starts_at < one.ends_at),
    max_size=7,
)


def staged(contents: list[Told]) -> Stage:
    stage = Stage(loopback=False)
    for number, one in enumerate(contents):
        name = f"content-{number}"
        if one.before:
            stage.watch(name, one.before, MINUTE_MS)
        if one.now:
            stage.watch(name, one.now, NOW_MS - 1_000)
        if one.title is not None:
            times = {"starts_at": one.starts_at, "ends_at": one.ends_at}
            told = {key: None if at is None else KICK_OFF + at for key, at in times.items()}
            assert stage.put(name, one.title, headers=OPERATOR, **told).status_code == 201
        if not one.listed:
            stage.client.put(f"/v1/contents/{name}/listing", json={"listed": False}, headers=OPERATOR)
    return stage.at(NOW_MS)


def named(seen: dict[str, Any], *lists: str) -> list[str]:
    return [one["content_id"] for name in lists for one in seen[name]]


@settings(max_examples=40, deadline=None)
@given(CONTENTS, st.sampled_from(["", "final", "content", "-1", "<B", "nowhere"]), st.integers(1, 5))
def test_an_overview_tells_every_content_once_and_no_secret(contents: list[Told], asked: str, limit: int) -> None:
    stage = staged(contents)
    for key in (PUBLISH, OPERATOR):
        seen, everything = stage.overview(key, q=asked, limit=limit), stage.overview(key, q=asked, limit=200)
        shown = {
            f"content-{number}": one
            for number, one in enumerate(contents)
            if (one.listed or key is OPERATOR)
            and (folded(asked) in f"content-{number}" or folded(asked) in folded(one.title or ""))
        }
        assert {*named(everything, "live", "upcoming", "ended")} <= {*shown}
        assert {name for name, one in shown.items() if one.now} <= {*named(everything, "live")}
        assert (everything["more"], seen["live"]) == (0, everything["live"][:limit])
        assert seen["more"] + len(seen["live"]) == len(everything["live"])
        assert (seen["upcoming"], seen["ended"]) == (everything["upcoming"], everything["ended"])
        placed = [(-one["concurrent"], one["content_id"]) for one in everything["live"]]
        assert placed == sorted(placed)
        once = named(everything, "live", "upcoming", "ended")
        assert len(once) == len({*once})


@settings(max_examples=40, deadline=None)
@given(CONTENTS, st.integers(1, 3))
def test_the_public_see_what_they_would_if_nothing_unlisted_were_there(contents: list[Told], limit: int) -> None:
    nothing = Told(0, 0, None, None, None, listed=True)
    without = staged([one if one.listed else nothing for one in contents])
    assert staged(contents).overview(PUBLISH, limit=limit) == without.overview(PUBLISH, limit=limit)


def test_of_more_than_are_considered_those_that_were_watched_most_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONSIDERED", 4)
    stage = Stage()
    for number in range(9):
        stage.watch(f"content-{number}", number + 1, watched_ms=1_000)
    seen = stage.at(1_000).overview(limit=2)
    assert ([one["concurrent"] for one in seen["live"]], seen["more"]) == ([9, 8], 7)


def test_what_is_only_said_to_be_on_takes_no_place_of_what_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONSIDERED", 4)
    stage = Stage()
    for number in range(9):
        stage.put(f"announced-{number}", starts_at=KICK_OFF - MINUTE_MS, ends_at=KICK_OFF + HOUR_MS)
    for number in range(5):
        stage.watch(f"content-{number}", number + 1)
    seen = stage.at(1_000).overview(limit=2)
    assert ([one["concurrent"] for one in seen["live"]], seen["more"]) == ([5, 4], 3)
    assert len(seen["upcoming"]) == 9


def test_what_is_too_new_to_be_compared_is_considered_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONSIDERED", 4)
    stage = Stage()
    for number in range(5):
        stage.watch(f"content-{number}", 2)
    assert stage.at(1_000).overview(limit=2)["more"] == 3
    stage.watch("new", 7)
    seen = stage.at(3_000).overview(limit=2)
    assert ([one["concurrent"] for one in seen["live"]], seen["more"]) == ([7, 2], 4)
