"""A history of what some viewers watched, and the API that tells of it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.common.warehouse import DeltaWarehouse
from events.event import Event
from functions.http.app import build_app
from functions.preferences.routes import make
from shared.ports import Ports, Warehouse
from shared.settings import Settings
from shared.units import HOUR_MS
from tests.asgi import Client
from tests.builders import KICK_OFF, delivered, event, packed
from tests.unit.history.world import World


class Counting:
    """A warehouse that notes how often it is asked."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self.asked = 0

    def query(self, sql: str, parameters: dict[str, object]) -> list[dict[str, object]]:
        self.asked += 1
        return self._warehouse.query(sql, parameters)


class Stage:
    """Half an hour after kick-off."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.clock = self.world.clock
        self.clock.time_ms = KICK_OFF + HOUR_MS // 2
        self.warehouse = Counting(DeltaWarehouse(self.world.ports.history_uri))
        self.ports: Ports = replace(self.world.ports, warehouse=lambda: self.warehouse)
        app = build_app(make(self.ports, Settings()), self.ports, Settings(), loopback=True)
        self.client = Client(app)

    def happened(self, events: Iterable[Event], **header: Any) -> None:
        """These events reach the history, in a record for each content."""
        by_content: dict[str, list[Event]] = {}
        for each in events:
            by_content.setdefault(each.content_id, []).append(each)
        self.world.stage(*(delivered(packed(told, **header)) for told in by_content.values()))
        self.world.commit()

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


def watching(content_id: str, *viewers: str, **fields: Any) -> list[Event]:
    """A heartbeat of each of these viewers, each on a device of their own."""
    told = {"watched_ms": 10_000, **fields}
    return [
        event(content_id=content_id, viewer_id=name, session_id=f"{name}-{content_id}", **told) for name in viewers
    ]


def crowd(prefix: str, size: int) -> list[str]:
    """Names for so many viewers."""
    return [f"{prefix}{number}" for number in range(size)]
