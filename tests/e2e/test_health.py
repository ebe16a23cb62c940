"""What a running suite says of itself, also while a part of it is dead."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from lab.bench.served import free_port
from tests.conftest import GRANDSTAND, stop, wait_until_healthy

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("serve")]

PATIENCE = 90.0


class Running:
    """A suite of two HTTP processes and one of consumers."""

    def __init__(self, url: str, supervisor: psutil.Process) -> None:
        self.url = url
        self.supervisor = supervisor
        self.posted = 0

    def post(self, events: int) -> None:
        now = int(time.time() * 1_000)
        session = {"content_id": "match", "session_id": "s", "viewer_id": "ada"}
        event = {"event_type": "heartbeat", "event_timestamp": now, "watched_ms": 5_000, **session}
        body = {"batch_id": f"b{now}-{self.posted}", "events": [event] * events}
        assert httpx.post(f"{self.url}/v1/events", json=body, timeout=PATIENCE).status_code == 202
        self.posted += events

    def health(self) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(f"{self.url}/v1/health", timeout=PATIENCE).raise_for_status().json()
        return answer

    def function(self, name: str) -> dict[str, Any]:
        return next(each for each in self.health()["functions"] if each["name"] == name)

    def bottleneck(self) -> tuple[str, str] | None:
        found = self.health()["bottleneck"]
        return found and (found["function"], found["why"])

    def delay_ms(self) -> int | None:
        now = httpx.get(f"{self.url}/v1/contents/match/audience/now", timeout=PATIENCE).raise_for_status()
        told: int | None = now.json()["delay_ms"]
        return told

    def consumer(self) -> psutil.Process:
        """The process that listens on nothing."""
        (found,) = (
            child
            for child in self.supervisor.children()
            if not any(each.status == psutil.CONN_LISTEN for each in child.net_connections("tcp"))
        )
        return found


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    port, log = free_port(), tmp_path / "serve.txt"
    command = [str(GRANDSTAND), "serve", "--data", str(tmp_path / "data"), "--port", str(port), "--workers", "2"]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_healthy(url, server, log)
            yield Running(url, psutil.Process(server.pid))
        finally:
            stop(server)


def eventually(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)


def test_a_suite_tells_what_it_counted_and_a_dead_consumer_until_it_heals(running: Running) -> None:
    def working() -> bool:
        """Whether events are told to go in and out; more are posted first, for only the last half minute is told."""
        running.post(20)
        told = running.health()
        ingest, aggregate, *_ = told["functions"]
        return bool(
            ingest["instances"] == 2
            and all(each["state"] == "ok" and each["events_in_per_second"] for each in (ingest, aggregate))
            and all(each["events_out_per_second"] and each["duration_ms_p99"] for each in (ingest, aggregate))
            and 0 < told["lag"]["events"] <= running.posted
            and 0 < told["lag"]["received_to_visible_ms_p50"] <= told["lag"]["event_to_visible_ms_p99"]
        )

    eventually(working)
    eventually(lambda: running.delay_ms() == 0)
    others = ("archive", "commit", "watch")
    eventually(lambda: working() and all(running.function(name)["events_out_per_second"] for name in others))

    running.supervisor.suspend()  # so that it starts no other
    running.consumer().kill()
    running.post(20)
    eventually(lambda: running.bottleneck() == ("aggregate", "silent"))
    eventually(lambda: (running.delay_ms() or 0) > 15_000)

    running.supervisor.resume()
    eventually(working)
    eventually(lambda: running.delay_ms() == 0)
