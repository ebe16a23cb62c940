"""One machine, and the ports in memory, which keep the same promises."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

from adapters.common.hosting import Hosted
from adapters.local.secrets import FILE, create
from adapters.local.suite import Suite
from adapters.local.triggers import Consumer, Delivery, Log, Progress, Terms
from functions.manifest import FUNCTIONS, Function, OnQueue, OnStream
from lab.memory import MemoryClock, MemoryMailer, MemorySecrets, MemorySuite
from shared.dead_letters import DeadLetters
from shared.ports import Mail, Ports
from shared.settings import Settings
from shared.stream import NO_DEADLINE, BatchHandler, Deadline, Record
from tests.asgi import Client
from tests.contract.rig import HttpAnswer, Receiver, Rig
from tests.emulators.smtp import smtp_server

SETTINGS = Settings()
ONE_RUN = Deadline(lambda: 10_000)
"""Too near for a schedule to run again within its minute, and not near enough to stop it."""


class AnySuite(Protocol):
    """What the local suite and that in memory have in common."""

    ports: Ports
    clock: Any

    @property
    def stream(self) -> Callable[[str], Any]: ...

    @property
    def progress(self) -> Callable[[str], Any]: ...

    @property
    def queue(self) -> Callable[[str], Any]: ...


class LocalEntry:
    """A function as the local host runs it, without its threads."""

    def __init__(self, suite: AnySuite, function: Function) -> None:
        self._suite = suite
        self._function = function
        self._hosted = Hosted(function, suite.ports, SETTINGS)

    def http(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        answer = Client(self._hosted.app).request(method, target, headers=dict(headers or {}), content=body)
        self._hosted.rest()
        return HttpAnswer(answer.status_code, dict(answer.headers), answer.content)

    def deliver(self) -> int:
        trigger = self._function.trigger
        assert isinstance(trigger, OnStream)
        log, progress = self._suite.stream(trigger.stream), self._suite.progress(trigger.stream)
        hosted = self._hosted.settler
        consumer = Consumer(
            self._function.name,
            hosted.hand_over,
            source=log,
            progress=progress,
            dead_letters=DeadLetters(self._suite.ports, SETTINGS),
            clock=self._suite.clock,
            terms=Terms(batch_records=trigger.batch_records),
        )
        delivered = consumer.poll()
        self._hosted.rest()
        return delivered

    def work(self) -> int:
        trigger = self._function.trigger
        assert isinstance(trigger, OnQueue)
        queue = self._suite.queue(trigger.queue)
        messages = queue.receive()
        for message in messages:
            if self._hosted.message(message, NO_DEADLINE):
                queue.settle(message)
        return len(messages)

    def tick(self) -> None:
        self._hosted.run(ONE_RUN)


def rig_of(
    name: str,
    suite: AnySuite,
    *,
    clock: MemoryClock,
    reopen: Callable[[], Rig],
    mailbox: Callable[[], Sequence[Mail]],
    set_secret: Callable[[str, bytes], None],
) -> Rig:
    def appended() -> list[Record]:
        log: Log = suite.stream("events")
        return [record for each in log.heads().positions for record in log.read(each, 0, 10_000, 1 << 40)]

    def host(handler: BatchHandler, terms: Terms) -> Consumer:
        progress: Progress = suite.progress("events")
        return Consumer(
            "counter",
            handler,
            source=suite.stream("events"),
            progress=progress,
            dead_letters=DeadLetters(suite.ports, SETTINGS),
            clock=clock,
            terms=terms,
        )

    def receiver(queue: str) -> Receiver:
        made: Receiver = suite.queue(queue)
        return made

    def entry(name: str) -> LocalEntry:
        return LocalEntry(suite, next(function for function in FUNCTIONS if function.name == name))

    return Rig(
        name=name,
        ports=suite.ports,
        clock=clock,
        deliveries=tuple(Delivery),
        appended=appended,
        host=host,
        receiver=receiver,
        entry=entry,
        mailbox=mailbox,
        reopen=reopen,
        set_secret=set_secret,
        pass_time=clock.advance,
    )


@contextmanager
def local(folder: Path) -> Iterator[Rig]:
    clock = MemoryClock()
    suites: list[Suite] = []

    def rig() -> Rig:
        suite = Suite(folder, SETTINGS, clock=clock, environ=server.environ)
        suites.append(suite)
        return rig_of(
            "local",
            suite,
            clock=clock,
            reopen=rig,
            mailbox=lambda: server.mails,
            set_secret=partial(_set_local_secret, folder),
        )

    with smtp_server() as server:
        yield rig()
    for suite in suites:
        suite.close()


def _set_local_secret(folder: Path, name: str, value: bytes) -> None:
    path = folder / FILE
    if not path.exists():
        create(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value.decode()}))


@contextmanager
def memory(folder: Path) -> Iterator[Rig]:
    suite = MemorySuite(history=folder)
    secrets = suite.ports.secrets
    assert isinstance(secrets, MemorySecrets)

    def mailbox() -> list[Mail]:
        mailer = suite.ports.mailer()
        assert isinstance(mailer, MemoryMailer)
        return mailer.sent

    @cache
    def rig() -> Rig:
        return rig_of(
            "memory",
            suite,
            clock=suite.clock,
            reopen=rig,
            mailbox=mailbox,
            set_secret=secrets.values.__setitem__,
        )

    yield rig()
