"""What the tests with real players share: tabs in which one plays, and the audience that the suite makes of it."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

WAIT_SECONDS = 60


def needed(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed; `grandstand doctor` says how to get it")
    return path


@contextmanager
def opened(where: Browser | BrowserContext, origin: str, page: str, **parameters: str) -> Iterator[Page]:
    """A tab on one of the players' pages; errors of the page fail the test."""
    tab = where.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(f"{origin}/pages/{page}?{urlencode(parameters)}")
    yield tab
    tab.close()
    assert errors == []


def until_played(tab: Page, seconds: float) -> None:
    """Wait until the tab's video is that far."""
    tab.wait_for_function(
        "seconds => document.querySelector('video').currentTime > seconds",
        arg=seconds,
        timeout=WAIT_SECONDS * 1000,
    )


def now(suite: str, content: str) -> dict[str, Any]:
    """The newest windows, or nothing as long as nothing has been reported."""
    answer = httpx.get(f"{suite}/v1/contents/{content}/audience/now")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return {}
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def whole_session(suite: str, content: str) -> list[dict[str, Any]]:
    """All windows of 5 s, or none as long as nothing has been reported."""
    answer = httpx.get(f"{suite}/v1/contents/{content}/audience", params={"resolution": "5s"})
    if answer.status_code == httpx.codes.NOT_FOUND:
        return []
    windows: list[dict[str, Any]] = answer.raise_for_status().json()["windows"]
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


def values(windows: list[dict[str, Any]], split: str) -> set[str]:
    """What the windows' events had for a property."""
    return {share["value"] for window in windows for share in window["by"][split]}
