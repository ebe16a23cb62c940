"""A suite in memory with a catalogue, marks and an overview beside the audience."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import httpx

from functions.contents.models import OverviewAnswer
from functions.contents.routes import make
from functions.http.app import build_app
from tests.asgi import Client
from tests.builders import KICK_OFF, event
from tests.unit.audience.stage import Stage as AudienceStage

Credential = dict[str, str]


class Stage(AudienceStage):
    """Beside `tell` and `at`: viewers who watch, what the catalogue says, and what the overview tells."""

    def __init__(self, *, loopback: bool = True) -> None:
        super().__init__(loopback=loopback)
        from functions.audience.routes import make as make_audience

        endpoints = [*make_audience(self.ports, self.settings), *make(self.ports, self.settings)]
        self.client = Client(build_app(endpoints, self.ports, self.settings, loopback=loopback))

    def watch(self, content_id: str, viewers: int | Iterable[str], at_ms: int = 0, **fields: Any) -> None:
        """Each viewer reports once, at ms after kick-off."""
        names = [f"viewer {n}" for n in range(viewers)] if isinstance(viewers, int) else viewers
        content_type = fields.pop("content_type", None)
        told = {"event_timestamp": KICK_OFF + at_ms, "content_id": content_id, **fields}
        self.tell([event(viewer_id=name, **told) for name in names], content_type=content_type)

    def put(self, content_id: str, title: str = "Final", *, headers: Credential | None = None, **fields: Any) -> Any:
        """What the catalogue answers when it is told of a content."""
        body = {"title": title, **fields}
        return self.client.put(path(content_id), json=body, headers=headers)

    def overview(self, headers: Credential | None = None, **query: Any) -> dict[str, Any]:
        """The overview, which keeps to its model."""
        return told(self.client.get("/v1/overview", params=query, headers=headers))

    def live(self, headers: Credential | None = None, **query: Any) -> list[str]:
        """The ids of the live contents, in order."""
        return [one["content_id"] for one in self.overview(headers, **query)["live"]]


def told(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    OverviewAnswer.model_validate_json(answer.content)
    shown: dict[str, Any] = answer.json()
    return shown


def path(content_id: str, *rest: str) -> str:
    return "/".join(("/v1/contents", quote(content_id, safe=""), *rest))
