"""A page under observation: what it asked for, and what went wrong in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Request

from lab.browser import PATIENCE_MS, settle

VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
window.alert = (text) => violations.push(`alert ${text}`);
"""
FOCUSED = """() => {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found;
}"""


@dataclass
class Observed:
    """One tab on a suite's page."""

    page: Page
    origin: str
    requests: list[Request] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    passing: list[str] = field(default_factory=list)
    """Beginnings of errors that a test provokes: a network that is gone, an answer of 404."""

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def open(self, route: str = "#/") -> None:
        """Go to a view as if by a link from elsewhere, and wait until it has answered."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.origin}/{route}")
        self.settle()

    def settle(self) -> None:
        """Until the view stands: its heading is there, and nothing is still loading."""
        settle(self.page)

    def sent(self, request: Request) -> None:
        self.requests.append(request)

    def asked(self, part: str) -> list[str]:
        """The addresses asked for that contain `part`, in order."""
        return [request.url for request in self.requests if part in request.url]

    def text(self) -> str:
        """All that is written in the page, its shadow trees included."""
        told: str = self.page.evaluate(TEXT)
        return told

    def assert_well(self) -> None:
        """Nothing was asked of another origin, nothing failed, nothing was forbidden by the policy."""
        elsewhere = [each.url for each in self.requests if not self._own(each.url)]
        assert elsewhere == []
        assert self.page.evaluate("window.violations") == []
        assert [each for each in self.errors if not any(part in each for part in self.passing)] == []

    def _own(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in ("data", "blob") or f"{parts.scheme}://{parts.netloc}" == self.origin


TEXT = """() => {
  const told = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.nodeType === Node.ELEMENT_NODE && /^(STYLE|SCRIPT)$/.test(node.tagName)) return "";
    const inside = node.shadowRoot ? [...node.shadowRoot.childNodes, ...node.childNodes] : [...node.childNodes];
    return inside.map(told).join(" ");
  };
  return told(document.body);
}"""


@contextmanager
def observed(browser: Browser, origin: str, **options: Any) -> Iterator[Observed]:
    """A tab of its own, with nothing remembered; fails at the end where the page did anything it must not do."""
    context = browser.new_context(**{"locale": "en-GB", "reduced_motion": "reduce", **options})
    context.add_init_script(VIOLATIONS)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    seen = Observed(page, origin)
    page.on("request", seen.sent)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("console", lambda said: seen.errors.append(said.text) if said.type in ("error", "warning") else None)
    try:
        yield seen
        seen.assert_well()
    finally:
        context.close()
