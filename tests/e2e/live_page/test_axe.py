"""axe-core finds nothing in any view: each language with each theme, each of both at every width."""

from collections.abc import Callable
from itertools import product

import pytest
from playwright.sync_api import Browser

from lab.browser import settle, until
from tests.e2e.axe import violations
from tests.e2e.live_page.driver import Observed, observed, said
from tests.e2e.live_page.stage import FINAL, Stage
from tests.e2e.live_page.suite import PUBLISH
from tests.e2e.live_page.test_safety import sign_in

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("live-page")]

LOCALES = ("en", "es", "de", "fr", "hi", "ar")
THEMES = ("light", "dark", "contrast")
WIDTHS = (390, 1280, 1920)
NARROW = 320
"""What a window of 1,280 px has at 400 % (WCAG 2.1, 1.4.10)."""
CONTENT = f"#/contents/{FINAL}"
VIEWS = {
    "overview": "#/",
    "nothing found": "#/?q=zzzzz",
    "content": CONTENT,
    "preferences": "#/preferences",
    "health": "#/health",
    "sign-in": "#/sign-in",
    "no such content": "#/contents/never-heard-of",
    "no such page": "#/nowhere",
}
DRESSED = """([locale, theme]) => {
  const { lang, dataset } = document.documentElement;
  return lang === locale && dataset.theme === theme;
}"""


def assert_accessible(tab: Observed) -> None:
    """Every pair of language and theme, of language and width, and of theme and width is looked at."""
    found: dict[str, list[str]] = {}
    for (row, locale), (column, theme) in product(enumerate(LOCALES), enumerate(THEMES)):
        width = WIDTHS[(row + column) % len(WIDTHS)]
        dress(tab, locale, theme, width)
        for told in violations(tab.page):
            found.setdefault(told, []).append(f"{locale} {theme} {width}")
    assert not found, "\n".join(f"{told}\n  in {', '.join(where)}" for told, where in found.items())


def dress(tab: Observed, locale: str, theme: str, width: int) -> None:
    tab.page.set_viewport_size({"width": width, "height": 900})
    for number, value in enumerate((locale, theme)):
        select = tab.page.locator("gs-header select").nth(number)
        select.evaluate("(one, value) => { one.value = value; one.dispatchEvent(new Event('change')); }", value)
    until(tab.page, DRESSED, [locale, theme])
    tab.page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_accessible(tab: Observed, view: str) -> None:
    tab.passing = ["404"]
    tab.open(VIEWS[view])
    assert_accessible(tab)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_fits_a_narrow_window_and_four_times_the_letters(tab: Observed, view: str) -> None:
    tab.passing = ["404"]
    tab.open(VIEWS[view])
    for locale in ("en", "de", "ar"):
        dress(tab, locale, "light", NARROW)
        wide = tab.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW, f"{locale}: {wide} px in a window of {NARROW} px"


def test_an_open_definition_is_accessible(tab: Observed) -> None:
    tab.open("#/")
    tab.page.locator("gs-definition button").first.click()
    tab.page.get_by_role("dialog").wait_for()
    assert_accessible(tab)


def test_an_open_table_and_segments_that_are_compared_are_accessible(tab: Observed) -> None:
    tab.open(f"{CONTENT}?split=device_type&compare=mobile,desktop")
    tab.page.get_by_role("button", name=said("chart.as_table")).first.click()
    tab.page.get_by_role("table", name=said("content.compare")).wait_for()
    assert_accessible(tab)


@pytest.mark.parametrize("route", ["#/", CONTENT, "#/health"])
def test_what_stands_there_without_a_key_is_accessible(browser: Browser, keyed: Stage, route: str) -> None:
    with observed(browser, keyed.url) as tab:
        tab.passing = ["401"]
        tab.open(route)
        assert_accessible(tab)


def test_what_a_publish_key_does_not_open_is_accessible(browser: Browser, keyed: Stage) -> None:
    with observed(browser, keyed.url) as tab:
        tab.passing = ["401", "403"]
        sign_in(tab, PUBLISH)
        tab.open("#/health")
        assert_accessible(tab)


@pytest.mark.parametrize("status", [0, 429, 503])
def test_what_is_said_when_no_answers_come_is_accessible(tab: Observed, status: int) -> None:
    tab.passing = ["Failed to load resource"]
    tab.open("#/")
    answering = {0: lambda route: route.abort(), 429: _refuse(429), 503: _refuse(503)}
    tab.page.route("**/v1/**", answering[status])
    tab.page.locator("gs-banner").get_by_text("⚠").wait_for()
    assert_accessible(tab)
    settle(tab.page)


def _refuse(status: int) -> Callable[..., None]:
    return lambda route: route.fulfill(status=status, json={"detail": "No."})
