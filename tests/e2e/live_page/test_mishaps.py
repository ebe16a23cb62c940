"""What happens to a page that is left open: the suite restarts, the network goes, the computer sleeps."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from lab.browser import until
from tests.e2e.live_page.driver import Observed, observed, said
from tests.e2e.live_page.exported import sheet
from tests.e2e.live_page.stage import FINAL, Stage, set_stage
from tests.e2e.live_page.suite import serving

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("live-page")]

CONTENT = f"#/contents/{FINAL}"
CONCURRENT = said("content.chart_concurrent")
AWAY_MS = 12_000


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A suite that nobody else looks at."""
    folder: Path = tmp_path_factory.mktemp("restarted")
    with serving(folder) as suite, set_stage(suite) as staged:
        yield staged


def told(tab: Observed, *keys: str) -> None:
    """Wait until the page says one of these."""
    names = [said(f"states.{key}_title") for key in keys]
    until(tab.page, BANNER, names, patience_ms=40_000)


BANNER = """(names) => {
  const banner = document.querySelector("gs-app").shadowRoot.querySelector("gs-banner").shadowRoot;
  return names.some((name) => banner.textContent.includes(name));
}"""


def assert_whole(tab: Observed, since: float) -> None:
    """The curve is there for all of the time, to the window that has just ended."""
    deadline = time.monotonic() + 30
    while (found := sheet(tab.page, CONCURRENT)).gaps(since) or found.times()[-1] < time.time() - 15:
        assert time.monotonic() < deadline, found.gaps(since)
        tab.page.wait_for_timeout(500)


@pytest.mark.parametrize("route", ["#/", CONTENT, "#/health"])
def test_a_restart_of_the_suite_is_said_and_heals(browser: Browser, own: Stage, route: str) -> None:
    with observed(browser, own.url) as tab:
        tab.passing = ["Failed to load resource"]
        tab.open(route)
        opened = time.time()
        own.suite.stop()
        told(tab, "unreachable", "restarting")
        tab.page.wait_for_timeout(AWAY_MS if route == CONTENT else 0)
        own.suite.start()
        told(tab, "back")
        if route == CONTENT:
            assert_whole(tab, opened - 300)


def test_a_network_that_is_gone_is_said_and_heals_without_a_gap(tab: Observed) -> None:
    tab.passing = ["Failed to load resource"]
    tab.open(CONTENT)
    opened = time.time()
    tab.context.set_offline(True)
    told(tab, "offline")
    tab.page.wait_for_timeout(AWAY_MS)
    tab.context.set_offline(False)
    told(tab, "back")
    assert_whole(tab, opened - 300)


def test_a_page_that_slept_shows_what_it_missed(tab: Observed, browser: Browser) -> None:
    tab.open(CONTENT)
    opened = time.time()
    with asleep(browser):
        polls = len(tab.asked("/audience/now"))
        time.sleep(AWAY_MS / 1000)
        assert len(tab.asked("/audience/now")) == polls
    assert_whole(tab, opened - 300)


@contextmanager
def asleep(browser: Browser) -> Iterator[None]:
    """The pages' processes stand still, as when a lid is closed."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [process["id"] for process in processes if process["type"] == "renderer"]
    try:
        for page in pages:
            os.kill(page, signal.SIGSTOP)
        yield
    finally:
        for page in pages:
            os.kill(page, signal.SIGCONT)


def test_a_page_that_nobody_looks_at_asks_rarely(tab: Observed) -> None:
    tab.open(CONTENT)
    tab.page.wait_for_timeout(6_000)
    visible = len(tab.asked("/audience/now"))
    tab.page.evaluate(HIDE, True)
    tab.page.wait_for_timeout(1_500)
    asked = len(tab.asked("/audience/now"))
    tab.page.wait_for_timeout(6_000)
    assert len(tab.asked("/audience/now")) - asked <= 1 < visible - 2
    tab.page.evaluate(HIDE, False)
    tab.page.wait_for_timeout(1_000)
    assert len(tab.asked("/audience/now")) > asked


HIDE = """(hidden) => {
  const say = (name, value) => Object.defineProperty(document, name, { configurable: true, get: () => value });
  say("hidden", hidden);
  say("visibilityState", hidden ? "hidden" : "visible");
  document.dispatchEvent(new Event("visibilitychange"));
}"""
