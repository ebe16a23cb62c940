"""A deployment of packages under a cloud's own runtime client, its data in the emulators.

A function's process sees its unpacked archive, what its runtime brings along, and the standard library.
"""

import json
import os
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from adapters.aws.suite import SystemClock
from adapters.gcp.queue import url_variable
from adapters.gcp.suite import Suite as GcpSuite
from adapters.local.triggers import Terms
from adapters.packaging.target import Cloud
from functions.manifest import FUNCTIONS
from lab.bench.served import free_port
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import EVENT_STREAM
from tests.contract.rig import Entry, HttpAnswer
from tests.contract.rigs.gcp_project import StandIns
from tests.e2e.framework import Served, served
from tests.e2e.test_azure_runtime import Cloud as AzureCloud
from tests.e2e.test_azure_runtime import deployed as azure_deployed
from tests.e2e.test_lambda_runtime import KEYS, LambdaStage, succeeding
from tests.emulators.event_source_mapping import QueueMapping
from tests.emulators.functions_runtime import NotInstalled, Worker, functions_worker
from tests.emulators.lambda_events import http_answer, http_event, schedule_event
from tests.emulators.lambda_runtime import LambdaFunction, lambda_function
from tests.emulators.pubsub_push import Pusher
from tests.emulators.smtp import smtp_server
from tests.packages import unpacked

PATIENCE_SECONDS = 150
DELTA = "AZURITE_BLOB_STORAGE_URL"
"""Where delta-rs looks for Azurite."""


@dataclass
class Place:
    """A deployment; a function of it starts when it is first asked for, and stays."""

    ports: Ports
    start: Callable[[str], Entry]
    _started: dict[str, Entry] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Entry:
        if name not in self._started:
            self._started[name] = self.start(name)
        return self._started[name]


@contextmanager
def on_aws() -> Iterator[Place]:
    """Under awslambdaric, with moto's server."""
    stage = LambdaStage()
    for function in FUNCTIONS:
        stage.account.of(function.name)
    with ExitStack() as stack:

        def start(name: str) -> Entry:
            environ = {**stage.environ, "GRANDSTAND_FUNCTION": name}
            return _Lambda(name, stage, stack.enter_context(lambda_function(unpacked(Cloud.aws, name), environ)))

        yield Place(stage.suite.ports, start)


@contextmanager
def on_azure() -> Iterator[Place]:
    """Under azure-functions-runtime, with Azurite, the Event Hubs stand-in and a vault."""
    with azure_deployed() as cloud, ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv(DELTA, cloud.environ[DELTA])  # our own look into the history

        def start(name: str) -> Entry:
            environ = {**os.environ, **cloud.environ, "GRANDSTAND_FUNCTION": name}
            try:
                worker = stack.enter_context(functions_worker(unpacked(Cloud.azure, name), environ))
            except NotInstalled as missing:
                pytest.skip(str(missing))
            return _App(name, cloud, worker)

        yield Place(cloud.suite.ports, start)


@contextmanager
def on_gcp() -> Iterator[Place]:
    """Under functions-framework, with the stand-ins."""
    with ExitStack() as stack:
        project = StandIns(f"packaged-{os.getpid()}", SystemClock(), stack.enter_context(smtp_server()))
        stack.callback(project.post_office.close)
        project.servers.pubsub.broker.now = time.time
        for secret, value in KEYS.items():
            project.set_secret(secret, json.dumps(value).encode())
        worker = free_port()
        environ = {**project.environ, url_variable("rebuild"): f"http://127.0.0.1:{worker}/task"}
        suite = GcpSuite(Settings(), environ)
        stack.callback(suite.close)

        def start(name: str) -> Entry:
            package = unpacked(Cloud.gcp, name)
            port = worker if name == "rebuild" else None
            running = served(name, environ, package=package, port=port)
            return _Service(name, project, stack.enter_context(running))

        yield Place(suite.ports, start)


PLACES: Mapping[Cloud, Callable[[], AbstractContextManager[Place]]] = {
    Cloud.aws: on_aws,
    Cloud.azure: on_azure,
    Cloud.gcp: on_gcp,
}


@dataclass
class _Lambda:
    name: str
    stage: LambdaStage
    function: LambdaFunction

    def http(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        answer = succeeding(self.function)(http_event(method, target, headers or {}, body))
        return HttpAnswer(*http_answer(answer))

    def deliver(self) -> int:
        mapping = self.stage.account.mapping(self.name, SystemClock())
        return mapping.poll(succeeding(self.function), Terms())

    def work(self) -> int:
        account = self.stage.account
        return QueueMapping(account.clients.sqs, account.queue(self.name)).poll(succeeding(self.function))

    def tick(self) -> None:
        assert succeeding(self.function)(schedule_event()) is None


@dataclass
class _App:
    name: str
    cloud: AzureCloud
    worker: Worker
    seen: int = 0

    def http(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        return self.worker.http(self.name, method, target, headers=headers, body=body)

    def deliver(self) -> int:
        fresh = self.cloud.events()[self.seen :]
        if fresh:
            self.worker.events(self.name, fresh)
            self.seen += len(fresh)
        return len(fresh)

    def work(self) -> int:
        """As the host does: a message's text holds its bytes in base64, and it is deleted when all went well."""
        queue = self.cloud.suite.clients.queues.get_queue_client(self.cloud.suite.queue_name(self.name))
        messages = list(queue.receive_messages())
        for each in messages:
            self.worker.message(self.name, b64decode(each.content))
            queue.delete_message(each)
        return len(messages)

    def tick(self) -> None:
        self.worker.timer(self.name)


@dataclass
class _Service:
    name: str
    project: StandIns
    at: Served

    def http(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        answer = httpx.request(method, self.at.url + target, headers=headers, content=body, timeout=PATIENCE_SECONDS)
        return HttpAnswer(answer.status_code, dict(answer.headers), answer.content)

    def deliver(self) -> int:
        subscription = self.project.subscription(EVENT_STREAM, self.name)
        pusher = Pusher(self.project.servers.pubsub.broker, subscription, lambda body: self._posted("/", body))
        return pusher.push()

    def work(self) -> int:
        statuses = self.project.servers.tasks.deliver(f"{self.project.name}-{self.name}", 1 << 50)
        assert set(statuses) <= {204}
        return len(statuses)

    def tick(self) -> None:
        assert self._posted("/run", b"", {"x-cloudscheduler": "true"}) == 204

    def _posted(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> int:
        return self.http("POST", path, headers=headers, body=body).status
