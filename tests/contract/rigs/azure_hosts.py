"""What a deployment to Azure makes, and what hosts its functions, as the contract suite's rig has them."""

import asyncio
import os
from atexit import register
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from threading import RLock
from types import SimpleNamespace
from typing import Any, Final

import azure.functions as func
from azure.eventhub import EventHubConsumerClient
from azure.functions.meta import Datum
from azure.functions.queue import QueueMessageInConverter
from azure.functions.timer import TimerRequest
from azure.storage.queue import QueueClient

from adapters.azure.app import PARKED
from adapters.azure.queue import body_of
from adapters.azure.replaying import ParkedReplay
from adapters.azure.suite import Suite
from functions.manifest import FUNCTIONS, OnQueue, OnStream
from shared.ports import ObjectStore, Ports, Queue, Table
from shared.stream import Deadline, Message
from tests.contract.rig import HttpAnswer
from tests.emulators.acs_email import AcsEmail, acs_email
from tests.emulators.azure_functions_host import EventHubsHost, HubEvent, HubReader, Progress
from tests.emulators.azurite import Azurite, azurite
from tests.emulators.event_hubs import EventHubs, event_hubs
from tests.emulators.event_hubs import Fault as Weather
from tests.emulators.key_vault import KeyVault, key_vault

HUB: Final = "events"
GROUP: Final = "counter"
WEATHER: Final = {"throttled": Weather.BUSY, "broken": Weather.BROKEN, "down": Weather.DETACH}
SITE: Final = "https://grandstand.azurewebsites.net"


@dataclass(frozen=True)
class Services:
    """What a process starts once, for all its tests."""

    azurite: Azurite
    hubs: EventHubs
    reader: HubReader
    vault: KeyVault
    mail: AcsEmail

    @contextmanager
    def fault(self, kind: str) -> Iterator[None]:
        """`Rig.fault`."""
        with ExitStack() as stack:
            for service in (self.azurite, self.vault, self.mail):
                stack.enter_context(service.fault(kind))
            self.hubs.weather = WEATHER[kind]
            stack.callback(self.hubs.calm)
            yield


@cache
def services() -> Services:
    """They end with the process."""
    stack = ExitStack()
    register(stack.close)
    storage = stack.enter_context(azurite())
    hubs = stack.enter_context(event_hubs())
    for hub in (HUB, "others"):
        hubs.create(hub, groups=[GROUP])
    client = EventHubConsumerClient.from_connection_string(
        hubs.connection_string, consumer_group=GROUP, eventhub_name=HUB
    )
    reader = HubReader(client, lambda: hubs.hub(HUB).sizes)
    stack.callback(reader.close)
    vault, mail = stack.enter_context(key_vault()), stack.enter_context(acs_email())
    variable, value = storage.delta_variable
    os.environ[variable] = value
    return Services(storage, hubs, reader, vault, mail)


def past_the_gates(storage: Azurite) -> str:
    """A connection string whose requests no fault meets."""
    services = zip(("Blob", "Queue", "Table"), storage.gates, strict=True)
    ends = "".join(
        f"{name}Endpoint=http://127.0.0.1:{gate.target_port}/{storage.account};" for name, gate in services
    )
    return f"DefaultEndpointsProtocol=http;AccountName={storage.account};AccountKey={storage.key};{ends}"


class Since:
    """The hub from now on: its sequence numbers begin at 0 for one test."""

    def __init__(self, reader: HubReader) -> None:
        self._reader = reader
        self._first = {each: reader.size(each) for each in reader.partitions()}

    def partitions(self) -> Sequence[str]:
        return self._reader.partitions()

    def read(self, partition: str, after: int, limit: int) -> Sequence[HubEvent]:
        first = self._first[partition]
        return [
            replace(event, sequence_number=event.sequence_number - first)
            for event in self._reader.read(partition, after + first, limit)
        ]


class MinuteIsOver(BaseException):
    """In place of waiting for the rest of a timer's minute."""


@dataclass
class Account:
    """What a deployment makes: each resource of storage when it is first asked for. No fault meets it."""

    suite: Suite
    set_secret: Callable[[str, bytes], None]
    """A secret is made, or rotated."""
    progress: dict[str, dict[str, Progress]] = field(default_factory=dict)
    """What the functions' host remembers, by function."""
    _made: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: Any = field(default_factory=RLock)

    def table(self, name: str) -> None:
        self._once("table", name, lambda: self.suite.clients.tables.create_table(self.suite.table_name(name)))

    def container(self, name: str) -> None:
        self._once(
            "container", name, lambda: self.suite.clients.blobs.create_container(self.suite.container_name(name))
        )

    def queue(self, name: str) -> QueueClient:
        client: QueueClient = self._once(
            "queue", name, lambda: self.suite.clients.queues.create_queue(self.suite.queue_name(name))
        )
        return client

    def remove(self) -> None:
        """Take everything away again."""
        clients, suite = self.suite.clients, self.suite
        for kind, name in self._made:
            if kind == "table":
                clients.tables.delete_table(suite.table_name(name))
            elif kind == "container":
                clients.blobs.delete_container(suite.container_name(name))
            else:
                clients.queues.delete_queue(suite.queue_name(name))

    def _once(self, kind: str, name: str, make: Callable[[], Any]) -> Any:
        with self._lock:
            if (kind, name) not in self._made:
                self._made[kind, name] = make()
            return self._made[kind, name]


