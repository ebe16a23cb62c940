"""A project of Google Cloud with what a deployment would have made there, and one in the stand-ins."""

from abc import ABC, abstractmethod
from atexit import register
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from threading import RLock
from typing import Final, Protocol
from urllib.parse import urlsplit

from google.pubsub_v1 import PubsubMessage

from adapters.common.envelope import open_record
from adapters.gcp.drain import LONGEST_WAIT_SECONDS, SHORTEST_WAIT_SECONDS
from adapters.gcp.lease import ACK_DEADLINE_SECONDS
from adapters.gcp.pubsub import PubSub, PubSubSubscription
from adapters.gcp.queue import url_variable
from functions.manifest import FUNCTIONS, OnStream
from lab.memory import MemorySecrets
from shared.ports import Clock
from shared.stream import EVENT_STREAM, Record
from tests.contract.rigs.gcp_storage import RemoteStorage, storage
from tests.emulators.cloud_tasks import CloudTasks, StoredTask, cloud_tasks
from tests.emulators.firestore import Firestore, firestore
from tests.emulators.gate import Gate
from tests.emulators.google_rpc import Code, Faults
from tests.emulators.pubsub import PubSubServer, pubsub
from tests.emulators.pubsub_push import Messages
from tests.emulators.secret_manager import SecretManager, secret_manager
from tests.emulators.smtp import Smtp

PROJECT: Final = "contract"
SECRETS: Final = ("pseudonym-keys", "dead-letter-key", "viewer-token", "write-keys", "publish-keys", "operator-keys")
QUEUES: Final = ("rebuild", "reports", "other")
FAULTS: Final = {"throttled": Code.RESOURCE_EXHAUSTED, "broken": Code.INTERNAL, "down": Code.UNAVAILABLE}
ALWAYS: Final = 1 << 30
TAIL: Final = "tail"
"""The subscription by which a test reads what was appended."""


@dataclass(frozen=True)
class Servers:
    """The process's stand-ins."""

    pubsub: PubSubServer
    firestore: Firestore
    storage: RemoteStorage
    tasks: CloudTasks
    secrets: SecretManager

    @property
    def environ(self) -> dict[str, str]:
        every = (self.pubsub, self.firestore, self.storage, self.tasks, self.secrets)
        return {name: value for each in every for name, value in each.environ.items()}

    @property
    def remote(self) -> list[tuple[Faults, str | None]]:
        """The faults of the gRPC services, each with the method that is to fail; None for any."""
        every = (self.firestore.faults, self.tasks.faults, self.secrets.faults)
        return [(self.pubsub.faults, "Publish"), *((faults, None) for faults in every)]


@cache
def servers() -> Servers:
    """Started once, they end with the process."""
    stack = ExitStack()
    register(stack.close)
    enter = stack.enter_context
    return Servers(
        enter(pubsub()), enter(firestore()), enter(storage()), enter(cloud_tasks()), enter(secret_manager())
    )


class Tasks(Protocol):
    """How a test gets at what waits in Cloud Tasks. Times in ms since epoch."""

    def due(self, queue: str, now_ms: int, limit: int = 1_000) -> list[StoredTask]: ...

    def settle(self, task: StoredTask) -> None: ...

    def put_back(self, task: StoredTask, now_ms: int) -> None: ...


