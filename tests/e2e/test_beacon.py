"""The beacon beside real players in a real browser: what the audience shows is what the browser did."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

from tests.e2e.live_page.suite import Suite, serving
from tests.e2e.players.driving import eventually, opened, told, until_played, values, whole_session
from tests.e2e.players.origin import BUILT, serve_origin
from tests.e2e.players.stream import HIGH_KBPS, LOW_KBPS

EVERY_SECONDS = 2
VIEWER = "ada@example.org"
TO_THE_HIGHER = {
    "hls": "player.nextLevel = 1",
    "dash": "player.setRepresentationForTypeByIndex('video', 1, true)",
    "shaka": "player.selectVariantTrack(shakaTracks(player).pop(), true)",
}
ROUNDING_MS = 300
"""The browser keeps what it played by the media's clock, which starts and stops a few frames apart from its events."""

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("players")]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    if not (BUILT / "beacon.js").is_file():
        pytest.skip("the beacon is not built: make web")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GRANDSTAND_REPORT_EVERY_SECONDS", str(EVERY_SECONDS))
        with serving(tmp_path_factory.mktemp("beacon")) as served:
            yield served


@pytest.fixture(scope="module")
def flowing() -> Event:
    """Clear it, and the stream comes to a halt."""
    event = Event()
    event.set()
    return event


@pytest.fixture(scope="module")
def origin(stream: Path, flowing: Event) -> Iterator[str]:
    with serve_origin(stream, lambda *_: None, flowing) as url:
        yield url


@pytest.fixture
def context(player_browser: Browser) -> Iterator[BrowserContext]:
    """A person's browser, with a storage of its own."""
    with player_browser.new_context() as made:
        yield made


@dataclass
class Audience:
    """What the suite knows of a content."""

    suite: Suite
    content: str

    def total(self) -> dict[str, Any]:
        windows = whole_session(self.suite.url, self.content)
        events: Counter[str] = Counter()
        for window in windows:
            events.update(window["events"])
        sums = ("watched_ms", "startups", "stalls", "stall_ms", "quality_changes", "errors")
        return {"events": events, "windows": windows, **{name: sum(told(windows, name)) for name in sums}}

    def once(self, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """All that is known, as soon as it is so."""
        found: dict[str, Any] = eventually(lambda: (total := self.total()) and condition(total) and total)
        return found

    def once_left(self) -> dict[str, Any]:
        return self.once(lambda total: total["events"]["stop"])


@dataclass
class Watching:
    """A tab in which a player plays, with the beacon beside it."""

    tab: Page
    audience: Audience
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def sent(self, request: Request) -> None:
        if "/v1/events" in request.url and request.post_data:
            self.bodies.append(json.loads(request.post_data))

    def do(self, script: str) -> Any:
        return self.tab.evaluate(script)

    def play_on(self, seconds: float) -> None:
        until_played(self.tab, self.do("element().currentTime") + seconds)

    def leave(self) -> int:
        """End it; the milliseconds that the browser says were played."""
        played: int = self.do("(element().pause(), handle.stop(), playedMs())")
        return played


@pytest.fixture
def watching(suite: Suite, origin: str, context: BrowserContext) -> Callable[..., Any]:
    """Opens a tab: `with watching("hls", "final") as seen:`, and lets the video start."""

    @contextmanager
    def watch(player: str, content: str, *, start: bool = True, **options: Any) -> Iterator[Watching]:
        told_options = {"endpoint": suite.url, "content": content, "viewer": VIEWER, **options}
        parameters = {"player": player, "options": json.dumps(told_options)}
        with opened(context, origin, "beacon.html", **parameters) as tab:
            seen = Watching(tab, Audience(suite, content))
            tab.on("request", seen.sent)
            if start:
                tab.evaluate("window.ready")
                tab.evaluate("void element().play()")
                until_played(tab, 1)
            yield seen

    return watch


@pytest.mark.parametrize("player", ["plain", "hls", "dash", "shaka", "videojs"])
def test_the_audience_shows_what_the_browser_did(player: str, watching: Callable[..., Any]) -> None:
    attributes = {"device_type": "tv", "country": "DE"}
    with watching(player, f"match-{player}", attributes=attributes) as seen:
        if player in TO_THE_HIGHER:
            seen.do(TO_THE_HIGHER[player])
            seen.tab.wait_for_function("element().videoHeight === 360")
        seen.do("element().pause()")
        seen.do("element().play()")
        seen.play_on(1)
        seen.do("element().currentTime += 6")
        seen.play_on(1)
        played = seen.leave()
        total = seen.audience.once_left()
    expected = {"join": 1, "play": 2, "pause": 1, "seek": 1, "stop": 1}
    assert {name: total["events"][name] for name in expected} == expected
    assert (total["startups"], total["stalls"], total["errors"]) == (1, 0, 0)
    assert total["quality_changes"] == (1 if player in TO_THE_HIGHER else 0)
    assert total["watched_ms"] == pytest.approx(played, abs=ROUNDING_MS)
    assert {window["viewers"] for window in total["windows"]} == {1}
    assert values(total["windows"], "device_type") == {"tv"}
    levels = {"180p", "360p"} if player in TO_THE_HIGHER else {"180p"}
    assert values(total["windows"], "quality_level") - {None} <= levels | {"360p"}
    if player in TO_THE_HIGHER:
        assert LOW_KBPS * 0.9 <= min(told(total["windows"], "bitrate_kbps"))
        assert max(told(total["windows"], "bitrate_kbps")) <= 1.3 * HIGH_KBPS
