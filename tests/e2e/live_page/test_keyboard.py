"""The page by real key presses alone."""

import pytest

from lab.browser import until
from tests.e2e.live_page.driver import MOST_STOPS, Observed, said
from tests.e2e.live_page.exported import chart
from tests.e2e.live_page.stage import FINAL, TITLE

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("live-page")]

CONTENT = f"#/contents/{FINAL}"
CONCURRENT = said("content.chart_concurrent")


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


def test_segments_are_compared_without_a_mouse(tab: Observed) -> None:
    tab.open(CONTENT)
    tab.tab_to(said("values.device_type"))
    tab.press("Enter")
    for value in ("mobile", "desktop"):
        tab.tab_to(said(f"values.device_type_{value}"))
        tab.press("Enter")
    tab.page.get_by_role("table", name=said("content.compare")).wait_for()


def test_a_moment_is_marked_by_keys_and_taken_back(tab: Observed) -> None:
    tab.open(CONTENT)
    marks = tab.page.get_by_role("listitem").filter(has_text="by keys alone")
    tab.press("m")
    tab.page.get_by_label(said("content.mark_label")).wait_for()
    tab.tab_to(said("content.mark_label"))
    tab.page.keyboard.type("by keys alone")
    tab.press("Enter")
    marks.wait_for()
    tab.tab_to("by keys alone")
    tab.press("Enter")
    marks.wait_for(state="detached")


def test_a_view_is_paused_and_resumed_by_keys(tab: Observed) -> None:
    tab.open(CONTENT)
    tab.tab_to(said("content.pause"))
    tab.press("Enter")
    tab.page.get_by_role("button", name=said("content.resume")).wait_for()
    assert said("content.resume") in (tab.focused() or {})["name"]
    tab.press("Enter")
    tab.page.get_by_role("button", name=said("content.pause")).wait_for()


def test_a_charts_values_are_read_and_saved_by_keys(tab: Observed) -> None:
    tab.open(CONTENT)
    tab.tab_to(said("chart.csv_of", heading=CONCURRENT))
    with tab.page.expect_download():
        tab.press("Enter")
    tab.tab_to(said("chart.cursor_of", heading=CONCURRENT))
    slider = chart(tab.page, CONCURRENT).get_by_role("slider")
    values = []
    for key in ("End", "ArrowLeft", "ArrowLeft", "Home"):
        tab.press(key)
        values.append(slider.get_attribute("aria-valuetext"))
    assert len(set(values)) == len(values)
    tab.press("Escape")
    assert slider.get_attribute("aria-valuetext") == said("chart.no_cursor")


def test_a_screen_reader_is_not_flooded(tab: Observed) -> None:
    """A chart is open as a table, and figures come each second."""
    tab.open(CONTENT)
    chart(tab.page, CONCURRENT).get_by_role("button", name=said("chart.as_table")).click()
    tab.page.evaluate(LISTEN)
    tab.page.wait_for_timeout(15_000)
    assert len(tab.page.evaluate("announced")) <= 1


LISTEN = """() => {
  window.announced = [];
  const inside = (one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])];
  const all = (root) => [...root.querySelectorAll("*")].flatMap(inside);
  const regions = all(document.body).filter((one) => one.matches("[role=status], [role=alert], [aria-live]"));
  for (const region of regions) {
    let before = region.textContent;
    new MutationObserver(() => {
      if (region.textContent !== before && region.textContent.trim()) announced.push(region.textContent);
      before = region.textContent;
    }).observe(region, { childList: true, characterData: true, subtree: true });
  }
}"""