class Project(ABC):
    """Resources under a name of their own, made when they are first asked for."""

    tasks: Tasks
    messages: Messages
    """What is pushed."""

    def __init__(
        self, environ: Mapping[str, str], clock: Clock, smtp: Smtp, *, patience_seconds: float, backs_off: bool
    ) -> None:
        """`backs_off`: what is given back waits before it comes again, as it does where a function is deployed."""
        self.environ = environ
        self.name = environ["GRANDSTAND_NAME"]
        self.patience_seconds = patience_seconds
        self.mails = smtp.mails
        self.pubsub = PubSub(environ)
        self._backs_off = backs_off
        self._clock = clock
        self._lock = RLock()
        self._topics: set[str] = set()
        self._subscriptions: set[str] = set()
        self._appended: list[Record] = []

    @abstractmethod
    def set_secret(self, name: str, value: bytes) -> None:
        """Make a secret, or rotate it."""

    def furnish(self) -> None:
        """Make the secrets, and the subscriptions: what is published before one is there never reaches it."""
        fresh = MemorySecrets()
        for secret in SECRETS:
            self.set_secret(secret, fresh.get(secret))
        for function in (TAIL, "counter"):
            self.subscription(EVENT_STREAM, function)
        for each in FUNCTIONS:
            if isinstance(each.trigger, OnStream):
                self.subscription(each.trigger.stream, each.name)

    def topic(self, stream: str) -> str:
        """A stream's topic, by its whole name."""
        with self._lock:
            topic = self.pubsub.topic(stream)
            if topic not in self._topics:
                self._topics.add(topic)
                self.pubsub.publisher.create_topic(name=topic)
            return topic

    def subscription(self, stream: str, function: str) -> str:
        """A function's subscription as it is deployed, with its dead-letter topic and the subscription to that."""
        with self._lock:
            name = self.pubsub.subscription(stream, function)
            if name not in self._subscriptions:
                self._subscriptions.add(name)
                topic, dead = self.topic(stream), self.topic(f"{stream}-{function}-dead")
                policy = {"dead_letter_topic": dead, "max_delivery_attempts": 100}
                self._make_subscription(name, topic, dead_letter_policy=policy)
                self._make_subscription(f"{name}-dead", dead)
            return name

    def _make_subscription(self, name: str, topic: str, **more: object) -> None:
        asked = {"name": name, "topic": topic, "ack_deadline_seconds": ACK_DEADLINE_SECONDS, **more}
        if self._backs_off:
            asked["retry_policy"] = {"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 600}}
        self.pubsub.subscriber.create_subscription(request=asked)

    def smuggle(self, data: bytes) -> None:
        self.pubsub.publisher.publish(topic=self.topic(EVENT_STREAM), messages=[PubsubMessage(data=data)])

    def appended(self) -> list[Record]:
        """Every record in the stream `events`, by a subscription of the test's own."""
        tail = PubSubSubscription(self.pubsub, EVENT_STREAM, TAIL)
        while received := tail.pull(1_000, self.patience_seconds):
            tail.acknowledge([each.ack_id for each in received])
            for each in received:
                record, problem = open_record(
                    each.data,
                    partition=EVENT_STREAM,
                    position=each.message_id,
                    attempt=None,
                    now_ms=self._clock.now_ms(),
                )
                assert problem is None
                self._appended.append(record)
        return list(self._appended)


class StandIns(Project):
    """A project in the stand-ins."""

    def __init__(self, name: str, clock: Clock, smtp: Smtp, *, google: str | None = None) -> None:
        """`google` is the address of Google's own Pub/Sub emulator, whose time is the machine's."""
        self.servers = servers()
        self.post_office = Gate(urlsplit(smtp.environ["GRANDSTAND_SMTP_URL"]).port or 0)
        self.tasks = self.servers.tasks
        self.messages = self.servers.pubsub.broker
        environ = {
            **self.servers.environ,
            **settings(PROJECT, name, "europe-west1"),
            **smtp.environ,
            "GRANDSTAND_SMTP_URL": f"smtp://127.0.0.1:{self.post_office.port}",
            **({} if google is None else {"PUBSUB_EMULATOR_HOST": google}),
        }
        patience_seconds = LONGEST_WAIT_SECONDS if google is None else SHORTEST_WAIT_SECONDS
        super().__init__(environ, clock, smtp, patience_seconds=patience_seconds, backs_off=google is None)
        self.servers.pubsub.broker.now = lambda: clock.now_ms() / 1_000
        self.servers.pubsub.broker.longest_wait_seconds = 0.01
        self.furnish()

    def set_secret(self, name: str, value: bytes) -> None:
        self.servers.secrets.add(PROJECT, f"{self.name}-{name}", value)

    @contextmanager
    def fault(self, kind: str) -> Iterator[None]:
        """Every service fails, until the block ends; but what was published before is still handed out."""
        with ExitStack() as stack:
            stack.enter_context(self.servers.storage.fault(kind))
            for faults, method in self.servers.remote:
                faults.fail(method, FAULTS[kind], ALWAYS)
                stack.callback(faults.clear)
            if kind == "down":
                stack.enter_context(self.post_office.failing(b""))
            yield


def settings(project: str, name: str, region: str) -> dict[str, str]:
    """What every function of a deployment is told."""
    return {
        "GOOGLE_CLOUD_PROJECT": project,
        "GRANDSTAND_NAME": name,
        "GRANDSTAND_REGION": region,
        "GRANDSTAND_BUCKET": f"{project}-{name}",
        "GRANDSTAND_INVOKER": f"{name}-invoker@{project}.iam.gserviceaccount.com",
        **{url_variable(queue): f"https://{name}-{queue}.example" for queue in QUEUES},
    }
