"""Holds what the suite tells against what the oracle makes of the accepted events alone."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from events.columns import read
from events.record import RecordHeader
from functions.audience.routes import make as make_audience
from functions.http.app import build_app
from functions.operations.routes import make as make_operations
from lab.oracle import Window, audience, longer
from shared.audience import rollup
from shared.audience.query import AudienceReader
from shared.audience.rollup import MINUTE, ROLLUPS_TABLE
from shared.dead_letters import STORE as DEAD_LETTERS
from tests.asgi import Client
from tests.property.world import SETTINGS, Told, World

RESOLUTIONS = {"5s": 5_000, "1m": 60_000, "1h": 3_600_000}
MOST_WINDOWS = 10_000
Figures = tuple[int, int, int, int, dict[str, int]]


def accepted(world: World) -> list[Told]:
    return [told for post in world.posts for told in post.accepted]


def check_audience(world: World) -> None:
    """Every figure of every window at every resolution, through the API."""
    endpoints = [*make_audience(world.ports, SETTINGS), *make_operations(world.ports, SETTINGS)]
    client = Client(build_app(endpoints, world.ports, SETTINGS, loopback=True))
    for content_id, windows in audience(accepted(world)).items():
        for resolution, length in RESOLUTIONS.items():
            expected = {start: _figures(window) for start, window in longer(windows, length).items()}
            found = dict(_told(client, content_id, resolution, length, expected))
            assert found == expected, (content_id, resolution, _differences(found, expected))
    check_completeness(world, client.get("/v1/completeness").json())


def check_completeness(world: World, told: Mapping[str, Any]) -> None:
    """It adds up, and every class is what the log and the accepted events say."""
    headers = _headers(world)
    rejected = told["late"] + sum(told["rejected"].values())
    assert told["received"] == told["counted"] + told["duplicate"] + rejected + told["sampled_out"]
    assert told["counted"] == len(accepted(world))
    # one reception counts once, however often it was appended or delivered
    receptions = {(header.record_id, header.reception): header.received for header in headers}
    if not list(world.ports.objects(DEAD_LETTERS).list()):
        assert told["received"] == sum(receptions.values())
    # of one record's receptions the dead letters keep the last: others are then lost as duplicates, with no event
    assert told["received"] <= sum(receptions.values())
    if not world.rescheduled:  # where rejections ride may hang on a schedule for the far future
        # a record of nothing but rejections is counted in the window it came in: a later retry of it, anew
        rejections = {(header.record_id, header.tally_window): sum(header.rejected.values()) for header in headers}
        assert rejected == sum(rejections.values())
        assert rejected >= sum(len(post.rejected) for post in world.posts)


def check_history(world: World) -> None:
    """Every accepted event once, and no other."""
    names = ("content_id", "event_type", "event_timestamp", "watched_ms", "country")
    rows = world.lake.snapshot().to_table(columns=list(names)).to_pylist()
    found = Counter(
        (*(row[name] for name in names[:2]), round(row["event_timestamp"].timestamp() * 1_000), *_rest(row))
        for row in rows
    )
    assert found == Counter((*(told[name] for name in names[:3]), *_rest(told)) for told in accepted(world))


def check_rollups(world: World) -> None:
    """What is stored of minutes equals what their windows give when they are rolled up once more."""
    reader = AudienceReader(world.ports)
    table = world.ports.table(ROLLUPS_TABLE)
    for content_id, windows in audience(accepted(world)).items():
        minutes = sorted(start // 60_000 for start in longer(windows, 60_000))
        for minute in minutes:
            ((_, item),) = rollup.rollups_between(table, content_id, MINUTE, minute, minute)
            ((_, anew),) = reader.minutes_from_states(content_id, minute, minute)
            assert item.value == rollup.encode(anew)


def _differences(found: Mapping[int, Figures], expected: Mapping[int, Figures]) -> list[tuple[Any, ...]]:
    starts = sorted({*found, *expected})
    pairs = [(start, found.get(start), expected.get(start)) for start in starts]
    return [pair for pair in pairs if pair[1] != pair[2]]


def _rest(values: Mapping[str, Any]) -> tuple[Any, Any]:
    return values.get("watched_ms"), values.get("country")


def _figures(window: Window) -> Figures:
    return len(window.viewers), window.concurrent, window.watched_ms, 0, dict(window.events)


def _told(
    client: Client, content_id: str, resolution: str, length: int, starts: Iterable[int]
) -> Iterator[tuple[int, Figures]]:
    for first, last in _stretches(sorted(starts), length):
        query: dict[str, Any] = {"from": first, "to": last + length, "resolution": resolution}
        answer = client.get(f"/v1/contents/{quote(content_id, safe='')}/audience", params=query)
        assert answer.status_code == 200, answer.text
        for window in answer.json()["windows"]:
            start = round(datetime.fromisoformat(window["start"]).timestamp() * 1_000)
            errors = window["viewers_error"] + window["concurrent_error"] + window["watched_ms_error"]
            sums = window["viewers"], window["concurrent"], window["watched_ms"], errors
            yield start, (*sums, window["events"])


def _stretches(starts: Sequence[int], length: int) -> Iterator[tuple[int, int]]:
    """As few (first, last) as one answer each can hold."""
    first = last = starts[0]
    for start in starts:
        if start - first >= MOST_WINDOWS * length:
            yield first, last
            first = start
        last = start
    yield first, last


def _headers(world: World) -> list[RecordHeader]:
    """Of every record in the log."""
    log = world.suite.stream("events")
    records = [record for partition in log.heads().positions for record in log.read(partition, 0, 1 << 30, 1 << 40)]
    return [read(record.body).header for record in records]
