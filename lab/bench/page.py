"""The live page in Chromium: what a first view weighs, whether it stands still, what a thousand of them cost."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from math import nan
from typing import Final

from playwright.sync_api import Browser, CDPSession, Page

from adapters.local.page import is_built
from lab.bench.figure import Figure
from lab.bench.served import suite
from lab.browser import NoChromium, chromium, settle, until
from lab.crowd.match import Match
from lab.edge import Recorder, of_api, requests_of
from lab.matchday import under_way

PAST_SECONDS: Final = 3_700
"""More than the hour that is shown: then as many windows go as come."""
WARM_SECONDS: Final = 90
WATCHED_SECONDS: Final = 60
SAMPLED_SECONDS: Final = 10
PHASE_SECONDS: Final = 5
KIB: Final = 1024
SHIFTS: Final = """
window.shifts = [];
new PerformanceObserver((list) => shifts.push(...list.getEntries().filter((one) => !one.hadRecentInput)))
  .observe({ type: "layout-shift", buffered: true });
window.painted = 0;
new PerformanceObserver((list) => { painted = list.getEntries().at(-1).startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
"""


def figures() -> list[Figure]:
    """Of a match with 300 viewers, an hour of which is over. Without Chromium there is nothing to measure."""
    if not is_built():
        return [Figure("the live page", nan, "", note="it is not built: make web")]
    try:
        with chromium() as browser, suite() as served, _match(served.url) as match:
            return list(measured(browser, served.url, f"#/contents/{match.content_ids[0]}"))
    except NoChromium as missing:
        return [Figure("the live page", nan, "", note=str(missing))]


def _match(url: str) -> AbstractContextManager[Match]:
    return under_way(url, past_seconds=PAST_SECONDS, seconds=2 * PAST_SECONDS)


def measured(browser: Browser, url: str, content: str) -> Iterator[Figure]:
    """First views of the overview and of a content, then a minute of live updates of each."""
    for name, route in (("overview", "#/"), ("content", content)):
        with opened(browser, f"{url}/{route}") as tab:
            yield Figure(f"{name}: first view, gzipped", tab.weight() / KIB, "KiB", 150, "all but data", at_most=True)
            yield Figure(f"{name}: first figures after", tab.first_figures, "s", note="nothing cached, cores shared")
            yield Figure(f"{name}: largest contentful paint", tab.page.evaluate("painted") / 1000, "s")
            tab.wait(WARM_SECONDS)
            heap, nodes = tab.watched()
            later, more_nodes = tab.watched()
            shift = tab.page.evaluate("shifts.reduce((sum, one) => sum + one.value, 0)")
            polls = tab.recorder.polls(WATCHED_SECONDS)
            note = f"least after gc in {WATCHED_SECONDS} s of updates, against the {WATCHED_SECONDS} s before"
        told = "load and updates; a number that grows to its left counts as well"
        yield Figure(f"{name}: layout shift", shift, "CLS", 0.01, told, at_most=True)
        yield Figure(f"{name}: heap", later / KIB, "KiB", note=f"least after gc in {WATCHED_SECONDS} s of updates")
        yield Figure(f"{name}: heap growth", (later - heap) / KIB, "KiB", 100, note, at_most=True)
        yield Figure(f"{name}: nodes added", more_nodes - nodes, "nodes", note="the same minute, after gc")
        ten, thousand = (requests_of(pages, polls, WATCHED_SECONDS, PHASE_SECONDS) for pages in (10, 1_000))
        told = f"{thousand} ÷ {ten} requests in {WATCHED_SECONDS - PHASE_SECONDS} s, through a cache"
        yield Figure(f"{name}: 1,000 open pages ÷ 10", thousand / ten if ten else nan, "×", 1.25, told, at_most=True)


class Tab:
    """One page, from its first request on."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self.page = page
        self.recorder = Recorder(page)
        self.first_figures = nan
        self._session = session

    def open(self, address: str) -> None:
        begun = time.monotonic()
        self.page.goto(address)
        settle(self.page)
        self.first_figures = time.monotonic() - begun

    def weight(self) -> int:
        """Bytes of all files, as sent, that this view needed; answers of the API are not among them."""
        self.page.wait_for_load_state("networkidle")
        files = [sent for _, sent in self.recorder.requests if not of_api(sent)]
        return sum(sent.sizes()["responseBodySize"] for sent in files)

    def wait(self, seconds: float) -> None:
        self.page.wait_for_timeout(seconds * 1000)

    def watched(self) -> tuple[int, int]:
        """Let updates come for a while: the least bytes of JavaScript's heap and the fewest DOM nodes in use.

        Windows are let go some time after they are no longer shown, so what is in use rises and falls.
        """
        samples = []
        for _ in range(WATCHED_SECONDS // SAMPLED_SECONDS):
            self.wait(SAMPLED_SECONDS)
            samples.append(self._used())
        bytes_used, nodes = zip(*samples, strict=True)
        return min(bytes_used), min(nodes)

    def _used(self) -> tuple[int, int]:
        for _ in range(3):
            self._session.send("HeapProfiler.collectGarbage")
        counted = self._session.send("Memory.getDOMCounters")
        return int(self._session.send("Runtime.getHeapUsage")["usedSize"]), int(counted["nodes"])


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[Tab]:
    """A view that was never seen before."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(SHIFTS)
    page = context.new_page()
    tab = Tab(page, context.new_cdp_session(page))
    try:
        tab.open(address)
        until(page, "painted > 0")
        yield tab
    finally:
        context.close()
