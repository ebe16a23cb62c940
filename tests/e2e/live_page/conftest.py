"""One browser, and one suite with an audience, for all tests of the live page that a process runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.browsing import browsing
from tests.e2e.live_page.driver import Observed, observed
from tests.e2e.live_page.stage import Stage, set_stage
from tests.e2e.live_page.suite import serving


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with browsing() as launched:
        yield launched


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with serving(tmp_path_factory.mktemp("live-page")) as suite, set_stage(suite) as staged:
        yield staged


@pytest.fixture(scope="package")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A suite that others can reach: nothing is told without a key."""
    folder: Path = tmp_path_factory.mktemp("keyed")
    with serving(folder, keyed=True) as suite, set_stage(suite) as staged:
        yield staged


@pytest.fixture
def tab(browser: Browser, stage: Stage) -> Iterator[Observed]:
    """A tab on the suite that needs no key."""
    with observed(browser, stage.url) as seen:
        yield seen
