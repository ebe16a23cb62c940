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

PATIENCE = 60.0


class Running:
    """A suite of two HTTP processes and one of consumers."""

    def __init__(self, url: str, supervisor: psutil.Process) -> None:
        self.url = url
        self.supervisor = supervisor
        self.posted = 0

    def post(self, events: int) -> None:
        now = int(time.time() * 1_000)
        event = {"event_type": "heartbeat", "event_timestamp": now, "content_id": "match", "session_id": "s"}
        body = {"batch_id": f"b{now}-{self.posted}", "events": [event] * events}
        assert httpx.post(f"{self.url}/v1/events", json=body, timeout=PATIENCE).status_code == 202
        self.posted += events

    def health(self) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(f"{self.url}/v1/health", timeout=PATIENCE).raise_for_status().json()
        return answer

    def function(self, name: str) -> dict[str, Any]:
        return next(each for each in self.health()["functions"] if each["name"] == name)

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
    eventually(lambda: running.function("ingest")["instances"] == 2)
    for _ in range(5):
        running.post(20)

    eventually(lambda: running.health()["lag"]["events"] == running.posted)
    told = running.health()
    ingest, aggregate, *_ = told["functions"]
    for function in (ingest, aggregate):
        assert function["state"] == "ok"
        assert function["events_in_per_second"] > 0
        assert function["events_out_per_second"] > 0
        assert function["duration_ms_p99"] > 0
    assert aggregate["waiting"] == 0
    assert 0 < told["lag"]["received_to_visible_ms_p50"] <= told["lag"]["event_to_visible_ms_p99"]
    eventually(lambda: running.delay_ms() == 0)
    eventually(lambda: running.function("archive")["events_out_per_second"])
    eventually(lambda: running.function("commit")["events_out_per_second"])
    eventually(lambda: running.function("watch")["events_in_per_second"])

    running.supervisor.suspend()  # so that it starts no other
    running.consumer().kill()
    running.post(20)
    eventually(lambda: running.function("aggregate")["state"] == "silent")
    told = running.health()
    assert (told["bottleneck"]["function"], told["bottleneck"]["why"]) == ("aggregate", "silent")
    assert running.function("ingest")["state"] == "ok"
    eventually(lambda: (running.delay_ms() or 0) > 15_000)

    running.supervisor.resume()
    eventually(lambda: running.function("aggregate")["events_out_per_second"])
    eventually(lambda: running.health()["bottleneck"] is None)
    eventually(lambda: running.delay_ms() == 0)
