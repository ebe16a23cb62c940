"""The simulated audience must outrun what it tests: its events a second, beside a bare decode of the same bytes."""

from time import perf_counter

from lab.bench import bare
from lab.bench.figure import Figure
from lab.bench.timing import best_seconds
from lab.crowd.crowd import Crowd
from lab.crowd.match import Match
from lab.crowd.posts import Posts
from lab.crowd.show import REPORT_EVERY_SECONDS, Show
from lab.crowd.truth import Truth

_VIEWERS = 200_000
_SECONDS = 60
_START_MS = 1_800_000_000_000


def figures() -> list[Figure]:
    match = Match(viewers=_VIEWERS, seconds=_SECONDS, start_ms=_START_MS)
    events, bodies = _played(match)
    simulating, decoding = best_seconds([lambda: _play(match), lambda: [bare.decode(body) for body in bodies]], 3)
    decoded = sum(body.count(b'"event_id"') for body in bodies)
    bytes_each = sum(map(len, bodies)) / decoded
    per_event = simulating / events
    return [
        Figure("simulated events a second", events / simulating, "events/s", 4_200_000, f"{bytes_each:.0f} B each"),
        Figure("simulator ÷ bare decode", decoding / decoded / per_event, "×", 1.0, "throughput, the same bytes"),
        Figure("with the truth kept", events / _with_truth(match), "events/s"),
        Figure("state of a viewer", Crowd(match).nbytes / _VIEWERS, "B", 20, at_most=True),
    ]


def _played(match: Match) -> tuple[int, list[bytes]]:
    """How many events the run has, and a tenth of its posts as JSON arrays."""
    events, bodies = 0, []
    for step in Show(match, separator=b",").steps():
        for number, post in enumerate(step.posts):
            events += post.events
            if number % 10 == 0:
                bodies.append(b"[" + bytes(post.rows[:-1]) + b"]")
    return events, bodies


def _play(match: Match) -> None:
    crowd, posts = Crowd(match), Posts(match, b",")
    while not crowd.over:
        for _ in posts.cut(crowd.step(REPORT_EVERY_SECONDS), crowd.now):
            pass


def _with_truth(match: Match) -> float:
    started = perf_counter()
    crowd, posts, truth = Crowd(match), Posts(match, b","), Truth(match)
    while not crowd.over:
        happened = crowd.step(REPORT_EVERY_SECONDS)
        for _ in posts.cut(happened, crowd.now):
            pass
        for _ in truth.add(happened, crowd.now):
            pass
    return perf_counter() - started
