"""The page by real key presses alone."""

import pytest

from lab.browser import until
from tests.e2e.live_page.driver import MOST_STOPS, Observed, said
from tests.e2e.live_page.stage import FINAL, TITLE

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("live-page")]

CONTENT = f"#/contents/{FINAL}"


@pytest.mark.parametrize(
    "route", ["#/", CONTENT, f"{CONTENT}?split=country", "#/preferences", "#/health", "#/sign-in"]
)
def test_tab_walks_through_a_view_and_out_of_it_and_back(tab: Observed, route: str) -> None:
    tab.open(route)
    there = walk(tab, "Tab")
    back = walk(tab, "Shift+Tab")
    assert len(there) > 5
    assert back == there


def walk(tab: Observed, key: str) -> set[str]:
    """The names of all that has the focus, one after the other, until it leaves the page; it is seen at each."""
    names: dict[int, str] = {}
    for _ in range(MOST_STOPS):
        tab.press(key)
        stop = tab.focused()
        if stop is None or stop["id"] == next(iter(names), None):
            return set(names.values())
        assert stop["visible"], stop
        assert stop["name"] or stop["tag"] == "main", stop
        names[stop["id"]] = stop["name"]
    raise AssertionError(f"the focus is trapped among {[*names.values()][-5:]}")


def test_the_first_stop_leads_past_the_header(tab: Observed) -> None:
    tab.open("#/")
    tab.press("Tab")
    assert (tab.focused() or {})["name"] == said("shell.skip")
    tab.press("Enter")
    assert (tab.focused() or {})["tag"] == "main"
    tab.press("Tab")
    assert "Grandstand" not in (tab.focused() or {})["name"]


def test_a_content_is_opened_and_the_keyboard_is_at_its_beginning(tab: Observed) -> None:
    tab.open("#/")
    tab.tab_to(TITLE)
    tab.press("Enter")
    until(tab.page, f"location.hash.startsWith('{CONTENT}')")
    tab.settle()
    tab.page.get_by_role("button", name=said("content.pause")).wait_for()
    assert (tab.focused() or {})["tag"] == "main"


def test_a_definition_opens_keeps_the_focus_and_gives_it_back(tab: Observed) -> None:
    tab.open("#/")
    question = said("shell.definition_of").partition("“")[0]
    tab.tab_to(question)
    name = (tab.focused() or {})["name"]
    tab.press("Enter")
    dialog = tab.page.get_by_role("dialog")
    dialog.wait_for()
    assert (tab.focused() or {})["name"] == said("shell.close")
    tab.press("Escape")
    dialog.wait_for(state="hidden")
    assert (tab.focused() or {})["name"] == name


def test_a_language_is_chosen_and_kept(tab: Observed) -> None:
    tab.open("#/")
    tab.tab_to(said("shell.language"))
    tab.press("End")
    until(tab.page, "document.documentElement.lang === 'ar' && document.documentElement.dir === 'rtl'")
    tab.open("#/health")
    assert tab.page.evaluate("document.documentElement.lang") == "ar"


def test_the_search_is_one_key_away(tab: Observed) -> None:
    tab.open("#/")
    tab.press("/")
    tab.page.keyboard.type("northern")
    until(tab.page, "location.hash === '#/?q=northern'")
    tab.page.get_by_text(TITLE).first.wait_for()
    tab.page.get_by_text("Cup").first.wait_for(state="hidden")
