"""The Azure provider's composition root: every port of one deployment, each made when first used.

Each port's module is imported when it is first asked for, so that a package holds only what its function uses.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from adapters.azure.clients import MAIL_ENDPOINT, MAIL_EXAMPLE, Clients
from adapters.azure.errors import Resource
from adapters.common.environment import NAME, require, suite_name
from functions.manifest import Function
from shared.errors import GrandstandError, Misconfigured
from shared.health.meter import Meters
from shared.ports import Clock, Mailer, ObjectStore, Ports, Queue, Secrets, Stream, Table, Warehouse
from shared.settings import Settings
from shared.stream import Deadline

if TYPE_CHECKING:
    from azure.data.tables import TableClient

T = TypeVar("T")

MAIL_FROM: Final = "GRANDSTAND_MAIL_FROM"
TABLE_ROLE: Final = "Storage Table Data Contributor"
BLOB_ROLE: Final = "Storage Blob Data Contributor"
QUEUE_ROLE: Final = "Storage Queue Data Message Sender"
HISTORY: Final = "history"
MAX_NAME: Final = 40
_NAME: Final = re.compile(r"[a-z](-?[a-z0-9])*")


class SystemClock:
    """`shared.ports.Clock` by this machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class Suite:
    """The ports of one deployment: resources whose names begin with GRANDSTAND_NAME. Threads may share it."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], *, clock: Clock | None = None) -> None:
        """Raises Misconfigured where GRANDSTAND_NAME cannot begin the names of resources."""
        self._settings = settings
        self._environ = environ
        self._clock = clock or SystemClock()
        self._lock = RLock()
        self._made: dict[tuple[str, str], Any] = {}
        self.name = _name(environ)
        self.clients = Clients(environ)
        self.ports = Ports(
            clock=self._clock,
            secrets=_Lazy(partial(self._once, "secrets", "", self._secrets)),
            stream=lambda name: self._once("stream", name, partial(self._stream, name)),
            table=lambda name: self._once("table", name, partial(self._table, name)),
            objects=lambda name: self._once("objects", name, partial(self._objects, name)),
            queue=lambda name: self._once("queue", name, partial(self._queue, name)),
            mailer=partial(self._once, "mailer", "", self._mailer),
            warehouse=partial(self._once, "warehouse", "", self._warehouse),
            history_uri=self._history_uri,
            meter=Meters(self._clock.now_ms),
        )

    def table_name(self, name: str) -> str:
        """Letters and digits are all that a table's name may have."""
        return f"{self.name}{name}".replace("-", "").replace("_", "")

    def container_name(self, store: str) -> str:
        return f"{self.name}-{store}"

    def queue_name(self, name: str) -> str:
        return f"{self.name}-{name}"

    def purge(self, function: Function, deadline: Deadline) -> int:
        """Delete what has expired in the tables that this function's deployment looks after; how many items.

        For a timer that starts about each hour; what is not due costs one request a table. Raises Unavailable or
        Misconfigured for the first table that could not be walked, after the others.
        """
        from adapters.azure.purging import Purge, purged_by

        purged, troubles = 0, []
        for name in purged_by(function):
            try:
                purged += Purge(*self._table_parts(name), self._clock).run(deadline)
            except GrandstandError as error:
                troubles.append(error)
        if troubles:
            raise troubles[0]
        return purged

    def _secrets(self) -> Secrets:
        from adapters.azure.secrets import secrets

        return secrets(lambda: self.clients.vault, self.name)

    def _stream(self, name: str) -> Stream:
        from adapters.azure.stream import EventHubsStream

        return EventHubsStream(self._environ, name, self._clock)

    def _table(self, name: str) -> Table:
        from adapters.azure.table import AzureTable

        return AzureTable(*self._table_parts(name), self._clock)

    def _table_parts(self, name: str) -> tuple[Callable[[], TableClient], Resource]:
        whole = self.table_name(name)
        resource = self._resource("table", whole, TABLE_ROLE)
        return lambda: self.clients.tables.get_table_client(whole), resource

    def _objects(self, name: str) -> ObjectStore:
        from adapters.azure.objects import AzureObjects

        whole = self.container_name(name)
        resource = self._resource("container", whole, BLOB_ROLE)
        return AzureObjects(lambda: self.clients.blobs.get_container_client(whole), resource)

    def _queue(self, name: str) -> Queue:
        from adapters.azure.queue import AzureQueue

        whole = self.queue_name(name)
        resource = self._resource("queue", whole, QUEUE_ROLE)
        return AzureQueue(lambda: self.clients.queues.get_queue_client(whole), resource)

    def _mailer(self) -> Mailer:
        from adapters.azure.mailer import AzureMailer

        sender = require(self._environ, MAIL_FROM, "DoNotReply@example.com")
        require(self._environ, MAIL_ENDPOINT, MAIL_EXAMPLE)
        return AzureMailer(lambda: self.clients.mail, sender)

    def _warehouse(self) -> Warehouse:
        from adapters.common.warehouse import DeltaWarehouse

        return DeltaWarehouse(self.ports.history_uri)

    def _history_uri(self) -> tuple[str, dict[str, str]]:
        from adapters.azure.history import storage_options

        return f"az://{self.container_name(HISTORY)}", storage_options(self.clients, self._environ)

    def _resource(self, kind: str, name: str, role: str) -> Resource:
        account = self.clients.account
        make = f"az storage {kind} create --name {name} --account-name {account} --auth-mode login"
        return Resource(f"the {kind} {name} of the storage account {account}", make, role)

    def _once(self, kind: str, name: str, make: Callable[[], T]) -> T:
        made: T | None = self._made.get((kind, name))
        if made is None:
            with self._lock:
                made = self._made.get((kind, name)) or self._made.setdefault((kind, name), make())
        return made


def _name(environ: Mapping[str, str]) -> str:
    name = suite_name(environ)
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise Misconfigured(
            f"{NAME}={name!r} cannot begin the names of Azure's resources. Take at most {MAX_NAME} lower-case "
            f"letters, digits and single dashes, a letter first, for example {NAME}=sports-eu."
        )
    return name


class _Lazy:
    """`shared.ports.Secrets`, made when first asked."""

    def __init__(self, made: Callable[[], Secrets]) -> None:
        self._made = made

    def get(self, name: str) -> bytes:
        return self._made().get(name)
