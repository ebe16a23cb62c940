"""Queues in Cloud Tasks: a message is a task that posts its body to the function which handles it.

Cloud Tasks keeps a task until it is answered with success, so what the function cannot handle it must bury itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from adapters.common.backoff import retry
from adapters.common.environment import needs_extra, require, suite_name
from adapters.common.limits import check_message
from adapters.gcp.clients import PROJECT, REQUEST_SECONDS, Clients
from adapters.gcp.errors import about
from shared.errors import Unavailable
from shared.ports import Clock

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import CloudTasksClient

HOST: Final = "cloudtasks.googleapis.com"
EMULATOR: Final = "GRANDSTAND_TASKS_ENDPOINT"
REGION: Final = "GRANDSTAND_REGION"
INVOKER: Final = "GRANDSTAND_INVOKER"
URL: Final = "GRANDSTAND_QUEUE_URL_"
MAX_DELAY_SECONDS: Final = 30 * 24 * 3_600
DISPATCH_SECONDS: Final = 1_800
"""The longest that Cloud Tasks waits for an answer; the function's own timeout ends it earlier."""


class TasksClient:
    """One process's client, made when a queue is first used."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = RLock()
        self._made: CloudTasksClient | None = None

    def get(self) -> CloudTasksClient:
        """Raises Misconfigured."""
        with self._lock:
            if self._made is None:
                with needs_extra("gcp"):
                    from google.cloud.tasks_v2 import CloudTasksClient
                    from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

                channel = self._clients.channel(HOST, EMULATOR)
                self._made = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
            return self._made


class GcpQueue:
    """`shared.ports.Queue`."""

    def __init__(self, client: TasksClient, environ: Mapping[str, str], name: str, clock: Clock) -> None:
        """Raises Misconfigured."""
        project, prefix = require(environ, PROJECT, "my-project"), suite_name(environ)
        region = require(environ, REGION, "europe-west1")
        self._client = client
        self._parent = f"projects/{project}/locations/{region}/queues/{prefix}-{name}"
        self._url = require(environ, url_variable(name), f"https://{prefix}-{name}-abc123-ew.a.run.app/")
        self._invoker = require(environ, INVOKER, f"{prefix}-invoker@{project}.iam.gserviceaccount.com")
        self._clock = clock
        self._told = f"the queue {self._parent}"

    def send(self, body: bytes, *, delay_seconds: int = 0) -> None:
        check_message(body)
        if not 0 <= delay_seconds <= MAX_DELAY_SECONDS:
            raise ValueError(f"delay_seconds={delay_seconds}; Cloud Tasks takes 0 to {MAX_DELAY_SECONDS}")
        task = self._task(body, delay_seconds)
        client = self._client.get()

        def once() -> None:
            with about(self._told):
                client.create_task(parent=self._parent, task=task, retry=None, timeout=REQUEST_SECONDS)

        retry(once, Unavailable)

    def _task(self, body: bytes, delay_seconds: int) -> Any:
        with needs_extra("gcp"):
            from google.cloud.tasks_v2 import HttpMethod, HttpRequest, OidcToken, Task
            from google.protobuf.duration_pb2 import Duration
            from google.protobuf.timestamp_pb2 import Timestamp

        task = Task(
            http_request=HttpRequest(
                url=self._url,
                http_method=HttpMethod.POST,
                headers={"Content-Type": "application/octet-stream"},
                body=body,
                oidc_token=OidcToken(service_account_email=self._invoker, audience=audience_of(self._url)),
            ),
            dispatch_deadline=Duration(seconds=DISPATCH_SECONDS),
        )
        if delay_seconds:
            due = Timestamp()
            due.FromMilliseconds(self._clock.now_ms() + 1_000 * delay_seconds)
            task.schedule_time = due
        return task


def audience_of(url: str) -> str:
    """Whom a token to this address is for: Cloud Run knows itself by its origin, anything else by the whole URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if str(parts.hostname).endswith(".run.app") else url


def url_variable(queue: str) -> str:
    """The variable that holds where a queue's messages are posted."""
    return URL + queue.replace("-", "_").upper()
