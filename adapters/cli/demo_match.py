"""Plays a match into a suite, watches it through the API as it goes, and sums up."""

import asyncio
import time
from contextlib import suppress
from itertools import count
from statistics import fmean, quantiles
from typing import TYPE_CHECKING, Any, Final

import httpx

from adapters.cli.demo_screen import Scene, showing
from adapters.cli.demo_stage import mark_moments, name_probes, set_stage
from adapters.cli.terminal import readable
from lab.crowd.play import to_suite
from lab.crowd.show import Show
from lab.probe import Probe
from lab.sender import Sender
from lab.watching import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from lab.crowd.match import Match

_SHOWN_CONTENTS: Final = 8
_PROBES: Final = 4
_PATIENCE_SECONDS: Final = 20.0
_SETTLE_SECONDS: Final = 10.0
_LAG_OF: Final = 8
"""How many of the newest probes the shown lag is the mean of."""


async def play(console: "Console", url: str, match: "Match", stop: asyncio.Event) -> dict[str, Any]:
    """From kick-off to the final whistle, or until `stop`; shows what goes on and returns the closing summary."""
    show = Show(match, truth=True, separator=b",", clocks=True)
    scene = Scene(url, match.seconds)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30.0) as client:
        probed = [f"probe-{match.run_id}-{number}" for number in range(1, _PROBES + 1)]
        probes = [Probe(client, content_id) for content_id in probed]
        watcher = Watcher(client, match.content_ids)
        earlier = await set_stage(client, match)
        await name_probes(client, probed)
        with showing(scene, console) as draw:
            async with Sender(url, patience=_PATIENCE_SECONDS) as sender:
                playing = asyncio.ensure_future(to_suite(show, sender, 1.0, None, lambda *_: None))
                aside: list[asyncio.Future[Any]] = [asyncio.ensure_future(probe.run()) for probe in probes]
                shown = Watcher(client, match.content_ids[:_SHOWN_CONTENTS])
                aside.append(asyncio.ensure_future(_watch(scene, shown, sender, probes, draw)))
                aside.append(asyncio.ensure_future(mark_moments(client, match)))
                aside.append(asyncio.ensure_future(stop.wait()))
                try:
                    await asyncio.wait({playing, aside[-1]}, return_when=asyncio.FIRST_COMPLETED)
                    if playing.done():
                        playing.result()
                finally:
                    await _cancel(playing, *aside)
                show.finish()
        posted = earlier + sum(probe.posted for probe in probes)
        tally = sender.tally
        completeness = await _settled(watcher, tally.sent + posted)
        measured = await watcher.peak(match.start_ms - 5_000, int(time.time() * 1000) + 5_000)
    p50, p99 = _percentiles([seconds for probe in probes for seconds in probe.seen])
    summary = {
        "events_sent": tally.sent + posted,
        "events_accepted": tally.accepted + posted,
        "events_counted": completeness["counted"],
        "posts_retried": tally.retried,
        "peak_viewers_measured": measured,
        "peak_viewers_true": show.peak,
        "event_to_visible_p50_seconds": p50,
        "event_to_visible_p99_seconds": p99,
        "probes": sum(len(probe.seen) for probe in probes),
    }
    _tell(console, summary)
    return summary


async def _watch(
    scene: Scene, watcher: Watcher, sender: Sender, probes: list[Probe], draw: "Callable[[], None]"
) -> None:
    """Look once a second; what cannot be had now is looked at again a second later."""
    began = time.monotonic()
    for second in count(1):
        await asyncio.sleep(max(0.0, began + second - time.monotonic()))
        with suppress(httpx.HTTPError):
            scene.contents = await watcher.now()
            scene.counted = (await watcher.completeness())["counted"]
        elapsed = time.monotonic() - began
        scene.events_per_second = (sender.tally.sent - scene.sent) / (elapsed - scene.elapsed)
        scene.elapsed, scene.sent = elapsed, sender.tally.sent
        scene.history.append(scene.concurrent)
        newest = [seconds for probe in probes for seconds in probe.seen[-_LAG_OF // _PROBES :]]
        scene.visible_after = fmean(newest) if newest else None
        draw()


async def _cancel(*tasks: "asyncio.Future[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _settled(watcher: Watcher, sent: int) -> dict[str, Any]:
    """The completeness once all that was sent has been received, or after some seconds as it is."""
    give_up = time.monotonic() + _SETTLE_SECONDS
    while (told := await watcher.completeness())["received"] < sent and time.monotonic() < give_up:
        await asyncio.sleep(0.1)
    return told


def _percentiles(seconds: list[float]) -> tuple[float | None, float | None]:
    """The 50th and the 99th, or nothing where nothing was seen."""
    if len(seconds) < 2:
        return (seconds[0], seconds[0]) if seconds else (None, None)
    cut = quantiles(seconds, n=100, method="inclusive")
    return cut[49], cut[98]


def _tell(console: "Console", summary: dict[str, Any]) -> None:
    rows = (
        ("events sent", readable(summary["events_sent"])),
        ("events accepted", readable(summary["events_accepted"])),
        ("events counted", readable(summary["events_counted"])),
        ("peak viewers, measured", readable(summary["peak_viewers_measured"])),
        ("peak viewers, true", readable(summary["peak_viewers_true"])),
        ("event to visible, p50", _seconds(summary["event_to_visible_p50_seconds"])),
        ("event to visible, p99", _seconds(summary["event_to_visible_p99_seconds"])),
    )
    console.print("\nSummary", highlight=False)
    for name, value in rows:
        console.print(f"  {name:<24}{value:>12}", highlight=False)


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f} s"
