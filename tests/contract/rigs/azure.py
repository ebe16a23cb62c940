"""Azure, as Azurite and the stand-ins for Event Hubs, Key Vault and e-mail have it.

Storage, secrets and mail have names of each rig's own. The hub `events` is one for all of them, since a hub's name
has no prefix: a rig sees what was appended after it was made.
"""

import gc
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from adapters.azure.app import make_app
from adapters.azure.parking import STORE, Parking
from adapters.azure.replaying import ParkedReplay
from adapters.azure.suite import Suite
from adapters.azure.triggers import StreamTrigger
from adapters.azure.triggers import Terms as AzureTerms
from adapters.common.envelope import open_record
from adapters.common.settling import Settler
from adapters.local.triggers import Delivery, Terms
from lab.memory import MemoryClock, MemorySecrets
from shared.dead_letters import DeadLetters
from shared.settings import Settings
from shared.stream import BatchHandler, Deadline, Record
from tests.contract.rig import Rig
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
from tests.emulators.azure_functions_host import START, EventHubsHost
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
    account = Account(Suite(SETTINGS, unharmed), services)
    for each, value in MemorySecrets().values.items():
        account.set_secret(each, value)
    made: list[Rig] = []
    try:
        yield _rig(account, environ, MemoryClock(), Since(services.reader), made)
    finally:
        for rig in made:
            stream: Any = rig.ports.stream(HUB)
            stream.close()
        gc.collect()  # see OPEN_SOCKETS in conftest.py: none of them is left to a test that does not know


def _rig(account: Account, environ: Mapping[str, str], clock: MemoryClock, source: Since, made: list[Rig]) -> Rig:
    services = account.services
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
        mailbox=lambda: services.mail.sent_by(environ["GRANDSTAND_MAIL_FROM"]),
        reopen=lambda: _rig(account, environ, clock, source, made),
        set_secret=account.set_secret,
        pass_time=pass_time,
        smuggle=lambda data: services.hubs.put(HUB, data),
        fault=services.fault,
    )
    made.append(rig)
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
