"""Queues in Cloud Tasks, delivered to an address as the service would."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from grpc import StatusCode

from adapters.gcp.clients import Clients
from adapters.gcp.queue import MAX_DELAY_SECONDS, GcpQueue, TasksClient
from lab.memory import MemoryClock
from shared.errors import Misconfigured, Throttled, Unavailable
from shared.ports import MAX_MESSAGE_BYTES
from tests.emulators.cloud_tasks import CloudTasks


@dataclass
class Worker:
    """The function that handles the messages; it answers with `statuses`, then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            worker.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(worker.statuses.pop(0) if worker.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    worker.url = f"http://127.0.0.1:{server.server_port}/rebuild"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield worker
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture
def queue(tasks_server: CloudTasks, worker: Worker, clock: MemoryClock, name: str, closing: ExitStack) -> GcpQueue:
    environ = {
        "GOOGLE_CLOUD_PROJECT": "suite",
        "GRANDSTAND_NAME": name,
        "GRANDSTAND_REGION": "europe-west1",
        "GRANDSTAND_INVOKER": "invoker@suite.iam.gserviceaccount.com",
        "GRANDSTAND_QUEUE_URL_SLOW_WORK": worker.url,
        **tasks_server.environ,
    }
    clients = Clients(environ)
    closing.callback(clients.close)
    return GcpQueue(TasksClient(clients), environ, "slow-work", clock)


def test_a_message_is_posted_to_its_function_with_a_token_for_it(
    queue: GcpQueue, tasks_server: CloudTasks, worker: Worker, clock: MemoryClock, name: str
) -> None:
    queue.send(b"\x00build\xff")
    (task,) = tasks_server.due(f"{name}-slow-work", clock.now_ms())

    assert tasks_server.deliver(f"{name}-slow-work", clock.now_ms()) == [200]

    assert task.name.startswith(f"projects/suite/locations/europe-west1/queues/{name}-slow-work/tasks/")
    assert (task.invoker, task.audience) == ("invoker@suite.iam.gserviceaccount.com", worker.url)
    ((headers, body),) = worker.received
    assert body == b"\x00build\xff"
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-cloudtasks-taskretrycount"] == "0"
    assert tasks_server.deliver(f"{name}-slow-work", clock.now_ms()) == []


@pytest.mark.parametrize(
    ("url", "audience"),
    [
        ("https://suite-rebuild-123.europe-west1.run.app/task", "https://suite-rebuild-123.europe-west1.run.app"),
        ("https://europe-west1-p.cloudfunctions.net/rebuild", "https://europe-west1-p.cloudfunctions.net/rebuild"),
    ],
)
def test_a_token_is_for_the_service_as_it_knows_itself(
    queue: GcpQueue, tasks_server: CloudTasks, clock: MemoryClock, *, name: str, url: str, audience: str
) -> None:
    queue._url = url
    queue.send(b"build")

    assert [task.audience for task in tasks_server.due(f"{name}-slow-work", clock.now_ms())] == [audience]


def test_what_is_not_answered_with_success_comes_again_after_a_pause(
    queue: GcpQueue, tasks_server: CloudTasks, worker: Worker, clock: MemoryClock, name: str
) -> None:
    worker.statuses = [500, 503]
    queue.send(b"1")

    assert tasks_server.deliver(f"{name}-slow-work", clock.now_ms()) == [500]
    assert tasks_server.deliver(f"{name}-slow-work", clock.now_ms()) == []
    clock.advance(1_000)
    assert tasks_server.deliver(f"{name}-slow-work", clock.now_ms()) == [503]
    clock.advance(1_000)
    assert tasks_server.deliver(f"{name}-slow-work", clock.now_ms()) == [200]
    assert [headers["x-cloudtasks-taskretrycount"] for headers, _ in worker.received] == ["0", "1", "2"]


def test_a_delayed_message_waits_for_up_to_thirty_days(
    queue: GcpQueue, tasks_server: CloudTasks, clock: MemoryClock, name: str
) -> None:
    queue.send(b"later", delay_seconds=MAX_DELAY_SECONDS)
    clock.advance(MAX_DELAY_SECONDS * 1_000 - 1)
    assert tasks_server.due(f"{name}-slow-work", clock.now_ms()) == []

    clock.advance(1)

    assert [task.body for task in tasks_server.due(f"{name}-slow-work", clock.now_ms())] == [b"later"]


def test_the_largest_message_fits_and_what_is_past_the_limits_is_a_value_error(
    queue: GcpQueue, tasks_server: CloudTasks, name: str
) -> None:
    queue.send(bytes(MAX_MESSAGE_BYTES))

    with pytest.raises(ValueError, match=str(MAX_MESSAGE_BYTES)):
        queue.send(bytes(MAX_MESSAGE_BYTES + 1))
    for delay in (-1, MAX_DELAY_SECONDS + 1):
        with pytest.raises(ValueError, match="delay_seconds"):
            queue.send(b"", delay_seconds=delay)
    assert len(tasks_server.due(f"{name}-slow-work", 0)) == 1


def test_a_lost_answer_sends_it_twice_rather_than_never(queue: GcpQueue, tasks_server: CloudTasks, name: str) -> None:
    tasks_server.faults.fail("CreateTask", StatusCode.UNAVAILABLE, after=True)

    queue.send(b"1")

    assert [task.body for task in tasks_server.due(f"{name}-slow-work", 0)] == [b"1", b"1"]


def test_throttling_and_an_outage_are_told(queue: GcpQueue, tasks_server: CloudTasks, name: str) -> None:
    tasks_server.faults.fail("CreateTask", StatusCode.RESOURCE_EXHAUSTED, 5)
    with pytest.raises(Throttled, match=f"{name}-slow-work"):
        queue.send(b"1")
    with tasks_server.faults.down(), pytest.raises(Unavailable, match=f"{name}-slow-work"):
        queue.send(b"1")


def test_a_queue_that_is_not_there_and_a_role_that_is_missing_are_named(
    queue: GcpQueue, tasks_server: CloudTasks, name: str
) -> None:
    tasks_server.missing.add(f"{name}-slow-work")
    with pytest.raises(Misconfigured, match=f"no such thing as the queue .*{name}-slow-work"):
        queue.send(b"1")
    tasks_server.faults.fail("CreateTask", StatusCode.PERMISSION_DENIED, detail="lacks cloudtasks.tasks.create")
    with pytest.raises(Misconfigured, match=r"roles/cloudtasks\.enqueuer"):
        queue.send(b"1")
