"""What open pages cost the suite, as counts of requests: no clock is asked."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from lab.edge import Recorder, requests_of
from tests.e2e.live_page.driver import Observed, observed
from tests.e2e.live_page.stage import FINAL, UNLISTED, Stage
from tests.e2e.live_page.suite import PUBLISH
from tests.e2e.live_page.test_safety import sign_in

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("live-page")]

CONTENT = f"#/contents/{FINAL}"
OPENED_SECONDS = 3
RECORDED_SECONDS = 32
PHASE_SECONDS = 4


@pytest.fixture
def listed(stage: Stage) -> Iterator[Stage]:
    """What nobody is kept from may be kept by a cache: nothing that is on air is off the list."""
    address = f"/v1/contents/{UNLISTED}/listing"
    with stage.suite.client as client:
        client.put(address, json={"listed": True}).raise_for_status()
        yield stage
        client.put(address, json={"listed": False}).raise_for_status()


@pytest.mark.parametrize("route", ["#/", CONTENT])
def test_a_thousand_open_pages_cost_the_suite_no_more_than_ten_do(
    browser: Browser, listed: Stage, route: str
) -> None:
    with observed(browser, listed.url) as one, observed(browser, listed.url) as other:
        assert_shared(one, other, route)


def test_so_do_those_of_a_publish_key_whatever_is_off_the_list(browser: Browser, keyed: Stage) -> None:
    with observed(browser, keyed.url) as one, observed(browser, keyed.url) as other:
        for tab in (one, other):
            tab.passing = ["401", "403"]
            sign_in(tab, PUBLISH)
        assert_shared(one, other, "#/")


def assert_shared(one: Observed, other: Observed, route: str) -> None:
    """What both ask is the same, and a cache answers nearly all of it."""
    recorders = [Recorder(tab.page) for tab in (one, other)]
    for tab in (one, other):
        tab.open(route)
    one.page.wait_for_timeout((OPENED_SECONDS + RECORDED_SECONDS) * 1000)
    mine = recorders[0].polls(RECORDED_SECONDS)
    theirs = {poll.url for poll in recorders[1].polls(2 * RECORDED_SECONDS)}
    assert {poll.url for poll in mine} - theirs == set()  # one copy serves every page
    ten, thousand = (requests_of(pages, mine, RECORDED_SECONDS, PHASE_SECONDS) for pages in (10, 1_000))
    assert 0 < thousand <= 1.25 * ten  # ten pages leave a kept answer stale for a moment, a thousand do not
