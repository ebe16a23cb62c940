"""A suite in memory from the stream on: records are told to `aggregate`, the roller runs when a test says so."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self

from events.event import Event
from functions.aggregate.handler import make as make_aggregate
from functions.audience.routes import make as make_audience
from functions.http.app import build_app
from functions.operations.routes import make as make_operations
from functions.roll.handler import GRACE_MS
from functions.roll.handler import make as make_roller
from lab.memory import MemoryClock, MemorySecrets, MemorySuite
from shared.audience.dirty import DIRTY_TABLE, partitions
from shared.ports import query_all
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE
from tests.asgi import Client
from tests.builders import KICK_OFF, delivered, packed

KEYS = {
    "write_keys": b'{"site": "write-secret"}',
    "publish_keys": b'{"page": "publish-secret"}',
    "operator_keys": b'{"ops": "operator-secret"}',
}
OPERATOR = {"Authorization": "Bearer operator-secret"}
PUBLISH = {"Authorization": "Bearer publish-secret"}


class Stage:
    """`tell` some events, `roll`, and ask the API with `client`."""

    def __init__(self, *, loopback: bool = True, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = MemoryClock(KICK_OFF)
        self.suite = MemorySuite(self.clock)
        self.ports = replace(self.suite.ports, secrets=MemorySecrets(**KEYS))
        self.aggregate = make_aggregate(self.ports, self.settings)
        self.roller = make_roller(self.ports, self.settings)
        endpoints = [*make_audience(self.ports, self.settings), *make_operations(self.ports, self.settings)]
        self.client = Client(build_app(endpoints, self.ports, self.settings, loopback=loopback))

    def tell(self, events: Iterable[Event], **header: Any) -> None:
        """One record of one content's events, counted; the clock is not moved."""
        record = delivered(packed(events, **header), first_appended_at=self.clock.now_ms())
        assert self.aggregate([record], NO_DEADLINE) == [DONE]

    def at(self, time_ms: int) -> Self:
        """Move the clock to ms after kick-off."""
        self.clock.time_ms = KICK_OFF + time_ms
        return self

    def roll(self, times: int = 4) -> None:
        """Run the roller as often as it takes to get from fresh marks to settled hours."""
        for _ in range(times):
            self.roller(NO_DEADLINE)
            self.clock.advance(GRACE_MS)

    def marks(self) -> list[str]:
        """The dirty marks there are, by their sort keys."""
        table = self.ports.table(DIRTY_TABLE)
        return sorted(item.sort for partition in partitions() for item in query_all(table, partition))

    def windows(self, content_id: str = "match", **query: Any) -> list[dict[str, Any]]:
        """The windows that the API tells of a content; `since` stands for `from`."""
        if "since" in query:
            query["from"] = query.pop("since")
        answer = self.client.get(f"/v1/contents/{content_id}/audience", params=query)
        assert answer.status_code == 200, answer.text
        windows: list[dict[str, Any]] = answer.json()["windows"]
        return windows
