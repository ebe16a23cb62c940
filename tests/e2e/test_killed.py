"""A suite that is killed over and over during a match: nothing is lost, and nothing is counted twice."""

import asyncio
import json
import math
import random
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lab.bench.served import free_port
from lab.crowd.match import Match
from lab.crowd.play import EVENTS_PATH
from lab.crowd.show import Show
from lab.oracle import Window, audience, longer
from lab.sender import Message, Sender
from shared.history.tables import FACTS
from tests.conftest import GRANDSTAND, wait_until_healthy

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("serve")]

KILLS: Final = 22
VIEWERS: Final = 7_500
"""Their kick-off brings more than 2,048 of them to the first content within 5 s, and fewer to the others."""
SECONDS: Final = 45
POSTS_A_LIFE: Final = 30
EXACT_LIMIT: Final = 2_048
PATIENCE: Final = 120.0
JSON: Final = {"content-type": "application/json"}
RESOLUTIONS: Final = {"5s": 5_000, "1m": 60_000, "1h": 3_600_000}


@dataclass
class Senders:
    """A simulated audience's senders, in a thread of their own, and all that they have ever sent."""

    url: str
    events: list[dict[str, Any]] = field(default_factory=list)
    posts: int = 0
    allowed: float = 0
    """How many posts may be begun so far."""
    interrupted: list[bytes] = field(default_factory=list)
    """Bodies of which the suite got half before it died; their senders send them again like the rest."""
    failure: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:
            self.failure = error

    def wait_for(self, posts: float) -> None:
        """Return when so many have been begun, or all."""
        eventually(lambda: self.posts >= posts or self.failure is not None, "the next posts")

    async def _run(self) -> None:
        match = Match(viewers=VIEWERS, seconds=SECONDS, start_ms=time.time_ns() // 1_000_000 - 1_000 * SECONDS)
        async with Sender(self.url, patience=PATIENCE) as sender:
            for step in Show(match, separator=b",", clocks=True, late=0.05, duplicates=0.05).steps():
                for post in step.posts:
                    await self._send(sender, post.body(), again=post.again)
                while self.interrupted:
                    await self._send(sender, self.interrupted.pop())
            await sender.drain()
            assert sender.tally.rejected == 0, sender.tally.reasons

    async def _send(self, sender: Sender, content: bytes, *, again: bool = False) -> None:
        while self.posts >= self.allowed:
            await asyncio.sleep(0.01)
        if not again:
            self.events += told(content)
        await sender.send(Message(EVENTS_PATH, content, headers=JSON, events=0))
        self.posts += 1


def told(content: bytes) -> list[dict[str, Any]]:
    """A body's events at their corrected times."""
    body = json.loads(content)
    offset = body.get("clock_offset_ms", 0)
    return [{**event, "event_timestamp": event["event_timestamp"] - offset} for event in body["events"]]


@contextmanager
def serving(data: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """`grandstand serve`, killed at the end; its processes must follow it by themselves."""
    log = data.parent / f"serve-{time.monotonic_ns()}.txt"
    command = [str(GRANDSTAND), "serve", "--data", str(data), "--port", str(port)]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as server:
        try:
            wait_until_healthy(f"http://127.0.0.1:{port}", server, log)
            yield server
        finally:
            children = psutil.Process(server.pid).children(recursive=True)
            server.kill()
            server.wait()
            _, alive = psutil.wait_procs(children, timeout=30)
            assert not alive


def eventually(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about in {patience:.0f} s"
        time.sleep(0.05)


def half_a_post(port: int, number: int) -> bytes:
    """Begin a post whose rest never comes; the whole body."""
    events = [
        {
            "event_type": "heartbeat",
            "event_timestamp": time.time_ns() // 1_000_000,
            "content_id": "match-02",
            "viewer_id": f"interrupted-{number}-{each}",
            "session_id": f"interrupted-{number}-{each}",
            "watched_ms": 1_000,
        }
        for each in range(5)
    ]
    body = json.dumps({"batch_id": f"interrupted-{number}", "events": events}).encode()
    head = f"POST {EVENTS_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[: len(body) // 2])
    return body


@pytest.mark.timeout(420)
def test_nothing_is_lost_or_counted_twice_however_often_the_suite_is_killed(tmp_path: Path) -> None:
    data, port, dice = tmp_path / "data", free_port(), random.Random()
    senders = Senders(f"http://127.0.0.1:{port}")
    sending = threading.Thread(target=senders.run)
    for number in range(KILLS):
        with serving(data, port):
            if not number:
                sending.start()
            senders.allowed += POSTS_A_LIFE
            senders.wait_for(senders.allowed - dice.randint(0, POSTS_A_LIFE))
            time.sleep(dice.uniform(0, 0.6))
            senders.interrupted.append(half_a_post(port, number))
    senders.allowed = math.inf
    with serving(data, port):
        sending.join(PATIENCE)
        assert not sending.is_alive()
        assert senders.failure is None
        check(senders, data)


def check(senders: Senders, data: Path) -> None:
    """Wait until all is drained, then compare every figure."""
    with httpx.Client(base_url=senders.url, timeout=30.0) as client:
        events = senders.events
        eventually(lambda: completeness(client)["counted"] >= len(events), "that all is counted")
        eventually(lambda: len(history(data)) >= len(events), "that all is in the history")
        assert Counter(history(data)) == Counter(identity(event) for event in events)
        check_completeness(completeness(client), len(events))
        for content_id, windows in audience(events).items():
            for resolution, length in RESOLUTIONS.items():
                check_windows(client, content_id, resolution, longer(windows, length))


def completeness(client: httpx.Client) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/v1/completeness").raise_for_status().json()
    return answer


def check_completeness(told: Mapping[str, Any], events: int) -> None:
    rejected = told["late"] + sum(told["rejected"].values())
    assert told["received"] == told["counted"] + told["duplicate"] + rejected + told["sampled_out"]
    assert (told["counted"], rejected, told["sampled_out"], told["dead_letters"]) == (events, 0, 0, 0)


def history(data: Path) -> list[tuple[Any, ...]]:
    """What tells each row of the history from the others; nothing before the first commit."""
    if not DeltaTable.is_deltatable(str(data / "history" / FACTS)):
        return []
    names = ["content_id", "event_type", "event_timestamp", "watched_ms", "event_id"]
    rows = pa.table(DeltaTable(data / "history" / FACTS).to_pyarrow_table(columns=names)).to_pylist()
    return [
        (*list(row.values())[:2], round(row["event_timestamp"].timestamp() * 1_000), row["watched_ms"])
        for row in rows
    ]


def identity(event: Mapping[str, Any]) -> tuple[Any, ...]:
    return event["content_id"], event["event_type"], event["event_timestamp"], event.get("watched_ms")


def check_windows(client: httpx.Client, content_id: str, resolution: str, expected: Mapping[int, Window]) -> None:
    """Sums exactly; viewers exactly where a state can be exact, else within four of the errors it states."""
    query: dict[str, Any] = {"from": min(expected), "to": max(expected) + 1, "resolution": resolution}
    answer = client.get(f"/v1/contents/{content_id}/audience", params=query).raise_for_status().json()
    found = {round(datetime.fromisoformat(each["start"]).timestamp() * 1_000): each for each in answer["windows"]}
    assert found.keys() == expected.keys()
    small = all(len(window.viewers) <= EXACT_LIMIT for window in expected.values())
    for start, window in expected.items():
        told = found[start]
        assert told["events"] == dict(window.events)
        assert told["watched_ms"] == window.watched_ms
        assert abs(told["viewers"] - len(window.viewers)) <= 4 * told["viewers_error"]
        assert abs(told["concurrent"] - window.concurrent) <= 4 * told["concurrent_error"]
        assert told["viewers_error"] == 0 or len(window.viewers) > EXACT_LIMIT
        assert told["concurrent_error"] == 0 or not small
