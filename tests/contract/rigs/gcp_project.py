"""A project of Google Cloud as the stand-ins have it, with what a deployment would have made there."""

from atexit import register
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from threading import RLock
from typing import Final
from urllib.parse import urlsplit

from google.pubsub_v1 import PubsubMessage

from adapters.common.envelope import open_record
from adapters.gcp.drain import LONGEST_WAIT_SECONDS
from adapters.gcp.lease import ACK_DEADLINE_SECONDS
from adapters.gcp.pubsub import PubSub, PubSubSubscription
from adapters.gcp.queue import url_variable
from functions.manifest import FUNCTIONS, Function, OnStream
from lab.memory import MemorySecrets
from shared.ports import Clock
from shared.stream import EVENT_STREAM, Record
from tests.contract.rigs.gcp_storage import RemoteStorage, storage
from tests.emulators.cloud_tasks import CloudTasks, cloud_tasks
from tests.emulators.firestore import Firestore, firestore
from tests.emulators.gate import Gate
from tests.emulators.google_rpc import Code, Faults
from tests.emulators.pubsub import PubSubServer, pubsub
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


class Project:
    """Resources under a name of their own, made when they are first asked for."""

    def __init__(self, name: str, clock: Clock, smtp: Smtp, *, google: str | None = None) -> None:
        """`google` is the address of Google's own Pub/Sub emulator, whose time is the machine's."""
        self.name = name
        self.patience_seconds = LONGEST_WAIT_SECONDS if google is None else 0.3
        self._backs_off = google is None
        self.mails = smtp.mails
        self.post_office = Gate(urlsplit(smtp.environ["GRANDSTAND_SMTP_URL"]).port or 0)
        self.servers = servers()
        self.environ = {
            **self.servers.environ,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "GRANDSTAND_NAME": name,
            "GRANDSTAND_REGION": "europe-west1",
            "GRANDSTAND_BUCKET": f"{PROJECT}-{name}",
            "GRANDSTAND_INVOKER": f"{name}-invoker@{PROJECT}.iam.gserviceaccount.com",
            **{url_variable(queue): f"https://{name}-{queue}.example" for queue in QUEUES},
            **smtp.environ,
            "GRANDSTAND_SMTP_URL": f"smtp://127.0.0.1:{self.post_office.port}",
            **({} if google is None else {"PUBSUB_EMULATOR_HOST": google}),
        }
        self._clock = clock
        self._lock = RLock()
        self._topics: set[str] = set()
        self._subscriptions: set[str] = set()
        self._appended: list[Record] = []
        self.pubsub = PubSub(self.environ)
        self.servers.pubsub.broker.now = lambda: clock.now_ms() / 1_000
        self.servers.pubsub.broker.longest_wait_seconds = 0.01
        fresh = MemorySecrets()
        for secret in SECRETS:
            self.set_secret(secret, fresh.get(secret))
        for function in (TAIL, "counter"):
            self.subscription(EVENT_STREAM, function)
        for each in FUNCTIONS:  # what is published before a subscription is there never reaches it
            self._subscribe(each)

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

    def _subscribe(self, function: Function) -> None:
        if isinstance(function.trigger, OnStream):
            self.subscription(function.trigger.stream, function.name)

    def set_secret(self, name: str, value: bytes) -> None:
        self.servers.secrets.add(PROJECT, f"{self.name}-{name}", value)

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
