"""A page under observation: what it asked for, and what went wrong in it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Request

from lab.browser import PATIENCE_MS, settle
from lab.edge import of_api

MOST_STOPS: Final = 250
MESSAGES: Final = Path(__file__).parents[3] / "web" / "messages"
VIOLATIONS: Final = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
window.alert = (text) => violations.push(`alert ${text}`);
"""
FOCUSED: Final = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  if (!one || one === document.body) return null;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
  const root = one.getRootNode();
  const ids = (one.getAttribute("aria-labelledby") ?? "").split(" ");
  const named = ids.map((id) => root.getElementById(id)?.textContent);
  const labels = [...(one.labels ?? [])].map((label) => label.textContent);
  const name = one.ariaLabel || named.join(" ").trim() || labels.join(" ").trim() || one.textContent;
  const { width, height } = one.getBoundingClientRect();
  window.stops ??= new Map();
  if (!stops.has(one)) stops.set(one, stops.size);
  return {
    id: stops.get(one),
    tag: one.localName,
    name: name.replace(/\\s+/g, " ").trim(),
    visible: (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) || boxShadow !== "none",
    size: Math.min(width, height),
  };
}"""


@dataclass
class Observed:
    """One tab on a suite's page."""

    page: Page
    origin: str
    requests: list[Request] = field(default_factory=list)
    pending: list[Request] = field(default_factory=list)
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
        """Until the view stands: its heading is there, nothing is still loading, what it asked for is answered."""
        settle(self.page)
        while any(of_api(request) for request in self.pending):
            self.page.wait_for_timeout(20)

    def sent(self, request: Request) -> None:
        self.requests.append(request)
        self.pending.append(request)

    def done(self, request: Request) -> None:
        self.pending.remove(request)

    def asked(self, part: str) -> list[str]:
        """The addresses asked for that contain `part`, in order."""
        return [request.url for request in self.requests if part in request.url]

    def focused(self) -> dict[str, Any] | None:
        """Where the keyboard is: `tag`, `name`, whether that is `visible`; None where it is nowhere in the page."""
        found: dict[str, Any] | None = self.page.evaluate(FOCUSED)
        return found

    def press(self, *keys: str) -> None:
        """Real key presses, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, name: str, *, back: bool = False) -> None:
        """Press Tab until what is called so has the focus, which has to be seen wherever it is."""
        met = []
        for _ in range(MOST_STOPS):
            self.press("Shift+Tab" if back else "Tab")
            if (stop := self.focused()) is not None:
                assert stop["visible"], stop
                met.append(stop["name"])
                if name in stop["name"]:
                    return
        raise AssertionError(f"no Tab comes to {name!r}, only to {met}")

    def text(self) -> str:
        """All that is written in the page, its shadow trees included."""
        told: str = self.page.evaluate(TEXT)
        return told

    def assert_well(self) -> None:
        """Nothing was asked of another origin, nothing failed, nothing was forbidden by the policy."""
        elsewhere = [each.url for each in self.requests if not self._own(each.url)]
        assert not elsewhere, elsewhere
        forbidden = self.page.evaluate("window.violations")
        assert not forbidden, forbidden
        errors = [each for each in self.errors if not any(part in each for part in self.passing)]
        assert not errors, errors

    def _own(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in ("data", "blob") or f"{parts.scheme}://{parts.netloc}" == self.origin


TEXT: Final = """() => {
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
    page.on("requestfinished", seen.done)
    page.on("requestfailed", seen.done)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("console", lambda said: seen.errors.append(said.text) if said.type in ("error", "warning") else None)
    try:
        yield seen
        seen.assert_well()
    finally:
        context.close()


def said(key: str, locale: str = "en", **values: object) -> str:
    """A message of the page, `area.key`, as its files have it, with these values in the places of their names."""
    area, _, name = key.partition(".")
    text: str = json.loads((MESSAGES / locale / f"{area}.json").read_text())[name]
    for each, value in values.items():
        text = text.replace(f"{{{each}}}", str(value))
    return text
