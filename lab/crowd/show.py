"""A whole run: step after step, what is posted and what is true."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from lab.crowd.crowd import Crowd
from lab.crowd.match import Match
from lab.crowd.posts import Post, Posts
from lab.crowd.truth import TrueWindow, Truth

REPORT_EVERY_SECONDS = 10
"""How often players report unless the suite asks otherwise."""


@dataclass(slots=True)
class Step:
    """Half a second of the run, which has come to `now` (ms since start)."""

    now: int
    posts: Iterator[Post]
    """Made as they are asked for: take them all before the next step."""
    windows: list[TrueWindow]


@dataclass
class Show:
    """A match and how it is told. `truth` is kept only when asked for: it costs time and 9 bytes a viewer."""

    match: Match
    late: float = 0
    duplicates: float = 0
    truth: bool = False
    separator: bytes = b"\n"
    clocks: bool = False
    """Whether senders' known clock errors are in the rows, as they are when posted with `clock_offset_ms`."""
    _counter: Truth | None = field(default=None, init=False)
    peak: int = field(default=0, init=False)
    """The most viewers who truly watched at the end of a window, all contents together."""

    def steps(self, report_every: Callable[[], int] = lambda: REPORT_EVERY_SECONDS) -> Iterator[Step]:
        """The run; then one more step with what was held back. `report_every` is asked at each step."""
        crowd = Crowd(self.match)
        posts = Posts(self.match, self.separator, late=self.late, duplicates=self.duplicates, clocks=self.clocks)
        self._counter = truth = Truth(self.match) if self.truth else None
        while not crowd.over:
            happened = crowd.step(report_every())
            windows = self._seen(truth.add(happened, crowd.now)) if truth else []
            yield Step(crowd.now, posts.cut(happened, crowd.now), windows)
        yield Step(crowd.now, posts.rest(), self.finish())

    def finish(self) -> list[TrueWindow]:
        """The windows that are still open; a run that is broken off asks for them itself."""
        return self._seen(self._counter.finish()) if self._counter else []

    def _seen(self, closed: Iterable[TrueWindow]) -> list[TrueWindow]:
        windows = list(closed)
        by_start: dict[int, int] = {}
        for window in windows:
            by_start[window.start_ms] = by_start.get(window.start_ms, 0) + window.concurrent
        self.peak = max(self.peak, *by_start.values(), 0)
        return windows
