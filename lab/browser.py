"""This machine's Chromium, driven by Playwright: for pictures, measurements and tests of the live page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

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
