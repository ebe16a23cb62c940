"""Azure, as Azurite and the stand-ins for Event Hubs, Key Vault and e-mail have it.

Storage, secrets and mail have names of each rig's own. The hub `events` is one for all of them, since a hub's name
has no prefix: a rig sees what was appended after it was made.

With `--live azure` the same rig works in a real subscription, signed in as `az login` or the environment says. It
needs GRANDSTAND_STORAGE_ACCOUNT, GRANDSTAND_EVENT_HUBS and GRANDSTAND_KEY_VAULT, the hubs `events` and `others`, the
former with a consumer group `counter`, and the roles Storage Blob, Table and Queue Data Contributor, Event Hubs Data
Owner and Key Vault Secrets Officer. Take a sandbox: what the tests make there they remove, but for events, which
expire, and secrets, which the vault keeps a while longer. E-mail needs GRANDSTAND_MAIL_ENDPOINT and
GRANDSTAND_MAIL_FROM; whether it arrives is not looked at there, and no faults can be asked for.
"""

import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import pytest

from adapters.azure.app import make_app
from adapters.azure.hubs import NAMESPACE
from adapters.azure.parking import STORE, Parking
from adapters.azure.replaying import ParkedReplay
from adapters.azure.suite import Suite
from adapters.azure.triggers import StreamTrigger
from adapters.azure.triggers import Terms as AzureTerms
from adapters.common.envelope import open_record
from adapters.common.environment import require
from adapters.common.settling import Settler
from adapters.local.triggers import Delivery, Terms
from lab.memory import MemoryClock, MemorySecrets
from shared.dead_letters import DeadLetters
from shared.ports import Mail
from shared.settings import Settings
from shared.stream import BatchHandler, Deadline, Record
from tests.contract.rig import Fault, Rig
from tests.contract.rigs.azure_hosts import (
    GROUP,
    HUB,
    Account,
    AzureEntry,
    Counter,
    Provided,
    QueueReceiver,
    Since,
    over,
    past_the_gates,
)
from tests.contract.rigs.azure_hosts import services as running
from tests.emulators.azure_functions_host import START, EventHubsHost, HubReader
from tests.emulators.azurite import NotInstalled

SETTINGS: Final = Settings()


_numbers = count(1)


@contextmanager
def azure(_: Path) -> Iterator[Rig]:
    """A rig against Azurite and the stand-ins."""
    try:
        services = running()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    name = f"g{os.getpid()}x{next(_numbers)}"
    environ = {
        "GRANDSTAND_NAME": name,
        "GRANDSTAND_STORAGE_CONNECTION": services.azurite.connection_string,
        "GRANDSTAND_EVENT_HUBS_CONNECTION": services.hubs.connection_string,
        "GRANDSTAND_KEY_VAULT": services.vault.url,
        "GRANDSTAND_MAIL_ENDPOINT": services.mail.url,
        "GRANDSTAND_MAIL_FROM": f"news@{name}.example.com",
    }
    unharmed = {**environ, "GRANDSTAND_STORAGE_CONNECTION": past_the_gates(services.azurite)}
    around = Around(
        environ,
        Account(
            Suite(SETTINGS, unharmed),
            lambda secret, value: services.vault.set(f"{name}-{secret}", value.decode()),
        ),
        Since(services.reader),
        mailbox=lambda: services.mail.sent_by(environ["GRANDSTAND_MAIL_FROM"]),
        smuggle=lambda data: services.hubs.put(HUB, data),
        fault=services.fault,
    )
    with _opened(around) as rig:
        yield rig


@contextmanager
def live(_: Path) -> Iterator[Rig]:
    """A rig in a real subscription."""
    from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient
    from azure.identity import DefaultAzureCredential

    name = f"g{token_hex(4)}"
    environ = {**os.environ, "GRANDSTAND_NAME": name}
    suite, identity = Suite(SETTINGS, environ), DefaultAzureCredential()
    hub = (require(environ, NAMESPACE, "grandstand.servicebus.windows.net"), HUB)
    vault = suite.clients.vault
    secrets: set[str] = set()

    def set_secret(secret: str, value: bytes) -> None:
        secrets.add(f"{name}-{secret}")
        vault.set_secret(f"{name}-{secret}", value.decode())

    with (
        EventHubProducerClient(*hub, identity) as producer,
        EventHubConsumerClient(*hub, GROUP, identity) as consumer,
    ):
        partitions = consumer.get_partition_ids()

        def heads() -> dict[str, int]:
            told = {each: consumer.get_partition_properties(each) for each in partitions}
            return {each: properties["last_enqueued_sequence_number"] + 1 for each, properties in told.items()}

        reader = HubReader(consumer, heads)
        account = Account(suite, set_secret)
        around = Around(
            environ, account, Since(reader), mailbox=list, smuggle=lambda data: producer.send_event(EventData(data))
        )
        try:
            with _opened(around) as rig:
                yield rig
        finally:
            reader.close()
            account.remove()
            for secret in secrets:
                vault.begin_delete_secret(secret)


@dataclass
class Around:
    """A deployment, and what a rig asks of its services beside what the ports offer."""

    environ: Mapping[str, str]
    account: Account
    source: Since
    mailbox: Callable[[], Sequence[Mail]]
    smuggle: Callable[[bytes], None]
    fault: Fault | None = None
    made: list[Rig] = field(default_factory=list)


@contextmanager
def _opened(around: Around) -> Iterator[Rig]:
    for each, value in MemorySecrets().values.items():
        around.account.set_secret(each, value)
    try:
        yield _rig(around, MemoryClock())
    finally:
        for rig in around.made:
            stream: Any = rig.ports.stream(HUB)
            stream.close()
        gc.collect()  # see OPEN_SOCKETS in conftest.py: none of them is left to a test that does not know


def _rig(around: Around, clock: MemoryClock) -> Rig:
    account, environ, source = around.account, around.environ, around.source
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
        app = make_app({**environ, "GRANDSTAND_FUNCTION": name}, ports=ports, sleep=over)
        return AzureEntry(app, name, account, source)

    def pass_time(milliseconds: int) -> None:
        time.sleep(milliseconds / 1_000)
        clock.advance(milliseconds)

    rig = Rig(
        name="azure",
        ports=ports,
        clock=clock,
        deliveries=(Delivery.PARKED,),
        appended=lambda: _appended(source, clock),
        host=host,
        receiver=partial(QueueReceiver, account),
        entry=entry,
        mailbox=around.mailbox,
        reopen=lambda: _rig(around, clock),
        set_secret=account.set_secret,
        pass_time=pass_time,
        smuggle=around.smuggle,
        fault=around.fault,
    )
    around.made.append(rig)
    return rig


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
