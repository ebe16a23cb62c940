"""Players that nobody here wrote report to a running suite while they play in a real browser."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.players.driving import eventually, now, opened, told, until_played, values, whole_session
from tests.e2e.players.origin import serve_origin
from tests.e2e.players.stream import HIGH_KBPS, LOW_KBPS, SECONDS

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("players")]


@contextmanager
def forwarded_to(suite: str) -> Iterator[Callable[[str, Mapping[str, str]], None]]:
    """A request log, each line of which reaches `/v1/cmcd` as it is written, as from a CDN's real-time log."""
    lines: SimpleQueue[tuple[str, Mapping[str, str]] | None] = SimpleQueue()
    refused: list[str] = []

    def forward() -> None:
        with httpx.Client() as client:
            while (line := lines.get()) is not None:
                target, headers = line
                query = target.partition("?")[2]
                if query.startswith("CMCD="):
                    sent = client.get(f"{suite}/v1/cmcd?{query}", headers={"user-agent": headers["User-Agent"]})
                    if sent.status_code != httpx.codes.NO_CONTENT:
                        refused.append(f"{sent.status_code} {query}")

    thread = Thread(target=forward, name="forward")
    thread.start()
    try:
        yield lambda target, headers: lines.put((target, headers))
    finally:
        lines.put(None)
        thread.join()
    assert refused == []


@contextmanager
def playing(browser: Browser, origin: str, page: str, **parameters: str) -> Iterator[Page]:
    """A tab in which a player plays."""
    with opened(browser, origin, page, **parameters) as tab:
        until_played(tab, 1)
        yield tab


def session_with(suite: str, content: str, state: str) -> list[dict[str, Any]]:
    """The session's windows, once the player's state and its buffer have been reported."""

    def question() -> list[dict[str, Any]]:
        windows = whole_session(suite, content)
        return windows if state in values(windows, "player_state") and any(told(windows, "buffer_ms")) else []

    found: list[dict[str, Any]] = eventually(question)
    return found


def assert_live(suite: str, content: str) -> None:
    live = eventually(lambda: (found := now(suite, content)) and found["concurrent"] and found)
    assert (live["viewers"], live["concurrent"]) == (1, 1)


def assert_plausible(windows: list[dict[str, Any]]) -> None:
    """One viewer who played one of the stream's renditions from a short buffer."""
    assert {window["viewers"] for window in windows} == {1}
    assert min(told(windows, "bitrate_kbps")) >= LOW_KBPS
    assert max(told(windows, "bitrate_kbps")) <= 1.2 * HIGH_KBPS
    assert max(told(windows, "buffer_ms")) <= SECONDS * 1000
    assert min(told(windows, "throughput_kbps")) > 0
    assert all(window["errors"] == 0 for window in windows)


def test_a_session_of_hls_js_shows_up_through_the_request_log(
    player_browser: Browser, stream: Path, suite_server: str
) -> None:
    content, session = "hls-match", str(uuid4())
    with (
        forwarded_to(suite_server) as log,
        serve_origin(stream, log) as origin,
        playing(player_browser, origin, "hls.html", stream="/stream/master.m3u8", content=content, session=session),
    ):
        assert_live(suite_server, content)
        assert_plausible(session_with(suite_server, content, "playing"))


def test_a_session_of_dash_js_reports_itself_in_cmcd_v2_event_mode(
    player_browser: Browser, stream: Path, suite_server: str
) -> None:
    content, target = "dash-match", f"{suite_server}/v1/cmcd"
    options = {"stream": "/stream/manifest.mpd", "content": content, "session": str(uuid4()), "target": target}
    with (
        serve_origin(stream, lambda *_: None) as origin,
        playing(player_browser, origin, "dash.html", **options) as tab,
    ):
        assert_live(suite_server, content)
        tab.evaluate("player.pause()")
        windows = session_with(suite_server, content, "paused")
    assert_plausible(windows)
    assert "playing" in values(windows, "player_state")
    assert sum(window["events"].get("pause", 0) for window in windows) == 1
