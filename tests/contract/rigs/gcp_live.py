"""A real project of Google Cloud, with what a deployment would have made there; all of it is removed at the end."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from google.api_core.exceptions import DeadlineExceeded, NotFound
from google.auth.transport.requests import AuthorizedSession
from google.cloud.firestore import Client as FirestoreClient
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.cloud.tasks_v2 import CloudTasksClient, ListTasksRequest, Task
from google.pubsub_v1 import SubscriberClient

from adapters.common.environment import require
from adapters.gcp.clients import Clients
from lab.memory import MemoryClock
from tests.contract.rigs.gcp_project import QUEUES, Project, settings
from tests.emulators.cloud_tasks import StoredTask
from tests.emulators.pubsub.broker import Proto
from tests.emulators.smtp import Smtp

STORAGE: Final = "https://storage.googleapis.com/storage/v1/b"
PATIENCE_SECONDS: Final = 5.0
"""How long a pull waits for what was published just now."""
FIRST_PAUSE_MS: Final = 100


class PausedTasks:
    """Queues that post nothing: their tasks are listed, and a test says when one is tried."""

    def __init__(self, client: CloudTasksClient, parent: str) -> None:
        self._client = client
        self._parent = parent
        self._known: dict[str, StoredTask] = {}

    def due(self, queue: str, now_ms: int, limit: int = 1_000) -> list[StoredTask]:
        asked = {"parent": f"{self._parent}/queues/{queue}", "response_view": Task.View.FULL, "page_size": 100}
        tasks = [self._stored(task) for task in self._client.list_tasks(ListTasksRequest(asked))]
        return sorted((task for task in tasks if task.due <= now_ms), key=lambda task: task.due)[:limit]

    def settle(self, task: StoredTask) -> None:
        self._client.delete_task(name=task.name)

    def put_back(self, task: StoredTask, now_ms: int) -> None:
        task.due = now_ms + (FIRST_PAUSE_MS << task.retries)
        task.retries += 1

    def _stored(self, task: Task) -> StoredTask:
        wanted = task.http_request
        token = wanted.oidc_token
        due: int = Task.pb(task).schedule_time.ToMilliseconds()
        stored = StoredTask(
            task.name, wanted.url, wanted.body, dict(wanted.headers), token.audience, token.service_account_email, due
        )
        return self._known.setdefault(task.name, stored)


class RemoteMessages:
    """`tests.emulators.pubsub_push.Messages` at Pub/Sub."""

    def __init__(self, subscriber: SubscriberClient) -> None:
        self._subscriber = subscriber

    def pull(self, name: str, limit: int) -> Sequence[Proto]:
        asked = {"subscription": name, "max_messages": limit}
        try:
            answer: Any = self._subscriber.pull(request=asked, retry=None, timeout=PATIENCE_SECONDS)
        except DeadlineExceeded:
            return []
        return list(type(answer).pb(answer).received_messages)

    def acknowledge(self, name: str, ack_ids: Sequence[str]) -> None:
        self._subscriber.acknowledge(subscription=name, ack_ids=list(ack_ids))

    def modify_ack_deadline(self, name: str, ack_ids: Sequence[str], seconds: int) -> None:
        self._subscriber.modify_ack_deadline(subscription=name, ack_ids=list(ack_ids), ack_deadline_seconds=seconds)


class Account(Project):
    """A project that `GOOGLE_CLOUD_PROJECT` names. It touches nothing that it did not make."""

    def __init__(self, name: str, clock: MemoryClock, smtp: Smtp) -> None:
        """Raises Misconfigured."""
        project = require(os.environ, "GOOGLE_CLOUD_PROJECT", "my-sandbox")
        region = require(os.environ, "GRANDSTAND_REGION", "europe-west1")
        environ = {**settings(project, name, region), **smtp.environ}
        super().__init__(environ, clock, smtp, patience_seconds=PATIENCE_SECONDS, backs_off=False)
        self._project = project
        self._undo: list[Callable[[], object]] = []
        self._web: Any = AuthorizedSession(Clients(environ).credentials)  # type: ignore[no-untyped-call]
        self._secrets = SecretManagerServiceClient()
        self._secret_names: set[str] = set()
        self._queues = CloudTasksClient()
        self._parent = f"projects/{project}/locations/{region}"
        self._region = region
        self.tasks = PausedTasks(self._queues, self._parent)
        self.messages = RemoteMessages(self.pubsub.subscriber)

    def make(self) -> None:
        """Make what a deployment would have made; what was made before an error is removed by `remove` too."""
        self._make_bucket(self.environ["GRANDSTAND_BUCKET"], self._region)
        for queue in QUEUES:
            whole = f"{self._parent}/queues/{self.name}-{queue}"
            self._queues.create_queue(request={"parent": self._parent, "queue": {"name": whole}})
            self._undo.append(partial(self._queues.delete_queue, name=whole))
            self._queues.pause_queue(name=whole)
        self.furnish()

    def set_secret(self, name: str, value: bytes) -> None:
        parent, id_ = f"projects/{self._project}", f"{self.name}-{name}"
        whole = f"{parent}/secrets/{id_}"
        if name not in self._secret_names:
            self._secret_names.add(name)
            asked = {"parent": parent, "secret_id": id_, "secret": {"replication": {"automatic": {}}}}
            self._secrets.create_secret(request=asked)
            self._undo.append(lambda: self._secrets.delete_secret(name=whole))
        self._secrets.add_secret_version(request={"parent": whole, "payload": {"data": value}})

    def remove(self) -> None:
        """Take everything away again."""
        for subscription in self._subscriptions:
            for name in (subscription, f"{subscription}-dead"):
                with suppress(NotFound):
                    self.pubsub.subscriber.delete_subscription(subscription=name)
        for topic in self._topics:
            with suppress(NotFound):
                self.pubsub.publisher.delete_topic(topic=topic)
        store = FirestoreClient(project=self._project)
        for collection in store.collections():
            if collection.id.startswith(f"{self.name}-"):
                store.recursive_delete(collection)
        for undo in reversed(self._undo):
            undo()

    def _make_bucket(self, bucket: str, region: str) -> None:
        asked = {"name": bucket, "location": region}
        self._web.post(STORAGE, params={"project": self._project}, json=asked).raise_for_status()
        self._undo.append(lambda: self._remove_bucket(bucket))

    def _remove_bucket(self, bucket: str) -> None:
        while items := self._web.get(f"{STORAGE}/{bucket}/o").json().get("items"):
            for each in items:
                self._web.delete(f"{STORAGE}/{bucket}/o/{quote(each['name'], safe='')}")
        self._web.delete(f"{STORAGE}/{bucket}").raise_for_status()
