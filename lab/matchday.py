"""A match that is already under way: what has been is posted at once, the rest as it happens."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Final

import httpx

from lab.crowd.match import Match
from lab.crowd.play import EVENTS_PATH
from lab.crowd.show import Show

_BODY_BYTES: Final = 500_000
_AGAIN_SECONDS: Final = 0.2


@contextmanager
def under_way(
    url: str, *, viewers: int = 300, past_seconds: int = 1_800, seconds: int = 3_600, key: str | None = None
) -> Iterator[Match]:
    """Play a match of three contents into a suite; yields when its past is posted, and ends with the block.

    A suite that does not answer is asked again until it does, so it may be stopped and started under the match.
    Raises what the suite answers where it takes no events.
    """
    match = Match(viewers=viewers, seconds=seconds, start_ms=int((time.time() - past_seconds) * 1000))
    headers = {"authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
        playing = _Playing(match, client)
        with ThreadPoolExecutor(1) as pool:
            played = pool.submit(playing.play)
            try:
                while not playing.caught_up.wait(0.05) and not played.done():
                    pass
                if played.done():
                    played.result()
                yield match
            finally:
                playing.over.set()
        played.result()


class _Playing:
    """One run. `over` ends it."""

    def __init__(self, match: Match, client: httpx.Client) -> None:
        self.caught_up = Event()
        self.over = Event()
        self._match = match
        self._client = client
        self._bodies = 0

    def play(self) -> None:
        rows: list[bytes] = []
        for step in Show(self._match).steps():
            rows += [bytes(post.rows) for post in step.posts]
            ahead = (self._match.start_ms + step.now) / 1000 - time.time()
            if ahead <= 0 and sum(map(len, rows)) < _BODY_BYTES:
                continue
            if ahead > 0 and not self.caught_up.is_set():
                self._post(rows)
                self.caught_up.set()
            elif self.over.wait(max(0.0, ahead)):
                return
            else:
                self._post(rows)
            rows.clear()

    def _post(self, rows: list[bytes]) -> None:
        """Until it is taken: a body keeps its key, so it counts once."""
        self._bodies += 1
        headers = {"content-type": "application/x-ndjson", "idempotency-key": f"{self._match.run_id}-{self._bodies}"}
        while rows and not self.over.is_set():
            try:
                answer = self._client.post(EVENTS_PATH, content=b"".join(rows), headers=headers)
            except httpx.TransportError:
                self.over.wait(_AGAIN_SECONDS)
                continue
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                answer.raise_for_status()
                return
            self.over.wait(_AGAIN_SECONDS)
