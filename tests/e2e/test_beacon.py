"""The beacon beside real players in a real browser: what the audience shows is what the browser did."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
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
"""The browser keeps what it played by the media's clock, which starts and stops a few frames beside its events."""

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

    def until_told(self, state: str) -> None:
        """Wait until a heartbeat says that the player is in this state."""
        while not any(event.get("player_state") == state for event in self.events):
            self.tab.wait_for_event("request", lambda request: "/v1/events" in request.url)

    def until_unreachable(self) -> None:
        """Wait until a report has failed."""
        self.tab.wait_for_event("requestfailed", lambda request: "/v1/events" in request.url, timeout=60_000)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies for event in body["events"]]

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
    levels = values(total["windows"], "quality_level") - {None}
    if player in TO_THE_HIGHER:
        assert levels == {"180p", "360p"}
    else:
        assert len(levels) == 1
    if player != "plain":
        assert min(told(total["windows"], "bitrate_kbps")) >= 0.9 * LOW_KBPS
        assert max(told(total["windows"], "bitrate_kbps")) <= 1.3 * HIGH_KBPS


def test_a_stall_is_told_with_its_length(watching: Callable[..., Any], flowing: Event) -> None:
    with watching("hls", "stalled") as seen:
        flowing.clear()
        try:
            seen.tab.wait_for_function("element().readyState < 3 && !element().paused")
            seen.until_told("rebuffering")
        finally:
            flowing.set()
        at = seen.do("element().currentTime")
        until_played(seen.tab, at + 1)
        played = seen.leave()
        total = seen.audience.once_left()
    assert (total["stalls"], total["errors"], total["startups"]) == (1, 0, 1)
    assert total["watched_ms"] == pytest.approx(played, abs=ROUNDING_MS)
    assert "rebuffering" in values(total["windows"], "player_state")
    assert total["stall_ms"] > 0


@pytest.mark.parametrize(
    ("player", "fault"),
    [("plain", "video.src = '/stream/none.mp4'"), ("hls", "player.loadSource('/stream/none.m3u8')")],
)
def test_an_error_is_told_once(player: str, fault: str, watching: Callable[..., Any]) -> None:
    with watching(player, f"failed-{player}", start=False) as seen:
        seen.do("window.ready")
        seen.do(f"void ({fault}, element().play().catch(() => 0))")
        total = seen.audience.once(lambda total: total["errors"])
        seen.leave()
        total = seen.audience.once_left()
    assert (total["errors"], total["startups"], total["watched_ms"]) == (1, 0, 0)
    assert (total["events"]["join"], total["events"]["stop"]) == (1, 1)


def test_a_closed_tab_has_left_once(watching: Callable[..., Any]) -> None:
    with watching("hls", "closed") as seen:
        played = seen.do("playedMs()")
        seen.tab.close(run_before_unload=True)
        total = seen.audience.once_left()
    assert (total["events"]["join"], total["events"]["stop"]) == (1, 1)
    assert total["watched_ms"] >= played - ROUNDING_MS


def test_what_happens_offline_is_told_once_when_the_network_is_back(
    watching: Callable[..., Any],
    context: BrowserContext,
) -> None:
    with watching("plain", "offline") as seen:
        seen.audience.once(lambda total: total["events"]["play"])
        context.set_offline(True)
        seen.do("element().pause()")
        seen.until_unreachable()
        seen.do("element().play()")
        seen.play_on(EVERY_SECONDS)
        context.set_offline(False)
        seen.audience.once(lambda total: total["events"]["pause"])
        played = seen.leave()
        total = seen.audience.once_left()
    expected = {"join": 1, "play": 2, "pause": 1, "stop": 1}
    assert {name: total["events"][name] for name in expected} == expected
    assert total["watched_ms"] == pytest.approx(played, abs=ROUNDING_MS)


def test_a_tab_that_is_closed_while_the_suite_is_down_is_told_of_by_the_next(
    watching: Callable[..., Any],
    suite: Suite,
) -> None:
    with watching("plain", "before") as seen:
        suite.stop()
        seen.do("element().pause()")
        seen.until_unreachable()
        seen.do("element().play()")
        seen.play_on(1)
        played = seen.do("(element().pause(), playedMs())")
        seen.tab.close(run_before_unload=True)
    suite.start()
    with watching("plain", "after", start=False):
        total = Audience(suite, "before").once_left()
    expected = {"join": 1, "play": 2, "stop": 1}
    assert {name: total["events"][name] for name in expected} == expected
    assert total["watched_ms"] == pytest.approx(played, abs=ROUNDING_MS)


