"""A match as packages see it: each function is asked for what it is there for, over its cloud's own triggers."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from events.event import Event
from functions.archive.handler import make as make_archive
from shared.dead_letters import DeadLetters
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE, Record
from shared.units import HOUR_MS, MINUTE_MS
from tests.builders import delivered, event, packed
from tests.contract.rig import Entry

WRITE = {"content-type": "application/json", "authorization": "Bearer write"}
OPERATOR = {"content-type": "application/json", "authorization": "Bearer operator"}
VIEWERS = ("ada", "bea", "cor", "dee", "eve")
MATCH, LATE = "match", "late"
BEYOND_HORIZON = "beyond_horizon"


class Place(Protocol):
    """Where the functions run."""

    ports: Ports

    def __getitem__(self, name: str) -> Entry: ...


class Story:
    """What is done in a place, and asserted of it. `now`: when its viewers' events happened, ms since epoch."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.now = time.time_ns() // 1_000_000
        self.yesterday = self.now - 26 * HOUR_MS

    def ask(self, function: str, method: str, target: str, said: object = None) -> Any:
        """What an operator is answered; None for an answer without a body."""
        return self._asked(function, method, target, OPERATOR, said)

    def report(self, **more: object) -> None:
        """Five viewers watch, and say so."""
        events = [
            {
                "event_type": "heartbeat",
                "event_timestamp": self.now - 5_000,
                "content_id": MATCH,
                "viewer_id": viewer,
                "session_id": f"{viewer}-tv",
                "event_id": f"{viewer}-1",
                "watched_ms": 5_000,
            }
            for viewer in VIEWERS
        ]
        told = self._asked("ingest", "POST", "/v1/events", WRITE, {"events": events, **more})
        assert told["accepted"] == len(VIEWERS)

    def counted(self, content: str, at: int) -> int:
        """How many events the audience knows of, in the minutes around a moment."""
        since, to = _rfc3339(at - MINUTE_MS), _rfc3339(at + MINUTE_MS)
        target = f"/v1/contents/{content}/audience?resolution=5s&from={since}&to={to}"
        return sum(sum(window["events"].values()) for window in self.ask("audience", "GET", target)["windows"])

    def kept(self) -> int:
        """How many events the history holds, read from here."""
        (row,) = self.place.ports.warehouse().query("SELECT count(*) AS n FROM fact_stream_events", {})
        return int(str(row["n"]))

    def come_late(self) -> Sequence[Record]:
        """Records of yesterday that `archive` took in, and that came to `aggregate` past the horizon."""
        at = self.yesterday
        late = [delivered(packed([_late(at)], received_at=at), first_appended_at=at) for _ in range(2)]
        assert make_archive(self.place.ports, Settings())(late, NO_DEADLINE) == [DONE] * len(late)
        letters = DeadLetters(self.place.ports, Settings())
        for record in late:
            letters.put(record, BEYOND_HORIZON, "aggregate")
        return late

    def _asked(self, function: str, method: str, target: str, headers: Mapping[str, str], said: object) -> Any:
        body = b"" if said is None else json.dumps(said).encode()
        answer = self.place[function].http(method, target, headers=headers, body=body)
        assert 200 <= answer.status < 300, (function, target, answer.body)
        return json.loads(answer.body) if answer.body else None


def _late(at: int) -> Event:
    return event(event_timestamp=at, content_id=LATE)


def _rfc3339(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
