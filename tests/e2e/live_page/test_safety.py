"""What the page must not do, and what it must not be made to do by names that people choose."""

import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser

from tests.e2e.live_page.driver import Observed, observed
from tests.e2e.live_page.stage import FINAL, FORMULA, MARKUP, UNLISTED, Stage
from tests.e2e.live_page.suite import OPERATOR, PUBLISH, WRITE

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("live-page")]

FOREIGN = """() => {
  const inside = (one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])];
  const all = (root) => [...root.querySelectorAll("*")].flatMap(inside);
  const handles = ({ name }) => name.startsWith("on");
  return all(document.body)
    .filter((one) => /^(img|script|iframe)$/.test(one.localName) || [...one.attributes].some(handles))
    .map((one) => one.outerHTML);
}"""
PUBLIC = re.compile(r"/v1/(overview|contents/top|contents/[^/]+/(audience/now|audience/recent|marks))(\?|$)")


def test_the_policy_allows_the_page_its_own_files_and_nothing_else(stage: Stage) -> None:
    headers = httpx.get(stage.url).headers
    policy = {
        name: values for name, *values in (rule.split() for rule in headers["content-security-policy"].split(";"))
    }
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert policy["require-trusted-types-for"] == ["'script'"]
    assert not {"*", "'unsafe-inline'", "'unsafe-eval'", "http:", "https:"} & {
        value for values in policy.values() for value in values
    }
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ("#/", [MARKUP, FORMULA]),
        (f"#/contents/{FINAL}", [MARKUP, FORMULA]),
        (f"#/contents/{FINAL}?split=device_type", []),
        ("#/contents/match-02", [MARKUP]),
        (f"#/contents/{quote(MARKUP, safe='')}", [MARKUP]),
        (f"#/contents/{quote(MARKUP, safe='')}?split=tier", [FORMULA]),
        (f"#/contents/{quote('nobody ' + MARKUP, safe='')}", []),
        ("#/preferences", []),
        ("#/health", [MARKUP, FORMULA]),
        (f"#/{quote(MARKUP)}", []),
    ],
)
def test_markup_in_names_labels_and_reasons_is_text(tab: Observed, route: str, told: list[str]) -> None:
    tab.passing = ["404"]
    tab.open(route)
    for text in told:
        tab.page.get_by_text(text).first.wait_for()
    assert tab.page.evaluate(FOREIGN) == []


def test_without_a_key_the_page_asks_for_one(browser: Browser, keyed: Stage) -> None:
    with observed(browser, keyed.url) as tab:
        tab.passing = ["401"]
        for route in ("#/", f"#/contents/{FINAL}", "#/preferences", "#/health"):
            tab.open(route)
            tab.page.get_by_role("link", name="Sign in").first.wait_for()
            assert "Harbour City" not in tab.text()


@pytest.mark.parametrize("key", ["no-such-key", WRITE])
def test_a_key_that_opens_nothing_here_is_not_kept(browser: Browser, keyed: Stage, key: str) -> None:
    with observed(browser, keyed.url) as tab:
        tab.passing = ["401", "403"]
        sign_in(tab, key)
        assert tab.page.evaluate("JSON.stringify(sessionStorage)") == "{}"
        tab.open("#/")
        assert "Harbour City" not in tab.text()


def test_a_publish_key_shows_what_is_public_and_says_what_it_does_not_open(browser: Browser, keyed: Stage) -> None:
    with observed(browser, keyed.url) as tab:
        tab.passing = ["401", "403", "404"]
        sign_in(tab, PUBLISH)
        tab.open("#/")
        tab.page.get_by_text("Harbour City").first.wait_for()
        assert "Rehearsal" not in tab.text()
        for route in ("#/health", "#/preferences"):
            tab.open(route)
            assert "operator key" in tab.text()
        tab.open(f"#/contents/{UNLISTED}")
        assert "Rehearsal" not in tab.text()
        asked = [each for each in tab.requests if "/v1/" in each.url]
        granted = {each.url for each in asked if (answer := each.response()) and answer.ok}
        assert granted
        assert [url for url in granted if not PUBLIC.search(url)] == []


def test_an_operator_key_opens_all_and_lives_as_long_as_the_tab(browser: Browser, keyed: Stage) -> None:
    with observed(browser, keyed.url) as tab:
        tab.passing = ["401", "403"]
        sign_in(tab, OPERATOR)
        tab.open("#/")
        tab.page.get_by_text("Rehearsal").first.wait_for()
        tab.open("#/health")
        tab.page.get_by_text("ingest").first.wait_for()
        assert not [each.url for each in tab.requests if OPERATOR in each.url]
        assert OPERATOR not in tab.page.evaluate("JSON.stringify(localStorage) + document.cookie + location.href")
        other = tab.context.new_page()
        other.goto(f"{keyed.url}/#/health")
        other.get_by_role("link", name="Sign in").first.wait_for()
        other.close()
    assert OPERATOR not in Path(keyed.suite.log).read_text()


def sign_in(tab: Observed, key: str) -> None:
    """As a person does: type the key, press the button, read what comes of it."""
    tab.open("#/sign-in")
    form = tab.page.locator("gs-sign-in")
    form.get_by_label("Key").fill(key)
    form.get_by_role("button", name="Sign in").click()
    form.get_by_role("status").filter(has_text=re.compile("[✓⚠]")).wait_for()
