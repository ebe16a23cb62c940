"""How events leave the players: gathered by senders, some of them late, some of them twice."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final

import numpy as np

from lab.crowd import population
from lab.crowd.crowd import Happenings
from lab.crowd.lines import Lines
from lab.crowd.match import Match

SENDERS: Final = 8
MAX_VIEWERS_PER_SENDER: Final = 4_000
MAX_EVENTS: Final = 500
_RENDERED_AT_ONCE: Final = 4_096
_LATE_SECONDS: Final = (5, 120)
_AGAIN_SECONDS: Final = (1, 15)


@dataclass(frozen=True, slots=True)
class Post:
    """One body of one sender: `rows` are its events, each followed by the separator."""

    batch_id: str
    clock_offset_ms: int
    events: int
    rows: memoryview
    late: bool = False
    again: bool = False
    """Whether it was sent before, byte for byte."""

    def body(self) -> bytes:
        """As `POST /v1/events` takes it. The rows must have been written with a comma for a separator."""
        head = f'{{"batch_id":"{self.batch_id}","clock_offset_ms":{self.clock_offset_ms},"events":['
        return b"".join((head.encode(), self.rows[:-1], b"]}"))


class Posts:
    """Cuts what happened into posts.

    `late` is the share of posts that is held back for 5 to 120 s, `duplicates` the share that is sent a second time
    1 to 15 s later; neither outlasts the run. Senders whose clock is off tell so, unless `clocks` is false: then
    the rows state the corrected times, as a file of events must.
    """

    def __init__(
        self, match: Match, separator: bytes, *, late: float = 0, duplicates: float = 0, clocks: bool = True
    ) -> None:
        self._run_id = match.run_id
        self._lines = Lines(match, separator)
        self._late = late
        self._duplicates = duplicates
        self._rng = np.random.default_rng([match.seed, 2])
        self._per_sender = min(-(-match.viewers // SENDERS), MAX_VIEWERS_PER_SENDER)
        senders = -(-match.viewers // self._per_sender)
        offsets = population.clock_offsets(senders, np.random.default_rng([match.seed, 3]))
        self._offsets = offsets if clocks else np.zeros_like(offsets)
        self._held: list[tuple[int, int, Post]] = []
        self._steps = 0
        self._number = 0

    def cut(self, happened: Happenings, now: int) -> Iterator[Post]:
        """What is posted in the step that has come to `now` (ms since start)."""
        for post in self._cut(happened):
            delay = self._delay(self._late, _LATE_SECONDS)
            again = self._delay(self._duplicates, _AGAIN_SECONDS)
            if delay:
                self._hold(replace(post, late=True), now + delay)
            else:
                yield post
            if again:
                self._hold(replace(post, late=bool(delay), again=True), now + delay + again)
        self._steps += 1
        while self._held and self._held[0][0] <= now:
            yield heappop(self._held)[2]

    def rest(self) -> Iterator[Post]:
        """What is still held back when the run ends."""
        while self._held:
            yield heappop(self._held)[2]

    def _delay(self, share: float, seconds: tuple[int, int]) -> int:
        """In ms; 0 for a post that is not chosen."""
        if not share or self._rng.random() >= share:
            return 0
        return int(self._rng.integers(seconds[0] * 1000, seconds[1] * 1000))

    def _hold(self, post: Post, until: int) -> None:
        self._number += 1
        alone = replace(post, rows=memoryview(bytes(post.rows)))  # not with all that was rendered beside it
        heappush(self._held, (until, self._number, alone))

    def _cut(self, happened: Happenings) -> Iterator[Post]:
        if not len(happened):
            return
        sender = happened.viewer // self._per_sender
        if (sender[1:] < sender[:-1]).any():
            order = np.argsort(sender, kind="stable")
            happened, sender = happened.pick(order), sender[order]
        edges = [0, *(np.flatnonzero(sender[1:] != sender[:-1]) + 1).tolist(), len(sender)]
        cuts = [start for a, b in pairwise(edges) for start in range(a, b, MAX_EVENTS)]
        cuts.append(len(sender))
        first = 0
        while first < len(cuts) - 1:
            last = first + 1
            while last < len(cuts) - 1 and cuts[last + 1] - cuts[first] <= _RENDERED_AT_ONCE:
                last += 1
            base = cuts[first]
            part = happened.pick(slice(base, cuts[last]))
            rows = self._lines.render(part, self._offsets[sender[base : cuts[last]]])
            for index in range(first, last):
                start, end = cuts[index], cuts[index + 1]
                who = int(sender[start])
                yield Post(
                    batch_id=f"{self._run_id}-{self._steps:06d}-{who:05d}-{index:05d}",
                    clock_offset_ms=int(self._offsets[who]),
                    events=end - start,
                    rows=rows[(start - base) * self._lines.width : (end - base) * self._lines.width],
                )
            first = last
