"""What Google Cloud does around a function: Cloud Scheduler's drains and schedules, Pub/Sub's pushes, Cloud Tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route

from adapters.common.environment import hosted_function
from adapters.gcp.delivery import MARGIN_MS
from adapters.gcp.drain import SHORTEST_WAIT_SECONDS, Drain
from adapters.gcp.entry import Deployment
from functions.manifest import OnQueue, OnStream
from lab.memory import MemoryClock
from shared.stream import NO_DEADLINE, Message
from tests.asgi import Client
from tests.contract.rig import HttpAnswer
from tests.contract.rigs.gcp_project import Project, Tasks
from tests.emulators.cloud_tasks import StoredTask
from tests.emulators.pubsub_push import Pusher

METHODS: Final = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]
"""Those that functions-framework routes to a function."""
ONE_PULL_SECONDS: Final = SHORTEST_WAIT_SECONDS + 0.05
"""What a drain is given in a test: time to pull once."""


@dataclass(frozen=True)
class DrainPoller:
    """A consumer that drains its subscription, one batch at a time."""

    drain: Drain
    patience_seconds: float

    def poll(self) -> int:
        return self.drain.once(NO_DEADLINE, self.patience_seconds)


@dataclass(frozen=True)
class PushPoller:
    """A consumer to which its subscription is pushed, message by message."""

    pusher: Pusher

    def poll(self) -> int:
        return self.pusher.push()


@dataclass(frozen=True, slots=True)
class Received(Message):
    """A task's body, and the task."""

    task: StoredTask


class TaskReceiver:
    """How Cloud Tasks hands out a queue's messages: a task that is being tried is not tried again meanwhile."""

    def __init__(self, tasks: Tasks, queue: str, clock: MemoryClock) -> None:
        self._tasks = tasks
        self._queue = queue
        self._clock = clock

    def receive(self, limit: int = 10, lease_ms: int = 30_000) -> Sequence[Received]:
        now = self._clock.now_ms()
        due = self._tasks.due(self._queue, now, limit)
        received = [Received(task.body, task.retries + 1, task) for task in due]
        for task in due:
            self._tasks.put_back(task, now)
            task.due = now + lease_ms
        return received

    def settle(self, message: Message) -> None:
        assert isinstance(message, Received)
        self._tasks.settle(message.task)


class CloudFunction:
    """A function of the manifest as functions-framework serves it."""

    def __init__(self, project: Project, clock: MemoryClock, name: str) -> None:
        self._project = project
        self._clock = clock
        environ = {**project.environ, "GRANDSTAND_FUNCTION": name}
        self._function = hosted_function(environ)
        seconds: float = self._function.timeout_seconds  # in which a schedule runs once
        if isinstance(self._function.trigger, OnStream):
            seconds += self._function.trigger.window_ms / 1_000 + MARGIN_MS / 1_000 + ONE_PULL_SECONDS
        deployment = Deployment(environ, clock=clock, sleep=lambda _: None, seconds=seconds)
        app = Starlette(routes=[Route("/{path:path}", deployment.handle, methods=METHODS)])
        self._client = Client(app, base_url="https://function.example")

    def http(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        answer = self._client.request(method, target, headers=dict(headers or {}), content=body)
        return HttpAnswer(answer.status_code, dict(answer.headers), answer.content)

    def deliver(self) -> int:
        """A function without a window drains; to one that would sit its window out, what is due is pushed."""
        trigger = self._function.trigger
        assert isinstance(trigger, OnStream)
        if trigger.window_ms:
            subscription = self._project.subscription(trigger.stream, self._function.name)
            return Pusher(self._project.messages, subscription, self._push).push()
        answer = self.http("POST", "/drain", headers={"x-cloudscheduler": "true"})
        assert answer.status == 200, answer.body
        return int(answer.body.split()[0])

    def work(self) -> int:
        trigger = self._function.trigger
        assert isinstance(trigger, OnQueue)
        now, queue = self._clock.now_ms(), f"{self._project.name}-{trigger.queue}"
        due = self._project.tasks.due(queue, now)
        for task in due:
            answer = self.http("POST", "/task", headers=task.request_headers(), body=task.body)
            if answer.status == 204:
                self._project.tasks.settle(task)
            else:
                self._project.tasks.put_back(task, now)
        return len(due)

    def tick(self) -> None:
        answer = self.http("POST", "/run", headers={"x-cloudscheduler": "true"})
        assert answer.status == 204, answer.body

    def _push(self, body: bytes) -> int:
        return self.http("POST", "/", headers={"content-type": "application/json"}, body=body).status
