"""The suite under the real functions-framework, each function a process, with its data in the stand-ins."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest

from adapters.gcp.queue import url_variable
from adapters.gcp.suite import Suite, SystemClock
from lab.bench.served import free_port
from shared.rebuilding import REBUILD_ORDER
from shared.settings import Settings
from tests.contract.rigs.gcp_project import StandIns
from tests.e2e.framework import Served, checkout, served, start
from tests.emulators.pubsub_push import Pusher
from tests.emulators.smtp import smtp_server

FUNCTIONS = ("ingest", "aggregate", "merge_watch", "rebuild", "audience")
PATIENCE_SECONDS = 60
WRITE = {"authorization": "Bearer write", "content-type": "application/json"}
OPERATOR = {"authorization": "Bearer operator"}
KEYS = {"write-keys": {"web": "write"}, "operator-keys": {"ops": "operator"}}

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("functions-framework")]


@dataclass
class Cloud:
    """A project with its functions. `time` is the machine's."""

    project: StandIns
    suite: Suite
    at: dict[str, Served]

    def post(self, function: str, path: str, body: bytes = b"", **headers: str) -> int:
        return httpx.post(self.at[function].url + path, content=body, headers=headers, timeout=150).status_code

    def push(self, function: str) -> int:
        """Pub/Sub pushes what is due to a function; how many messages."""
        subscription = self.project.subscription("events", function)
        broker = self.project.servers.pubsub.broker
        return Pusher(broker, subscription, lambda body: self.post(function, "/", body)).push()

    def events(self, content: str) -> int:
        """How many events the audience API tells of a content."""
        answer = httpx.get(
            f"{self.at['audience'].url}/v1/contents/{content}/audience?resolution=5s", headers=OPERATOR, timeout=60
        )
        if answer.status_code == 404:
            return 0
        assert answer.status_code == 200, answer.text
        return sum(sum(window["events"].values()) for window in answer.json()["windows"])

    def play(self, content: str, viewers: int) -> None:
        """Viewers join, and say so."""
        now = time.time_ns() // 1_000_000
        events = [
            {
                "event_type": "join",
                "event_timestamp": now,
                "viewer_id": f"viewer-{n}",
                "session_id": f"s-{n}",
                "content_id": content,
            }
            for n in range(viewers)
        ]
        body = json.dumps({"batch_id": content, "events": events}).encode()
        assert self.post("ingest", "/v1/events", body, **WRITE) == 202


@contextmanager
def deployed(package_of: Callable[[str], Path | None]) -> Iterator[Cloud]:
    """The functions, each from its package or else from this checkout."""
    with ExitStack() as stack:
        project = StandIns(f"e2e-{token_hex(4)}", SystemClock(), stack.enter_context(smtp_server()))
        stack.callback(project.post_office.close)
        broker = project.servers.pubsub.broker
        broker.now, broker.longest_wait_seconds = time.time, 90.0
        for name, value in KEYS.items():
            project.set_secret(name, json.dumps(value).encode())
        worker = free_port()
        environ = {**project.environ, url_variable("rebuild"): f"http://127.0.0.1:{worker}/task"}
        suite = Suite(Settings(), environ)
        stack.callback(suite.close)
        at: dict[str, Served] = {}
        for function in FUNCTIONS:
            port = worker if function == "rebuild" else None
            at[function] = stack.enter_context(served(function, environ, package=package_of(function), port=port))
        yield Cloud(project, suite, at)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with deployed(lambda _: None) as running:
        yield running


def eventually(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_what_players_post_is_counted_once_pubsub_has_pushed_it(cloud: Cloud) -> None:
    cloud.play("final", 7)

    assert cloud.push("aggregate") >= 1
    assert cloud.push("aggregate") == 0

    assert cloud.events("final") == 7


def test_a_drain_counts_what_is_posted_while_it_waits_and_a_killed_one_loses_nothing(cloud: Cloud) -> None:
    with served("aggregate", cloud.project.environ) as drained:
        asked = threading.Thread(target=_drain, args=(drained.url,))
        asked.start()
        cloud.play("semifinal", 5)
        eventually(lambda: cloud.events("semifinal") == 5)
        drained.kill()
        asked.join(PATIENCE_SECONDS)
    cloud.play("third-place", 3)

    eventually(lambda: cloud.push("aggregate") > 0)
    assert cloud.events("third-place") == 3


def test_an_id_with_a_slash_and_a_head_request_reach_an_http_function(cloud: Cloud) -> None:
    cloud.play("cup/final", 2)
    cloud.push("aggregate")
    url = cloud.at["audience"].url

    assert cloud.events("cup%2Ffinal") == 2
    head = httpx.head(f"{url}/v1/contents/cup%2Ffinal/audience/now", headers=OPERATOR, timeout=60)
    assert (head.status_code, head.content) == (200, b"")


def test_without_a_key_nothing_is_taken(cloud: Cloud) -> None:
    assert cloud.post("ingest", "/v1/events", b"[]") == 401


def test_a_schedule_is_run_by_the_schedulers_post(cloud: Cloud) -> None:
    assert cloud.post("merge_watch", "/run", b"", **{"x-cloudscheduler": "true"}) == 204
    assert cloud.post("merge_watch", "/drain") == 404


def test_a_task_is_posted_until_its_order_is_carried_out(cloud: Cloud) -> None:
    cloud.suite.ports.queue("rebuild").send(REBUILD_ORDER)

    statuses = cloud.project.servers.tasks.deliver(f"{cloud.project.name}-rebuild", 1 << 50)

    assert statuses == [204]


def test_a_task_that_is_not_ours_is_kept_among_the_dead_letters(cloud: Cloud) -> None:
    cloud.suite.ports.queue("rebuild").send(b"\x00of someone else\xff")

    assert cloud.project.servers.tasks.deliver(f"{cloud.project.name}-rebuild", 1 << 50) == [204]

    letters = list(cloud.suite.ports.table("dead-letters").query("letters").items)
    assert any(b"no order to rebuild" in letter.value for letter in letters)


@pytest.mark.parametrize(
    ("function", "environ", "told"),
    [
        ("nobody", {}, "GRANDSTAND_FUNCTION='nobody' is no function of the suite. Set it to one of: ingest, "),
        ("ingest", {}, "GOOGLE_CLOUD_PROJECT is not set. Set it, for example GOOGLE_CLOUD_PROJECT=my-project."),
    ],
)
def test_a_function_without_its_settings_ends_with_one_line_that_names_them(
    tmp_path: Path, function: str, environ: dict[str, str], told: str
) -> None:
    process = start(function, environ, package=checkout(tmp_path), port=free_port(), stderr=subprocess.PIPE)
    try:
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()

    assert process.returncode == 1
    assert said.startswith(f"This function cannot start: {told}")
    assert said.count("\n") == 1


def _drain(url: str) -> Any:
    try:
        return httpx.post(f"{url}/drain", headers={"x-cloudscheduler": "true"}, timeout=150)
    except httpx.HTTPError:
        return None  # it was killed