def test_a_restart_of_the_suite_loses_nothing(watching: Callable[..., Any], suite: Suite) -> None:
    with watching("plain", "restarted") as seen:
        suite.stop()
        seen.do("element().pause()")
        seen.do("element().play()")
        seen.until_unreachable()
        suite.start()
        seen.audience.once(lambda total: total["events"]["pause"])
        played = seen.leave()
        total = seen.audience.once_left()
    expected = {"join": 1, "play": 2, "pause": 1, "stop": 1}
    assert {name: total["events"][name] for name in expected} == expected
    assert total["watched_ms"] == pytest.approx(played, abs=ROUNDING_MS)


@pytest.mark.parametrize("wish", ["doNotTrack: '1'", "globalPrivacyControl: true"])
def test_who_does_not_want_to_be_tracked_is_not_named(
    wish: str,
    watching: Callable[..., Any],
    context: BrowserContext,
) -> None:
    context.add_init_script(
        f"for (const [k, v] of Object.entries({{{wish}}})) Object.defineProperty(navigator, k, {{get: () => v}})",
    )
    with watching("plain", f"private-{wish[:3]}", session="s-of-the-platform", consent="personalisation") as seen:
        seen.leave()
        total = seen.audience.once_left()
    assert seen.bodies
    assert {body["consent"] for body in seen.bodies} == {"none"}
    said = json.dumps(seen.bodies)
    assert VIEWER not in said
    assert "s-of-the-platform" not in said
    assert total["events"]["join"] == 1


@pytest.mark.parametrize("minutes", [10, -10])
def test_a_device_whose_clock_is_off_is_counted_once_and_now(
    minutes: int,
    watching: Callable[..., Any],
    context: BrowserContext,
) -> None:
    context.add_init_script(f"const now = Date.now; Date.now = () => now() + {minutes * 60_000}")
    with watching("plain", f"clock-{minutes}") as seen:
        seen.play_on(EVERY_SECONDS + 1)
        seen.leave()
        total = seen.audience.once_left()
    assert (total["events"]["join"], total["events"]["play"], total["events"]["stop"]) == (1, 1, 1)
    offsets = [body["clock_offset_ms"] for body in seen.bodies if "clock_offset_ms" in body]
    assert offsets
    assert offsets == pytest.approx([minutes * 60_000] * len(offsets), abs=5_000)


def test_reports_come_as_often_as_the_suite_asks(watching: Callable[..., Any]) -> None:
    with watching("plain", "obedient") as seen:
        seen.play_on(2 * EVERY_SECONDS + 1)
        seen.leave()
        seen.audience.once_left()
    events = seen.events
    assert "report_every_seconds" not in events[0]
    assert {event["report_every_seconds"] for event in events if "report_every_seconds" in event} == {EVERY_SECONDS}
    beats = [event["event_timestamp"] for event in events if event["event_type"] == "heartbeat"]
    assert len(beats) >= 2
    assert all(later - earlier >= EVERY_SECONDS * 1000 - 50 for earlier, later in pairwise(beats))
    assert len({body["batch_id"] for body in seen.bodies}) == len(seen.bodies)


def test_the_snippet_watches_the_videos_that_it_names_and_those_to_come(
    suite: Suite,
    origin: str,
    context: BrowserContext,
) -> None:
    match, replay = Audience(suite, "snippet-match"), Audience(suite, "snippet-replay")
    with opened(context, origin, "snippet.html", suite=suite.url, content=match.content) as tab:
        tab.wait_for_function("window.Grandstand !== undefined")
        tab.evaluate("Promise.all([play('.match'), play('.advert')])")
        tab.evaluate(f"addReplay('{replay.content}')")
        tab.evaluate("play('.replay')")
        tab.evaluate("document.querySelector('.match').remove()")
        total = match.once_left()
        tab.evaluate("Grandstand.page.stop()")
        assert replay.once_left()["events"]["join"] == 1
    assert (total["events"]["join"], total["startups"]) == (1, 1)
    assert values(total["windows"], "device_type") == {"desktop"}
