"""What people do with the page: open, choose, compare, mark, stop, take away, read in their own language."""

import csv
import re
import struct
import time
from io import StringIO

import pytest
from playwright.sync_api import Browser, Page

from lab.browser import until
from tests.e2e.live_page.driver import Observed, observed, said
from tests.e2e.live_page.exported import chart, downloaded, sheet
from tests.e2e.live_page.stage import FINAL, FORMULA, MARKUP, TITLE, Stage, eventually
from tests.e2e.live_page.suite import OPERATOR
from tests.e2e.live_page.test_safety import sign_in

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("live-page")]

CONTENT = f"#/contents/{FINAL}"
CONCURRENT = said("content.chart_concurrent")
PNG_WIDTH = 1920
BURST, BURST_MS = 10, 1_500
"""Chromium lets a page save so many files at once, and more a second later."""
FORMULAS = re.compile(r"[=+@\t\r]|-\D")


def test_a_content_is_opened_split_and_its_segments_are_compared(tab: Observed) -> None:
    tab.open("#/")
    tab.page.get_by_role("link", name=TITLE).first.click()
    tab.page.get_by_role("heading", level=1, name=TITLE).wait_for()
    tab.page.get_by_role("button", name=said("values.device_type"), exact=True).click()
    for value in ("mobile", "desktop"):
        tab.page.get_by_role("button", name=said(f"values.device_type_{value}"), exact=True).click()
    compared = tab.page.get_by_role("table", name=said("content.compare"))
    compared.wait_for()
    for value in ("mobile", "desktop"):
        assert said(f"values.device_type_{value}") in compared.inner_text()
    assert "split=device_type" in tab.page.url
    assert "mobile" in tab.page.url


def test_a_moment_is_marked_and_everybody_sees_it(browser: Browser, stage: Stage) -> None:
    label = f"{time.time_ns()} {MARKUP}"
    with observed(browser, stage.url) as mine, observed(browser, stage.url) as others:
        for tab in (mine, others):
            tab.open(CONTENT)
        mine.page.get_by_role("button", name=said("content.mark"), exact=True).click()
        mine.page.get_by_label(said("content.mark_kind")).select_option("goal")
        mine.page.get_by_label(said("content.mark_label")).fill(label)
        mine.page.get_by_role("button", name=said("content.mark_save"), exact=True).click()
        for tab in (mine, others):
            tab.page.get_by_role("listitem").filter(has_text=label).wait_for()
        assert label in [mark["label"] for mark in stage.ask(f"/v1/contents/{FINAL}/marks")["marks"]]
        mine.page.get_by_role("button", name=re.compile(f"^Delete: .*{label[:19]}")).click()
        eventually(lambda: label not in [one["label"] for one in stage.ask(f"/v1/contents/{FINAL}/marks")["marks"]])


def test_a_paused_view_stands_still_and_has_no_gap_afterwards(tab: Observed) -> None:
    tab.open(CONTENT)
    opened = time.time()
    tab.page.get_by_role("button", name=said("content.pause")).click()
    tab.page.get_by_role("button", name=said("content.resume")).wait_for()
    before = sheet(tab.page, CONCURRENT)
    polls = len(tab.asked("/audience/now"))
    tab.page.wait_for_timeout(11_000)
    assert len(tab.asked("/audience/now")) > polls + 5
    assert sheet(tab.page, CONCURRENT).times() == before.times()
    tab.page.get_by_role("button", name=said("content.resume")).click()
    tab.page.get_by_role("button", name=said("content.pause")).wait_for()
    after = sheet(tab.page, CONCURRENT)
    assert after.times()[-1] >= before.times()[-1] + 5
    assert after.gaps(opened - 300) == []


@pytest.mark.parametrize(("content", "subject"), [("match-03", f"'{FORMULA} (match-03)"), ("match-02", MARKUP)])
def test_a_chart_is_exported_as_csv_that_no_spreadsheet_runs(tab: Observed, content: str, subject: str) -> None:
    tab.open(f"#/contents/{content}")
    found = sheet(tab.page, CONCURRENT)
    assert found.cells[0][0] == CONCURRENT
    assert subject in found.cells[1][1]
    assert len({len(row) for row in found.cells}) == 1
    assert len(found.rows) > 100
    assert not [cell for row in found.cells for cell in row if FORMULAS.match(cell)]


def test_marks_in_an_export_are_text_too(tab: Observed) -> None:
    tab.open(CONTENT)
    cells = [cell for row in sheet(tab.page, CONCURRENT).rows for cell in row]
    assert any(MARKUP in cell for cell in cells)
    assert any(FORMULA in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith("=")]


def test_a_chart_is_exported_as_a_picture_of_its_size(tab: Observed) -> None:
    tab.open(CONTENT)
    picture = downloaded(tab.page, CONCURRENT, "PNG").read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    assert width == PNG_WIDTH
    assert 700 < height < PNG_WIDTH
    assert len(picture) > 10_000  # something is drawn on it


