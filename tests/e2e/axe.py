"""axe-core, run in a page."""

from pathlib import Path
from typing import Final

from playwright.sync_api import Page

SOURCE: Final = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
RUN: Final = """
async ([root, tags]) => {
  const options = { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] };
  const { violations } = await axe.run(root ?? document, options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.flat().join(" ")}: ${failureSummary}`));
}
"""


def violations(page: Page, root: str | None = None) -> list[str]:
    """What axe finds in the page, or in what `root` selects, a line each.

    Its script is evaluated by the browser's debugger, which no content security policy of the page forbids.
    """
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(SOURCE.read_text())
    found: list[str] = page.evaluate(RUN, [root, TAGS])
    return found
