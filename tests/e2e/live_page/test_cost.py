"""What open pages cost the suite, as counts of requests: no clock is asked."""

import pytest
from playwright.sync_api import Browser

from lab.edge import Recorder, requests_of
from tests.e2e.live_page.driver import observed
from tests.e2e.live_page.stage import FINAL, Stage

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("live-page")]

RECORDED_SECONDS = 24
PHASE_SECONDS = 4


@pytest.mark.parametrize("route", ["#/", f"#/contents/{FINAL}"])
def test_a_thousand_open_pages_cost_the_suite_no_more_than_ten_do(browser: Browser, stage: Stage, route: str) -> None:
    with observed(browser, stage.url) as one, observed(browser, stage.url) as other:
        recorders = [Recorder(tab.page) for tab in (one, other)]
        for tab in (one, other):
            tab.open(route)
        one.page.wait_for_timeout(RECORDED_SECONDS * 1000)
        mine, others = (each.polls(RECORDED_SECONDS) for each in recorders)
    assert {poll.url for poll in mine} == {poll.url for poll in others}  # one copy serves every page
    ten, thousand = (requests_of(pages, mine, RECORDED_SECONDS, PHASE_SECONDS) for pages in (10, 1_000))
    assert 0 < thousand <= 1.25 * ten  # ten pages leave a kept answer stale for a moment, a thousand do not
