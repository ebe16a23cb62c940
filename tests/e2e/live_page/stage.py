"""What there is to see: matches and their audiences, and names, labels and reasons that are no friends of a page."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Final
from urllib.parse import quote

import httpx

from lab.crowd.match import Match
from lab.matchday import under_way
from shared.dead_letters import DeadLetters
from shared.settings import Settings
from shared.stream import EVENT_STREAM
from tests.e2e.live_page.suite import WRITE, Suite

MARKUP: Final = "<img src=x onerror=alert(1)>"
FORMULA: Final = "=1+1"
FINAL, TITLE = "match-01", "Harbour City – Northern Stars"
UNLISTED: Final = "rehearsal"
TITLES: Final = {FINAL: TITLE, "match-02": f"Cup {MARKUP}", "match-03": FORMULA}
MARKS: Final = (("kick_off", "Kick-off"), ("goal", MARKUP), ("goal", FORMULA), ("half_time", ""))
PAST_SECONDS: Final = 1_800
PATIENCE_SECONDS: Final = 60


@dataclass(frozen=True)
class Stage:
    """A suite with an audience."""

    suite: Suite
    match: Match

    @property
    def url(self) -> str:
        return self.suite.url

    def ask(self, path: str, **query: Any) -> Any:
        with self.suite.client as client:
            return client.get(path, params=query).raise_for_status().json()

    def address(self, content_id: str, rest: str = "") -> str:
        return f"/v1/contents/{quote(content_id, safe='')}{rest}"


@contextmanager
def set_stage(suite: Suite) -> Iterator[Stage]:
    """Half an hour of a match is over and it goes on until the block ends."""
    key = WRITE if suite.keyed else None
    with suite.client as client, under_way(suite.url, past_seconds=PAST_SECONDS, key=key) as match:
        _post(suite, [_event(MARKUP, number) for number in range(5)])
        _post(suite, [_event(UNLISTED, number) for number in range(5)])
        _post(suite, [_event("warm-up", number, ago=7_200 - 600 * number) for number in range(6)])
        for content_id, title in TITLES.items():
            _entitle(client, content_id, title, starts=match.start_ms / 1000)
        _entitle(client, UNLISTED, f"Rehearsal {MARKUP}")
        _entitle(client, "warm-up", f"Warm-up {FORMULA}", starts=time.time() - 7_200, ends=time.time() - 3_000)
        _entitle(client, "next", f"Third place {MARKUP}", starts=time.time() + 3_600)
        _entitle(client, "late", "Late kick-off", starts=time.time() - 600)
        client.put(f"/v1/contents/{UNLISTED}/listing", json={"listed": False}).raise_for_status()
        for number, (kind, label) in enumerate(MARKS):
            at = match.start_ms + (number + 1) * PAST_SECONDS * 200
            mark = {"at": at, "kind": kind, "label": label}
            client.post(f"/v1/contents/{FINAL}/marks", json=mark).raise_for_status()
        _write_dead_letters(suite)
        stage = Stage(suite, match)
        eventually(lambda: stage.ask(f"/v1/contents/{FINAL}/audience/now")["concurrent"])
        hours = count(1)  # another address each time, since an answer from the history is kept for a while
        eventually(lambda: stage.ask("/v1/preferences/top", window=f"{next(hours)}h", by="country")["segments"])
        yield stage


def eventually(question: Any) -> Any:
    """The first answer that is not empty; what is refused meanwhile is asked again."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if answer := question():
                return answer
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, f"nothing after {PATIENCE_SECONDS} s"
        time.sleep(0.2)


def _event(content_id: str, number: int, *, ago: float = 1) -> dict[str, Any]:
    """A report in which whatever may be free text is markup or a formula."""
    return {
        "event_id": f"{content_id}-{number}-{time.time_ns()}",
        "viewer_id": f"viewer-{number}",
        "content_id": content_id,
        "event_type": "heartbeat",
        "event_timestamp": int((time.time() - ago) * 1000),
        "watched_ms": 9_000,
        "device_type": MARKUP,
        "tier": FORMULA,
        "quality_level": MARKUP,
        "report_every_seconds": 90,
    }


def _post(suite: Suite, events: list[dict[str, Any]]) -> None:
    headers = {"authorization": f"Bearer {WRITE}"} if suite.keyed else {}
    httpx.post(f"{suite.url}/v1/events", json=events, headers=headers).raise_for_status()


def _entitle(
    client: httpx.Client, content_id: str, title: str, *, starts: float | None = None, ends: float | None = None
) -> None:
    entry = {"title": title, "starts_at": _rfc3339(starts), "ends_at": _rfc3339(ends)}
    client.put(f"/v1/contents/{quote(content_id, safe='')}", json=entry).raise_for_status()


def _rfc3339(seconds: float | None) -> str | None:
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _write_dead_letters(suite: Suite) -> None:
    """Records as they were appended, said to have failed for reasons that nobody would choose."""
    with suite.ports() as own:
        stream = own.stream(EVENT_STREAM)
        records = [record for each in stream.heads().positions for record in stream.read(each, 0, 2, 10**6)]
        letters = DeadLetters(own.ports, Settings())
        for record, reason in zip(records, (MARKUP, FORMULA, FORMULA), strict=False):
            letters.put(record, reason, "aggregate")
