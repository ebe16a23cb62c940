"""Players that nobody here wrote report to a running suite while they play in a real browser."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.players.origin import PLAYERS, serve_origin
from tests.e2e.players.stream import HIGH_KBPS, LOW_KBPS, SECONDS, make_stream

WAIT_SECONDS = 60
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("players")]


def needed(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed; `grandstand doctor` says how to get it")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = needed("chromium")
    if not (PLAYERS / "node_modules").is_dir():
        pytest.skip("hls.js and dash.js are not installed; tests/tools installs them with npm")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(BROWSER_FLAGS))
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needed("ffmpeg")
    folder = tmp_path_factory.mktemp("stream")
    make_stream(folder)
    return folder


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
    """A tab in which a player plays; errors of the page fail the test."""
    tab = browser.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(f"{origin}/pages/{page}?{urlencode(parameters)}")
    tab.wait_for_function("document.querySelector('video').currentTime > 1", timeout=WAIT_SECONDS * 1000)
    yield tab
    tab.close()
    assert errors == []


def now(suite: str, content: str) -> dict[str, Any]:
    answer = httpx.get(f"{suite}/v1/contents/{content}/audience/now")
    if answer.status_code == httpx.codes.NOT_FOUND:  # nothing has been reported yet
        return {}
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def whole_session(suite: str, content: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{suite}/v1/contents/{content}/audience", params={"resolution": "5s"}).raise_for_status()
    windows: list[dict[str, Any]] = answer.json()["windows"]
    return windows


def eventually(question: Callable[[], Any]) -> Any:
    """The first answer that is not empty."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.25)
    pytest.fail(f"nothing after {WAIT_SECONDS} s")


def told(windows: list[dict[str, Any]], figure: str) -> list[float]:
    """A figure's values in the windows that have one."""
    return [window[figure] for window in windows if window[figure] is not None]


def states(windows: list[dict[str, Any]]) -> set[str]:
    return {share["value"] for window in windows for share in window["by"]["player_state"]}


def session_with(suite: str, content: str, state: str) -> list[dict[str, Any]]:
    """The session's windows, once the player's state and its buffer have been reported."""

    def question() -> list[dict[str, Any]]:
        windows = whole_session(suite, content)
        return windows if state in states(windows) and any(told(windows, "buffer_ms")) else []

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
    browser: Browser, stream: Path, suite_server: str
) -> None:
    content, session = "hls-match", str(uuid4())
    with (
        forwarded_to(suite_server) as log,
        serve_origin(stream, log) as origin,
        playing(browser, origin, "hls.html", stream="/stream/master.m3u8", content=content, session=session),
    ):
        assert_live(suite_server, content)
        assert_plausible(session_with(suite_server, content, "playing"))


def test_a_session_of_dash_js_reports_itself_in_cmcd_v2_event_mode(
    browser: Browser, stream: Path, suite_server: str
) -> None:
    content, target = "dash-match", f"{suite_server}/v1/cmcd"
    options = {"stream": "/stream/manifest.mpd", "content": content, "session": str(uuid4()), "target": target}
    with (
        serve_origin(stream, lambda *_: None) as origin,
        playing(browser, origin, "dash.html", **options) as tab,
    ):
        assert_live(suite_server, content)
        tab.evaluate("player.pause()")
        windows = session_with(suite_server, content, "paused")
    assert_plausible(windows)
    assert "playing" in states(windows)
    assert sum(window["events"].get("pause", 0) for window in windows) == 1