def test_a_chart_is_a_table_too(tab: Observed) -> None:
    tab.open(CONTENT)
    whole = chart(tab.page, CONCURRENT)
    whole.get_by_role("button", name=said("chart.as_table")).click()
    table = whole.get_by_role("table")
    table.wait_for()
    assert table.get_by_role("row").count() > 10
    assert said("content.concurrent_line") in table.get_by_role("row").first.inner_text()


@pytest.mark.parametrize(("locale", "direction"), [("de", "ltr"), ("ar", "rtl")])
def test_a_language_is_kept_after_a_reload(tab: Observed, locale: str, direction: str) -> None:
    tab.open("#/")
    tab.page.get_by_label(said("shell.language")).select_option(locale)
    until(tab.page, f"document.documentElement.lang === '{locale}'")
    tab.page.reload()
    tab.settle()
    tab.page.get_by_role("heading", level=1, name=said("overview.title", locale)).wait_for()
    assert tab.page.evaluate("getComputedStyle(document.body).direction") == direction


def test_the_browsers_language_is_spoken_first(browser: Browser, stage: Stage) -> None:
    for asked, spoken in (("fr-CA", "fr"), ("hi-IN", "hi"), ("it-IT", "en")):
        with observed(browser, stage.url, locale=asked) as tab:
            tab.open("#/")
            assert tab.page.evaluate("document.documentElement.lang") == spoken


@pytest.mark.parametrize("theme", ["dark", "contrast"])
def test_a_theme_is_kept_after_a_reload(tab: Observed, theme: str) -> None:
    tab.open("#/")
    light = ground(tab.page)
    tab.page.get_by_label(said("shell.theme")).select_option(theme)
    until(tab.page, f"document.documentElement.dataset.theme === '{theme}'")
    chosen = ground(tab.page)
    tab.page.reload()
    tab.settle()
    assert ground(tab.page) == chosen != light


def ground(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return colour


def test_a_link_opens_the_same_view_at_the_same_time(browser: Browser, stage: Stage) -> None:
    with observed(browser, stage.url, permissions=["clipboard-read", "clipboard-write"]) as mine:
        mine.open(f"{CONTENT}?range=15m&split=tier")
        mine.page.get_by_role("button", name=said("content.copy_link")).click()
        mine.page.get_by_text(said("content.copied")).first.wait_for()
        link: str = mine.page.evaluate("navigator.clipboard.readText()")
        mine.page.goto(link)
        mine.settle()
        sent = sheet(mine.page, CONCURRENT)
    time.sleep(6)  # another window is over
    with observed(browser, stage.url) as theirs:
        theirs.open(link.removeprefix(f"{stage.url}/"))
        seen = sheet(theirs.page, CONCURRENT)
    assert seen.cells[2:4] == sent.cells[2:4]
    assert seen.times()[: len(sent.rows)] == sent.times()
    assert "split=tier" in link


def test_dead_letters_are_replayed_once_one_is_sure(browser: Browser, keyed: Stage) -> None:
    with observed(browser, keyed.url) as tab:
        tab.passing = ["401"]
        sign_in(tab, OPERATOR)
        tab.open("#/health")
        every = tab.page.get_by_role("button", name=said("health.replay_all"), exact=True)
        every.click()
        sure = tab.page.get_by_role("dialog")
        sure.get_by_role("button", name=said("table.cancel")).click()
        sure.wait_for(state="hidden")
        assert keyed.ask("/v1/dead-letters")["letters"]
        every.click()
        sure.get_by_role("button", name=said("health.replay")).click()
        tab.page.get_by_role("status").filter(has_text=said("health.replayed").partition("{")[0]).wait_for()
        eventually(lambda: keyed.ask("/v1/dead-letters")["letters"] == [])


@pytest.mark.parametrize(
    "route",
    ["#/health", "#/preferences", "#/preferences?content=match-03", f"{CONTENT}?split=tier&compare=basic,free"],
)
def test_no_export_of_a_view_holds_what_a_spreadsheet_runs(tab: Observed, route: str) -> None:
    tab.open(route)
    buttons = tab.page.get_by_role("button", name="CSV")
    buttons.first.wait_for()
    for number in range(buttons.count()):
        if number and number % BURST == 0:
            tab.page.wait_for_timeout(BURST_MS)
        with tab.page.expect_download() as download:
            buttons.nth(number).press("Enter")  # wherever it moves to while figures come in
        text = download.value.path().read_bytes().decode("utf-8-sig")
        cells = [cell for row in csv.reader(StringIO(text)) for cell in row]
        assert cells
        assert not [cell for cell in cells if FORMULAS.match(cell)]
        assert not re.search(r'[\\/:*?"<>|]|^\.', download.value.suggested_filename)
