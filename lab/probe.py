"""How soon an event is seen: probes posted while the suite is under load, each timed until the API shows it.

A probe is one event on a content of its own, stamped with the moment at which it is made, and posted like any other.
It is seen when `audience/now` of that content, which is asked every 20 ms, counts it: when the window of the probe's
timestamp holds as many events as probes were posted into it. So the time holds the post itself, the stream, the
aggregation, and the second for which `audience/now` may be kept; it does not hold what a page's own polling adds.
The next probe waits until the last was seen and for a random while, so that it meets the kept answer at any age.
"""

import asyncio
import random
import time
from collections import Counter
from typing import Any, Final
from urllib.parse import quote

import httpx
import orjson

from events.timestamps import to_ms
from shared.units import WINDOW_MS

POLL_SECONDS: Final = 0.02
PAUSE_SECONDS: Final = 0.4
LOST_SECONDS: Final = 5.0
"""After the window has left `audience/now` a probe can no longer be seen there; it counts as this long."""


class Probe:
    """Probes one suite until it is cancelled. `seen` holds the seconds that each probe took."""

    def __init__(self, client: httpx.AsyncClient, content_id: str) -> None:
        self.seen: list[float] = []
        self.posted = 0
        self._client = client
        self._content_id = content_id
        self._path = f"/v1/contents/{quote(content_id, safe='')}/audience/now"
        self._in_window: Counter[int] = Counter()

    async def run(self) -> None:
        """One probe after the other. What the network does to one of them is no reason to stop."""
        while True:
            try:
                await self._probe()
            except httpx.TransportError:
                await asyncio.sleep(PAUSE_SECONDS)
            await asyncio.sleep(random.uniform(0, PAUSE_SECONDS))

    async def _probe(self) -> None:
        made = time.time()
        at = int(made * 1000)
        if not await self._post(at):
            return
        start = at - at % WINDOW_MS
        self._in_window[start] += 1
        while not await self._shows(start) and time.time() < made + LOST_SECONDS:
            await asyncio.sleep(POLL_SECONDS)
        self.seen.append(time.time() - made)

    async def _post(self, at: int) -> bool:
        """Whether the probe was taken. A post that was begun is ended and counted, cancelled or not."""
        content = self._body(at)
        posting = asyncio.ensure_future(
            self._client.post("/v1/events", content=content, headers={"content-type": _JSON})
        )
        posting.add_done_callback(self._count)
        try:
            return (await asyncio.shield(posting)).is_success
        except asyncio.CancelledError:
            await asyncio.wait([posting])
            raise

    def _count(self, posting: "asyncio.Future[httpx.Response]") -> None:
        self.posted += posting.exception() is None and posting.result().is_success

    def _body(self, at: int) -> bytes:
        name = f"probe-{self.posted}"
        event = {"event_type": "play", "event_timestamp": at, "content_id": self._content_id, "viewer_id": name}
        event["content_type"] = "vod"  # so that probes do not stand among what is on
        return orjson.dumps({"batch_id": f"{self._content_id}-{at}", "events": [{**event, "event_id": name}]})

    async def _shows(self, start: int) -> bool:
        answer = await self._client.get(self._path)
        if answer.is_error:
            return False
        windows: list[dict[str, Any]] = answer.json()["windows"]
        counted = (sum(window["events"].values()) for window in windows if to_ms(window["start"]) == start)
        return next(counted, 0) >= self._in_window[start]


_JSON: Final = "application/json"
