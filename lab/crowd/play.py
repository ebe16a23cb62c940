"""Plays a show: into a file as fast as it goes, or to a suite as time passes."""

import asyncio
from collections.abc import Callable
from typing import BinaryIO

import orjson

from lab.crowd.show import REPORT_EVERY_SECONDS, Show, Step
from lab.sender import Message, Sender, Tally

EVENTS_PATH = "/v1/events"
_JSON = {"content-type": "application/json"}

OnStep = Callable[[int, int], None]
"""Told after each step: how far the run has come, in ms, and how many events were sent."""


def into_file(show: Show, out: BinaryIO, truth: BinaryIO | None, on_step: OnStep) -> Tally:
    """Every event as a line of JSON."""
    tally = Tally()
    for step in show.steps():
        for post in step.posts:
            out.write(post.rows)
            tally.posts += 1
            tally.sent += post.events
            tally.late += post.events * post.late
            tally.duplicates += post.events * post.again
        _write_truth(step, truth)
        on_step(step.now, tally.sent)
    return tally


async def to_suite(show: Show, sender: Sender, speed: float, truth: BinaryIO | None, on_step: OnStep) -> None:
    """What half a second brought is posted when that half second is over; `speed` times as fast as life.

    The show must have commas for separators.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for step in show.steps(lambda: sender.report_every_seconds or REPORT_EVERY_SECONDS):
        await asyncio.sleep(max(0.0, begun + step.now / 1000 / speed - loop.time()))
        for post in step.posts:
            message = Message(
                EVENTS_PATH, post.body(), headers=_JSON, events=post.events, late=post.late, again=post.again
            )
            await sender.send(message)
        _write_truth(step, truth)
        on_step(step.now, sender.tally.sent)
    await sender.drain()


def _write_truth(step: Step, truth: BinaryIO | None) -> None:
    if truth is not None:
        for window in step.windows:
            truth.write(orjson.dumps(window.told()) + b"\n")
