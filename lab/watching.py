"""Watches the audience through the HTTP API, as an operator's page does."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx


@dataclass(frozen=True, slots=True)
class Watched:
    """A content's audience as `audience/now` tells it."""

    content_id: str
    viewers: int
    concurrent: int


class Watcher:
    """Asks for the audience of some contents."""

    def __init__(self, client: httpx.AsyncClient, content_ids: list[str]) -> None:
        self._client = client
        self._content_ids = content_ids

    async def now(self) -> list[Watched]:
        """Each content's audience now; zeros for one of which nothing is known yet."""
        return list(await asyncio.gather(*map(self._now, self._content_ids)))

    async def completeness(self) -> dict[str, Any]:
        """What became of everything so far."""
        return await self._get("/v1/completeness") or {"received": 0, "counted": 0}

    async def peak(self, since_ms: int, until_ms: int) -> int:
        """The most viewers who watched at the end of a window, all contents together."""
        by_start: dict[str, int] = defaultdict(int)
        for content_id in self._content_ids:
            path = f"/v1/contents/{quote(content_id, safe='')}/audience"
            answer = await self._get(path, {"from": since_ms, "to": until_ms, "resolution": "5s"})
            for window in (answer or {"windows": []})["windows"]:
                by_start[window["start"]] += window["concurrent"]
        return max(by_start.values(), default=0)

    async def _now(self, content_id: str) -> Watched:
        answer = await self._get(f"/v1/contents/{quote(content_id, safe='')}/audience/now")
        if answer is None:
            return Watched(content_id, 0, 0)
        return Watched(content_id, answer["viewers"], answer["concurrent"])

    async def _get(self, path: str, query: dict[str, int | str] | None = None) -> dict[str, Any] | None:
        answer = await self._client.get(path, params=query)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        told: dict[str, Any] = answer.raise_for_status().json()
        return told
