"""Every figure has its definition one click away: the text of docs/metrics.md."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator

from tests.e2e.live_page.driver import observed
from tests.e2e.live_page.stage import FINAL, Stage

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("live-page")]

METRICS = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()
UNDEFINED = """() => {
  const inside = (one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])];
  const all = (root) => [...root.querySelectorAll("*")].flatMap(inside);
  const figures = all(document.body).filter((one) => one.matches("gs-figure, gs-chart, th.number"));
  return figures
    .filter((one) => !inside(one).concat(all(one)).some(({ localName }) => localName === "gs-definition"))
    .map((one) => `${one.localName} ${one.label ?? one.heading ?? one.textContent.trim()}`);
}"""


@pytest.mark.parametrize("route", ["#/", f"#/contents/{FINAL}", "#/preferences", "#/health"])
def test_every_figure_has_its_definition_as_the_documents_have_it(browser: Browser, stage: Stage, route: str) -> None:
    with observed(browser, stage.url) as tab:
        tab.open(route)
        assert tab.page.evaluate(UNDEFINED) == []
        buttons = tab.page.locator("gs-definition")
        names = {buttons.nth(number).get_attribute("name"): number for number in range(buttons.count())}
        assert names
        for number in names.values():
            assert_same_text(buttons.nth(number))


def assert_same_text(definition: Locator) -> None:
    definition.get_by_role("button").first.click()
    dialog = definition.get_by_role("dialog")
    dialog.wait_for()
    section, _, name = dialog.locator(".quiet").first.inner_text().partition(" · ")
    told = dialog.locator(".prose").first.inner_text()
    assert letters(told) == letters(f"{section} · {name}") + letters(written(section, name))
    dialog.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")


def written(section: str, name: str) -> str:
    """What stands under a heading, up to the next."""
    for block in re.split(r"^(?=#{2,3} )", METRICS, flags=re.MULTILINE):
        heading, _, text = block.partition("\n")
        if heading.startswith("## "):
            chapter = heading.removeprefix("## ").strip()
            if chapter == section == name:
                return text
        if heading == f"### {name}" and chapter == section:
            return text
    raise AssertionError(f"docs/metrics.md has no {name} in {section}")


def letters(text: str) -> str:
    """Without spaces and what marks tables, lists and code up; a link is its text."""
    return re.sub(r"[\s|`*-]+", "", re.sub(r"\]\([^)]*\)|\[", "", text))
