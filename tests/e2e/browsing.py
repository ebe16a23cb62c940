"""A browser for a test that wants one."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser

from lab.browser import NoChromium, chromium


@contextmanager
def browsing(*flags: str) -> Iterator[Browser]:
    """Chromium; without it the test is skipped, and the reason says how to get it."""
    try:
        with chromium(*flags) as launched:
            yield launched
    except NoChromium as missing:
        pytest.skip(str(missing))
