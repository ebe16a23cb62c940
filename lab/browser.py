"""This machine's Chromium, driven by Playwright: for pictures, measurements and tests of the live page."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

from shared.errors import GrandstandError

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS: Final = 15_000
SETTLED: Final = """() => {
  const main = document.querySelector("gs-app")?.shadowRoot?.querySelector("main");
  const inside = (one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])];
  const all = (root) => [...root.querySelectorAll("*")].flatMap(inside);
  if (!main) return false;
  const found = all(main);
  return found.some((one) => /^H[12]$/.test(one.tagName) && one.textContent.trim())
    && !found.some((one) => one.localName === "gs-state" && one.state === "loading")
    && !found.some((one) => one.ariaBusy === "true");
}"""


class NoChromium(GrandstandError):
    """There is none on this machine; the message says how to get it."""


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """A browser without a window. Raises NoChromium."""
    path = shutil.which("chromium")
    if path is None:
        raise NoChromium("chromium is not installed; `grandstand doctor` says how to get it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()


def settle(page: Page) -> None:
    """Wait until a view of the live page stands: its heading is there, and nothing in it is still loading."""
    until(page, SETTLED)


def until(page: Page, expression: str, argument: Any = None, *, patience_ms: float = PATIENCE_MS) -> Any:
    """The first value of a JavaScript expression or function that is not empty.

    Playwright's own `wait_for_function` evaluates inside the page, which a strict policy forbids.
    """
    deadline = time.monotonic() + patience_ms / 1000
    while not (value := page.evaluate(expression, argument)):
        assert time.monotonic() < deadline, f"did not come true: {expression}"
        page.wait_for_timeout(50)
    return value
