"""What the demo shows and measures, without a suite."""

import asyncio
import io
import time

import httpx
import pytest
from rich.console import Console

from adapters.cli.demo_match import _percentiles
from adapters.cli.demo_screen import Scene, showing, sparkline
from lab import probe as probe_module
from lab.probe import Probe
from lab.watching import Watched, Watcher


def scene() -> Scene:
    contents = [Watched("match-01", 900, 1_234), Watched("match-02", 50, 66)]
    return Scene(
        "http://suite", 20, elapsed=4.0, contents=contents, sent=9_000, counted=8_000, history=[0, 500, 1_300]
    )


def test_a_terminal_shows_a_table_that_moves() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    with showing(scene(), console) as draw:
        draw()
    for told in ("match-01", "1,234", "1,300", "8,000 counted", "▁▃█"):
        assert told in screen.getvalue()


def test_elsewhere_there_is_a_plain_line_every_other_second() -> None:
    screen = io.StringIO()
    shown = scene()
    shown.visible_after = 0.25
    with showing(shown, Console(file=screen, width=100)) as draw:
        for _ in range(4):
            draw()
    lines = screen.getvalue().splitlines()
    assert len(lines) == 2
    assert "watching   1,300" in lines[0]
    assert "visible after 0.25 s" in lines[0]


def test_a_sparkline_is_as_tall_as_its_largest_figure() -> None:
    assert sparkline([0, 7, 14]) == "▁▄█"
    assert sparkline([]) == ""
    assert sparkline([0]) == "▁"


@pytest.mark.parametrize(("seconds", "expected"), [([], (None, None)), ([0.5], (0.5, 0.5)), ([1.0] * 5, (1.0, 1.0))])
def test_percentiles_of_few_probes(seconds: list[float], expected: tuple[float | None, float | None]) -> None:
    assert _percentiles(seconds) == expected


def suite_that_sees_late(polls: int) -> httpx.MockTransport:
    """Counts what is posted; `audience/now` shows it from the given poll on."""
    starts: list[int] = []
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        if request.method == "POST":
            at = int(time.time() * 1000)
            starts.append(at - at % 5_000)
            return httpx.Response(202, json={"accepted": 1})
        asked += 1
        if asked == 1:
            return httpx.Response(404, json={"detail": "no such content"})
        told = []
        for start in sorted(set(starts)):
            rfc = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start / 1000))
            told.append({"start": rfc, "events": {"play": starts.count(start) if asked >= polls else 0}})
        return httpx.Response(200, json={"windows": told})

    return httpx.MockTransport(answer)


def test_a_probe_is_timed_until_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "PAUSE_SECONDS", 0.01)

    async def probed() -> Probe:
        async with httpx.AsyncClient(base_url="http://suite", transport=suite_that_sees_late(4)) as client:
            probe = Probe(client, "probe")
            running = asyncio.ensure_future(probe.run())
            while len(probe.seen) < 3:
                await asyncio.sleep(0.01)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return probe

    probe = asyncio.run(probed())
    assert probe.posted >= 3
    assert probe.seen[0] >= 3 * probe_module.POLL_SECONDS


def test_a_probe_that_nobody_takes_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "PAUSE_SECONDS", 0.001)
    asked = 0

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if asked % 2:
            raise httpx.ConnectError("refused")
        return httpx.Response(503)

    async def probed() -> Probe:
        async with httpx.AsyncClient(base_url="http://suite", transport=httpx.MockTransport(answer)) as client:
            probe = Probe(client, "probe")
            running = asyncio.ensure_future(probe.run())
            while asked < 4:
                await asyncio.sleep(0.001)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return probe

    probe = asyncio.run(probed())
    assert (probe.posted, probe.seen) == (0, [])


@pytest.mark.parametrize(("status", "posted"), [(202, 1), (503, 0), (None, 0)])
def test_a_probe_that_is_cancelled_waits_for_its_post_and_counts_it(status: int | None, posted: int) -> None:
    async def probed() -> int:
        arrived, answered = asyncio.Event(), asyncio.Event()

        async def answer(_: httpx.Request) -> httpx.Response:
            arrived.set()
            await answered.wait()
            if status is None:
                raise httpx.ConnectError("refused")
            return httpx.Response(status)

        async with httpx.AsyncClient(base_url="http://suite", transport=httpx.MockTransport(answer)) as client:
            probe = Probe(client, "probe")
            running = asyncio.ensure_future(probe.run())
            await arrived.wait()
            running.cancel()
            await asyncio.sleep(0)
            answered.set()
            with pytest.raises(asyncio.CancelledError):
                await running
            return probe.posted

    assert asyncio.run(probed()) == posted


def test_the_peak_is_that_of_all_contents_together() -> None:
    windows = {
        "/v1/contents/a/audience": [("18:00:00", 5), ("18:00:05", 9)],
        "/v1/contents/b/audience": [("18:00:00", 6), ("18:00:05", 1)],
    }

    def answer(request: httpx.Request) -> httpx.Response:
        told = windows.get(request.url.path)
        if told is None:
            return httpx.Response(404, json={})
        return httpx.Response(200, json={"windows": [{"start": start, "concurrent": n} for start, n in told]})

    async def watched() -> tuple[int, list[Watched]]:
        async with httpx.AsyncClient(base_url="http://suite", transport=httpx.MockTransport(answer)) as client:
            return await Watcher(client, ["a", "b", "c"]).peak(0, 1), await Watcher(client, ["c"]).now()

    assert asyncio.run(watched()) == (11, [Watched("c", 0, 0)])
