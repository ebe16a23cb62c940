"""A browser that plays without being asked, and something to play."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.browsing import browsing
from tests.e2e.players.driving import needed
from tests.e2e.players.origin import PLAYERS
from tests.e2e.players.stream import make_stream


@pytest.fixture(scope="module")
def player_browser() -> Iterator[Browser]:
    if not (PLAYERS / "node_modules").is_dir():
        pytest.skip("the players are not installed; tests/tools installs them with npm")
    with browsing("--autoplay-policy=no-user-gesture-required") as launched:
        yield launched


@pytest.fixture(scope="session")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needed("ffmpeg")
    folder = tmp_path_factory.mktemp("stream")
    make_stream(folder)
    return folder
