"""A stand-in for Cloud Tasks: it takes tasks from the real client, and delivers what is due when it is told to.

Time is the caller's. A task has at most 100 KB; one that is not answered with 2xx is tried
again after a pause that doubles, as a queue's retry configuration says, without an end.
"""

import itertools
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from google.cloud.tasks_v2.types import cloudtasks
from google.cloud.tasks_v2.types import task as tasks

from tests.emulators.google_rpc import Code, Faults, Method, Refused, serving

SERVICE: Final = "google.cloud.tasks.v2.CloudTasks"
MAX_TASK_BYTES: Final = 100 * 1024
FIRST_PAUSE_MS: Final = 100
LONGEST_PAUSE_MS: Final = 3_600_000
DISPATCH_SECONDS: Final = range(15, 1_801)


@dataclass
class StoredTask:
    """`due` in ms since epoch (0: at once); `retries` counts the answers that were not 2xx."""

    name: str
    url: str
    body: bytes
    headers: dict[str, str]
    audience: str
    invoker: str
    due: int
    retries: int = 0

    def request_headers(self) -> dict[str, str]:
        """What a delivery carries; the token is one that nobody signed."""
        return {
            **self.headers,
            "Authorization": f"Bearer {self.invoker}",
            "User-Agent": "Google-Cloud-Tasks",
            "X-CloudTasks-QueueName": self.name.split("/")[5],
            "X-CloudTasks-TaskName": self.name.rpartition("/")[2],
            "X-CloudTasks-TaskRetryCount": str(self.retries),
            "X-CloudTasks-TaskExecutionCount": str(self.retries),
            "X-CloudTasks-TaskETA": f"{self.due / 1_000:.6f}",
        }


@dataclass
class CloudTasks:
    """Where it listens (host:port), its tasks by queue, and what goes wrong there."""

    address: str = ""
    faults: Faults = field(default_factory=Faults)
    missing: set[str] = field(default_factory=set)
    """Queues that are not there, by their last name."""
    _tasks: dict[str, list[StoredTask]] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environ(self) -> dict[str, str]:
        return {"GRANDSTAND_TASKS_ENDPOINT": self.address}

    def due(self, queue: str, now_ms: int, limit: int = 1_000) -> list[StoredTask]:
        """Tasks of a queue (its last name) that are to be tried now, the oldest first."""
        with self._lock:
            found = [task for task in self._tasks.get(queue, ()) if task.due <= now_ms]
        return sorted(found, key=lambda task: task.due)[:limit]

    def settle(self, task: StoredTask) -> None:
        """It was answered with 2xx."""
        with self._lock:
            for held in self._tasks.values():
                if task in held:
                    held.remove(task)

    def put_back(self, task: StoredTask, now_ms: int) -> None:
        """It was not: it comes again after a pause."""
        task.due = now_ms + min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << min(task.retries, 20))
        task.retries += 1

    def deliver(self, queue: str, now_ms: int, timeout_seconds: float = 30.0) -> list[int]:
        """Post each task that is due to its address; the statuses that came back (0: no answer)."""
        statuses = []
        for task in self.due(queue, now_ms):
            status = _post(task, timeout_seconds)
            if 200 <= status < 300:
                self.settle(task)
            else:
                self.put_back(task, now_ms)
            statuses.append(status)
        return statuses

    def create(self, request: Any) -> Any:
        queue = request.parent.rpartition("/")[2]
        if queue in self.missing:
            raise Refused(Code.NOT_FOUND, "Requested entity was not found.")
        task = request.task
        _check(task)
        with self._lock:
            answer = tasks.Task.pb()()
            answer.CopyFrom(task)
            answer.name = f"{request.parent}/tasks/{next(self._ids)}"
            wanted = answer.http_request
            due = answer.schedule_time.ToMilliseconds() if answer.HasField("schedule_time") else 0
            stored = StoredTask(
                answer.name,
                wanted.url,
                wanted.body,
                dict(wanted.headers),
                wanted.oidc_token.audience,
                wanted.oidc_token.service_account_email,
                due,
            )
            self._tasks.setdefault(queue, []).append(stored)
        return answer


@contextmanager
def cloud_tasks() -> Iterator[CloudTasks]:
    """A Cloud Tasks with every queue, empty, until the block ends."""
    service = CloudTasks()
    methods = {"CreateTask": Method(cloudtasks.CreateTaskRequest.pb(), service.create)}
    with serving(SERVICE, methods, service.faults) as address:
        service.address = address
        yield service


def _check(task: Any) -> None:
    if not task.HasField("http_request"):
        raise Refused(Code.UNIMPLEMENTED, "the stand-in knows tasks with an HTTP target only")
    if not task.http_request.url.startswith(("http://", "https://")):
        raise Refused(Code.INVALID_ARGUMENT, "HttpRequest.url must start with 'http://' or 'https://'")
    if task.ByteSize() > MAX_TASK_BYTES:
        raise Refused(Code.INVALID_ARGUMENT, "Task size too large")
    if task.HasField("dispatch_deadline") and task.dispatch_deadline.seconds not in DISPATCH_SECONDS:
        raise Refused(Code.INVALID_ARGUMENT, "Task.dispatchDeadline must be between [15s, 30m]")


def _post(task: StoredTask, timeout_seconds: float) -> int:
    request = urllib.request.Request(task.url, task.body, task.request_headers())
    try:
        with urllib.request.urlopen(request, timeout=timeout_seconds) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0
