"""The catalogue: what is read back, what is refused, and that nobody's change is lost."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.contents.models import EntryAnswer
from lab.memory import MemoryClock, MemorySuite
from shared.contents.catalogue import DAY_KEPT_MS, Catalogue, Entry, Stored
from shared.errors import CorruptData, Unavailable
from shared.units import DAY_MS, HOUR_MS
from tests.builders import KICK_OFF
from tests.unit.audience.stage import PUBLISH
from tests.unit.contents.stage import Stage, path


@pytest.mark.parametrize("content_id", ["derby", "a/b", "x/audience", "y/marks/1", "~" + "0" * 32, "ß" * 128, "%\n#"])
def test_what_is_put_is_read_back(content_id: str) -> None:
    stage = Stage()
    body = {"title": "<b>=Final</b>", "starts_at": "2026-10-28T19:00:00.5+01:00", "ends_at": KICK_OFF + HOUR_MS}
    made = stage.client.put(path(content_id), json=body)
    assert made.status_code == 201
    read = stage.client.get(path(content_id))
    told = EntryAnswer.model_validate_json(read.content).model_dump()
    assert (
        told
        == made.json()
        == {
            "content_id": content_id,
            "title": "<b>=Final</b>",
            "starts_at": "2026-10-28T18:00:00.500Z",
            "ends_at": "2026-10-28T19:00:00Z",
            "version": told["version"],
        }
    )
    assert read.headers["etag"] == made.headers["etag"] == f'"{told["version"]}"'
    assert stage.client.put(path(content_id), json={"title": "Replay"}).status_code == 200
    assert stage.client.get(path(content_id)).json()["starts_at"] is None
    assert stage.client.request("DELETE", path(content_id)).status_code == 204
    assert stage.client.get(path(content_id)).status_code == 404
    assert stage.client.request("DELETE", path(content_id)).status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": " \n"},
        {"title": "x" * 201},
        {"title": 7},
        {"title": "Final", "starts_at": "tomorrow"},
        {"title": "Final", "starts_at": True},
        {"title": "Final", "starts_at": -1},
        {"title": "Final", "starts_at": KICK_OFF, "ends_at": KICK_OFF},
        {"title": "Final", "name": "Final"},
    ],
)
def test_an_entry_that_is_none_is_refused(body: dict[str, Any]) -> None:
    answer = Stage().client.put(path("derby"), json=body)
    assert (answer.status_code, '{"title": "Final"' in answer.json()["detail"]) == (400, True)


def test_an_id_that_no_event_can_have_is_refused() -> None:
    assert Stage().put("x" * 257).status_code == 400


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("PUT", {"If-Match": "{etag}"}, 200),
        ("PUT", {"If-Match": '"other", {etag}'}, 200),
        ("PUT", {"If-Match": "*"}, 200),
        ("PUT", {"If-Match": '"other"'}, 412),
        ("PUT", {"If-Match": "W/{etag}"}, 412),
        ("PUT", {"If-Match": "unquoted"}, 400),
        ("PUT", {"If-None-Match": "*"}, 412),
        ("PUT", {"If-None-Match": "{etag}"}, 412),
        ("PUT", {"If-None-Match": '"other"'}, 200),
        ("DELETE", {"If-Match": '"other"'}, 412),
        ("DELETE", {"If-Match": "{etag}"}, 204),
        ("GET", {"If-None-Match": "{etag}"}, 304),
        ("GET", {"If-None-Match": 'W/{etag}, "other"'}, 304),
        ("GET", {"If-None-Match": '"other"'}, 200),
        ("GET", {"If-None-Match": "{"}, 200),
    ],
)
def test_a_condition_is_held_to(method: str, headers: dict[str, str], status: int) -> None:
    stage = Stage()
    etag = stage.put("derby").headers["etag"]
    sent = {name: value.replace("{etag}", etag) for name, value in headers.items()}
    answer = stage.client.request(
        method, path("derby"), headers=sent, **({"json": {"title": "New"}} if method == "PUT" else {})
    )
    assert answer.status_code == status
    title = Catalogue(stage.ports).titles(["derby"]).get("derby")
    assert title == {200: "New" if method == "PUT" else "Final", 204: None}.get(status, "Final")
    if status == 412:
        assert answer.json()["type"] == "/docs#problem-version"


@pytest.mark.parametrize(
    ("headers", "status"), [({"If-None-Match": "*"}, 201), ({"If-Match": "*"}, 412), ({"If-Match": '"1"'}, 412)]
)
def test_a_condition_on_what_is_not_there(headers: dict[str, str], status: int) -> None:
    stage = Stage()
    assert stage.put("derby", headers=headers).status_code == status
    assert (stage.client.get(path("derby")).status_code == 200) is (status == 201)


def test_of_many_who_change_the_same_version_one_does() -> None:
    stage = Stage()
    etag = stage.put("derby").headers["etag"]

    async def change() -> list[int]:
        changes = (
            stage.client.send("PUT", path("derby"), json={"title": f"Title {n}"}, headers={"If-Match": etag})
            for n in range(20)
        )
        return [answer.status_code for answer in await asyncio.gather(*changes)]

    assert sorted(asyncio.run(change())) == [200] + [412] * 19


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_who_changes_it_between_reading_and_writing_is_not_overwritten(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage()
    etag = stage.put("derby").headers["etag"]
    read = Catalogue.get

    def read_then_changed(self: Catalogue, content_id: str) -> Stored | None:
        found = read(self, content_id)
        self.put(Entry(content_id, "Somebody else's"))
        return found

    monkeypatch.setattr(Catalogue, "get", read_then_changed)
    changed = stage.client.request(method, path("derby"), json={"title": "Mine"}, headers={"If-Match": etag})
    assert changed.status_code == 412
    monkeypatch.undo()
    assert stage.client.get(path("derby")).json()["title"] == "Somebody else's"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_an_operator_reads_and_writes_the_catalogue(method: str) -> None:
    stage = Stage(loopback=False)
    assert stage.client.request(method, path("derby")).status_code == 401
    assert stage.client.request(method, path("derby"), headers=PUBLISH).status_code == 403


def test_titles_stand_beside_the_most_watched() -> None:
    stage = Stage()
    stage.watch("derby", 2, watched_ms=1_000)
    stage.watch("unnamed", 1, watched_ms=1_000)
    stage.put("derby", "Harbour City – Northern Stars")
    contents = stage.at(1_000).client.get("/v1/contents/top").json()["contents"]
    assert [(one["content_id"], one["title"]) for one in contents] == [
        ("derby", "Harbour City – Northern Stars"),
        ("unnamed", None),
    ]


def entry(content_id: str, starts_at: int | None = None, ends_at: int | None = None) -> Entry:
    return Entry(content_id, content_id, starts_at, ends_at)


def test_a_crash_between_the_two_writes_leaves_nothing_that_a_second_put_does_not_mend() -> None:
    suite = MemorySuite(MemoryClock(KICK_OFF))
    catalogue, table = Catalogue(suite.ports), suite.ports.table("contents")
    catalogue.put(entry("derby", KICK_OFF))
    put, writes = table.put, 0

    def dying(partition: str, sort: str, value: bytes, **options: Any) -> str:
        nonlocal writes
        writes += 1
        if partition.startswith("entry#"):
            raise Unavailable("the process was killed")
        return put(partition, sort, value, **options)

    vars(table)["put"] = dying
    later = entry("derby", KICK_OFF + 3 * DAY_MS)
    with pytest.raises(Unavailable):
        catalogue.put(later)
    del vars(table)["put"]
    assert writes == 2
    assert catalogue.between(KICK_OFF, KICK_OFF + DAY_MS) == {"derby": entry("derby", KICK_OFF)}
    assert catalogue.between(KICK_OFF + 2 * DAY_MS, KICK_OFF + 4 * DAY_MS) == {}
    catalogue.put(later)
    assert catalogue.between(KICK_OFF, KICK_OFF + DAY_MS) == {}
    assert catalogue.between(KICK_OFF + 2 * DAY_MS, KICK_OFF + 4 * DAY_MS) == {"derby": later}


def test_an_entry_that_cannot_be_read_is_said_to_be() -> None:
    suite = MemorySuite()
    suite.ports.table("contents").put("entry#derby", "entry", b"{")
    with pytest.raises(CorruptData, match="catalogue"):
        Catalogue(suite.ports).get("derby")


MOMENTS = st.one_of(st.none(), st.integers(KICK_OFF - 2 * DAY_MS, KICK_OFF + 9 * DAY_MS))
CHANGES = st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), MOMENTS, MOMENTS), max_size=12)
RANGES = st.tuples(*[st.integers(KICK_OFF - DAY_KEPT_MS // 2, KICK_OFF + 9 * DAY_MS)] * 2)


@settings(max_examples=80, deadline=None)
@given(CHANGES, RANGES)
def test_what_begins_or_ends_in_a_stretch_is_found_whatever_was_changed(
    changes: list[tuple[str, bool, int | None, int | None]], stretch: tuple[int, int]
) -> None:
    catalogue = Catalogue(MemorySuite(MemoryClock(KICK_OFF)).ports)
    kept: dict[str, Entry] = {}
    for content_id, gone, starts_at, ends_at in changes:
        kept[content_id] = entry(content_id, starts_at, ends_at)
        catalogue.put(kept[content_id])
        if gone:
            catalogue.delete(kept.pop(content_id).content_id)
    since, until = sorted(stretch)
    expected = {
        name: one
        for name, one in kept.items()
        if any(moment is not None and since <= moment < until for moment in (one.starts_at, one.ends_at))
    }
    assert catalogue.between(since, until) == expected
    assert catalogue.entries("abc") == kept
