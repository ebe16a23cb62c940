"""Azure, as Azurite and the stand-ins for Event Hubs, Key Vault and e-mail have it.

Storage, secrets and mail have names of each rig's own. The hub `events` is one for all of them, since a hub's name
has no prefix: a rig sees what was appended after it was made.
"""

import asyncio
import os
import time
from atexit import register
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import azure.functions as func
import pytest
from azure.functions.meta import Datum
from azure.functions.queue import QueueMessageInConverter
from azure.functions.timer import TimerRequest
from azure.storage.queue import QueueClient

from adapters.azure.app import make_app
from adapters.azure.parking import STORE, Parking
from adapters.azure.queue import body_of
from adapters.azure.replaying import ParkedReplay
from adapters.azure.suite import Suite
from adapters.azure.triggers import StreamTrigger
from adapters.azure.triggers import Terms as AzureTerms
from adapters.common.envelope import open_record
from adapters.common.settling import Settler
from adapters.local.triggers import Delivery, Terms
from functions.manifest import FUNCTIONS, OnQueue, OnStream
from lab.memory import MemoryClock, MemorySecrets
from shared.dead_letters import DeadLetters
from shared.ports import Mail, ObjectStore, Ports, Queue, Table
from shared.settings import Settings
from shared.stream import BatchHandler, Deadline, Message, Record
from tests.contract.rig import HttpAnswer, Rig
from tests.emulators.azure_functions_host import START, EventHubsHost, HubEvent, HubReader, Progress
from tests.emulators.azurite import Azurite, NotInstalled, azurite
from tests.emulators.event_hubs import EventHubs, event_hubs

SETTINGS: Final = Settings()
HUB: Final = "events"
GROUP: Final = "counter"
SECRETS: Final = ("pseudonym-keys", "dead-letter-key", "viewer-token", "write-keys", "publish-keys", "operator-keys")
SITE: Final = "https://grandstand.azurewebsites.net"


@dataclass(frozen=True)
class Services:
    """What a process starts once, for all its tests."""

    azurite: Azurite
    hubs: EventHubs
    reader: HubReader


@cache
def _services() -> Services:
    """They end with the process."""
    stack = ExitStack()
    register(stack.close)
    storage = stack.enter_context(azurite())
    hubs = stack.enter_context(event_hubs())
    for hub in (HUB, "others"):
        hubs.create(hub, groups=[GROUP])
    reader = HubReader(hubs, HUB, GROUP)
    stack.callback(reader.close)
    return Services(storage, hubs, reader)


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


@dataclass
class Account:
    """What a deployment makes in storage: each resource when it is first asked for."""

    suite: Suite
    secrets: MemorySecrets
    progress: dict[str, dict[str, Progress]] = field(default_factory=dict)
    """What the functions' host remembers, by function."""

    def __post_init__(self) -> None:
        self.table = cache(self._table)
        self.container = cache(self._container)
        self.queue = cache(self._queue)

    def _table(self, name: str) -> None:
        self.suite.clients.tables.create_table(self.suite.table_name(name))

    def _container(self, name: str) -> None:
        self.suite.clients.blobs.create_container(self.suite.container_name(name))

    def _queue(self, name: str) -> QueueClient:
        return self.suite.clients.queues.create_queue(self.suite.queue_name(name))


class Provided:
    """A suite's ports whose resources are there when they are asked for."""

    def __init__(self, account: Account, ports: Ports) -> None:
        self._account = account
        self._ports = ports

    def ports(self) -> Ports:
        return replace(
            self._ports,
            secrets=self._account.secrets,
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
        return EventHubsHost(
            self._source,
            name,
            lambda events, retries: self._functions[name](events, _context(retries)),
            trigger.batch_records,
            self._account.progress.setdefault(name, {}),
        ).poll()

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
        self._functions[self._function.name](TimerRequest())


_numbers = count(1)


@contextmanager
def azure(_: Path) -> Iterator[Rig]:
    """A rig against Azurite and the stand-ins."""
    try:
        services = _services()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    environ = {
        "GRANDSTAND_NAME": f"g{os.getpid()}x{next(_numbers)}",
        "GRANDSTAND_STORAGE_CONNECTION": services.azurite.connection_string,
        "GRANDSTAND_EVENT_HUBS_CONNECTION": services.hubs.connection_string,
    }
    clock = MemoryClock()
    account = Account(Suite(SETTINGS, environ, clock=clock), MemorySecrets())
    made: list[Rig] = []
    rig = _rig(account, environ, clock, services, Since(services.reader), made)
    try:
        yield rig
    finally:
        for each in made:
            _close(each)


def _rig(
    account: Account,
    environ: Mapping[str, str],
    clock: MemoryClock,
    services: Services,
    source: Since,
    made: list[Rig],
) -> Rig:
    ports = Provided(account, Suite(SETTINGS, environ, clock=clock).ports).ports()

    def host(handler: BatchHandler, terms: Terms) -> Counter:
        settler = Settler(GROUP, handler, DeadLetters(ports, SETTINGS))
        azures = AzureTerms(
            timeout_ms=terms.timeout_ms,
            tries_in_process=terms.tries_in_process,
            max_attempts=terms.max_attempts,
            max_age_ms=terms.max_age_ms,
            first_wait_ms=terms.first_wait_ms,
            longest_wait_ms=terms.longest_wait_ms,
        )
        parking = cache(lambda: Parking(ports.objects(STORE), GROUP))
        batches = StreamTrigger(settler, parking, clock, azures, sleep=lambda _: None)
        hub = EventHubsHost(
            source,
            GROUP,
            lambda events, retries: batches.deliver(events, deadline(), retries=retries),
            terms.batch_records,
            account.progress.setdefault(GROUP, {}),
        )

        def deadline() -> Deadline:
            end = clock.now_ms() + terms.timeout_ms
            return Deadline(lambda: end - clock.now_ms())

        return Counter(hub, ParkedReplay(settler, parking, clock, azures), deadline)

    def entry(name: str) -> AzureEntry:
        app = make_app({**environ, "GRANDSTAND_FUNCTION": name}, ports=ports, sleep=lambda _: None)
        return AzureEntry(app, name, account, source)

    def pass_time(milliseconds: int) -> None:
        time.sleep(milliseconds / 1_000)
        clock.advance(milliseconds)

    def set_secret(name: str, value: bytes) -> None:
        account.secrets.values[name] = value

    rig = Rig(
        name="azure",
        ports=ports,
        clock=clock,
        deliveries=(Delivery.PARKED,),
        appended=lambda: _appended(source, clock),
        host=host,
        receiver=partial(QueueReceiver, account),
        entry=entry,
        mailbox=list[Mail],
        reopen=lambda: _rig(account, environ, clock, services, source, made),
        set_secret=set_secret,
        pass_time=pass_time,
        smuggle=lambda data: services.hubs.put(HUB, data),
    )
    made.append(rig)
    return rig


def _close(rig: Rig) -> None:
    stream: Any = rig.ports.stream(HUB)
    stream.close()


def _context(retries: int) -> Any:
    """What a function is told of its invocation."""
    return SimpleNamespace(
        invocation_id="1",
        function_name="f",
        function_directory="",
        retry_context=SimpleNamespace(retry_count=retries),
    )


def _appended(source: Since, clock: MemoryClock) -> list[Record]:
    """Every record in the stream `events`, partition after partition."""
    records = []
    for partition in source.partitions():
        for event in source.read(partition, START, 1 << 30):
            record, problem = open_record(
                event.body, partition=partition, position=event.sequence_number, attempt=None, now_ms=clock.now_ms()
            )
            assert problem is None
            records.append(record)
    return records