class Provided:
    """A suite's ports whose resources are there when they are asked for."""

    def __init__(self, account: Account, ports: Ports) -> None:
        self._account = account
        self._ports = ports

    def ports(self) -> Ports:
        return replace(
            self._ports,
            table=self._table,
            objects=self._objects,
            queue=self._queue,
            history_uri=self._history_uri,
        )

    def _table(self, name: str) -> Table:
        self._account.table(name)
        return self._ports.table(name)

    def _objects(self, name: str) -> ObjectStore:
        self._account.container(name)
        return self._ports.objects(name)

    def _queue(self, name: str) -> Queue:
        self._account.queue(name)
        return self._ports.queue(name)

    def _history_uri(self) -> tuple[str, dict[str, str]]:
        self._account.container("history")
        return self._ports.history_uri()


@dataclass(frozen=True, slots=True)
class Received(Message):
    """A message that was received, and what settles it."""

    handle: Any = None


class QueueReceiver:
    """How Storage Queues hand out messages."""

    def __init__(self, account: Account, queue: str) -> None:
        self._queue = account.queue(queue)

    def receive(self, limit: int = 10, lease_ms: int = 30_000) -> Sequence[Received]:
        messages = self._queue.receive_messages(max_messages=limit, visibility_timeout=max(1, lease_ms // 1_000))
        return [Received(body_of(each.content), each.dequeue_count or 1, each) for each in messages]

    def settle(self, message: Message) -> None:
        assert isinstance(message, Received)
        self._queue.delete_message(message.handle)


class Counter:
    """The function "counter" behind our trigger, with its host and the timer of what is parked."""

    def __init__(self, host: EventHubsHost, replay: ParkedReplay, deadline: Callable[[], Deadline]) -> None:
        self._host = host
        self._replay = replay
        self._deadline = deadline

    def poll(self) -> int:
        return self._host.poll() + self._replay.once(self._deadline())


class AzureEntry:
    """A function of the manifest as the v2 model has it, called with what the host's worker would make."""

    def __init__(self, app: func.FunctionApp, name: str, account: Account, source: Since) -> None:
        self._functions = {each.get_function_name(): each.get_user_function() for each in app.get_functions()}
        self._function = next(function for function in FUNCTIONS if function.name == name)
        self._account = account
        self._source = source

    def http(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        request = func.HttpRequest(method, SITE + target, headers=dict(headers or {}), body=body)
        answer = asyncio.run(self._functions[self._function.name](request, _context(0)))
        return HttpAnswer(
            answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.get_body()
        )

    def deliver(self) -> int:
        trigger, name = self._function.trigger, self._function.name
        assert isinstance(trigger, OnStream)
        host = EventHubsHost(
            self._source,
            name,
            lambda events, retries: self._functions[name](events, _context(retries)),
            trigger.batch_records,
            self._account.progress.setdefault(name, {}),
        )
        delivered = host.poll()
        with suppress(Exception):  # the host starts the timer again in a minute
            self._timer(f"{name}_{PARKED}")
        return delivered

    def work(self) -> int:
        trigger = self._function.trigger
        assert isinstance(trigger, OnQueue)
        queue = self._account.queue(trigger.queue)
        messages = list(queue.receive_messages(max_messages=10, visibility_timeout=30))
        for message in messages:
            body = Datum(type="bytes", value=body_of(message.content))
            metadata = {"DequeueCount": Datum(type="int", value=message.dequeue_count)}
            try:
                self._functions[self._function.name](QueueMessageInConverter.decode(body, trigger_metadata=metadata))
            except Exception:
                continue
            queue.delete_message(message)
        return len(messages)

    def tick(self) -> None:
        self._timer(self._function.name)

    def _timer(self, name: str) -> None:
        with suppress(MinuteIsOver):
            self._functions[name](TimerRequest())


def over(_: float) -> None:
    """Called to wait inside a minute."""
    raise MinuteIsOver


def _context(retries: int) -> Any:
    """What a function is told of its invocation."""
    return SimpleNamespace(
        invocation_id="1",
        function_name="f",
        function_directory="",
        retry_context=SimpleNamespace(retry_count=retries),
    )
