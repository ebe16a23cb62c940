"""The local provider's composition root: every port on one data folder, each made when first used."""

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from adapters.local import progress, queue, stream, table
from adapters.local.clock import SystemClock
from adapters.local.objects import LocalObjects
from adapters.local.progress import LocalProgress
from adapters.local.queue import LocalQueue
from adapters.local.secrets import FILE, LocalSecrets
from adapters.local.store import Database
from adapters.local.stream import LocalStream
from adapters.local.table import LocalTable
from shared.health.meter import Meters
from shared.health.pulses import PULSES_TABLE
from shared.ports import Clock, Mailer, Ports, Secrets, Warehouse
from shared.settings import Settings

STREAM_FILE: Final = "stream.db"
TABLES_FILE: Final = "tables.db"
QUEUE_FILE: Final = "queue.db"
CONSUMERS_FILE: Final = "consumers.db"
OBJECTS_FOLDER: Final = "objects"
HISTORY_FOLDER: Final = "history"


class Suite:
    """The ports of one data folder, with what only the local provider's own processes use.

    `delivery_ports` are for stream consumers alone, who call `flush` before each checkpoint.
    """

    def __init__(
        self,
        data_dir: Path,
        _: Settings,
        *,
        clock: Clock | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.data_dir = data_dir
        self.clock = clock or SystemClock()
        self.log_store = Database(data_dir / STREAM_FILE, stream.SCHEMA, page_size=stream.PAGE_SIZE)
        self.table_store = Database(data_dir / TABLES_FILE, table.SCHEMA)
        self.queue_store = Database(data_dir / QUEUE_FILE, queue.SCHEMA)
        self.consumer_store = Database(data_dir / CONSUMERS_FILE, progress.SCHEMA, synchronous=progress.SYNCHRONOUS)
        self._databases = (self.log_store, self.table_store, self.queue_store, self.consumer_store)
        self.progress = cache(lambda name: LocalProgress(self.consumer_store, name))
        self.stream = cache(lambda name: LocalStream(self.log_store, name, self.clock))
        self.queue = cache(lambda name: LocalQueue(self.queue_store, name, self.clock))
        self.ports = Ports(
            clock=self.clock,
            secrets=LocalSecrets(data_dir / FILE),
            stream=self.stream,
            table=cache(lambda name: LocalTable(self.table_store, name, self.clock)),
            objects=cache(lambda name: LocalObjects(data_dir / OBJECTS_FOLDER / name)),
            queue=self.queue,
            mailer=cache(lambda: _mailer(environ, self.ports.secrets)),
            warehouse=cache(lambda: _warehouse(self.ports)),
            history_uri=lambda: (str(data_dir / HISTORY_FOLDER), {}),
            meter=Meters(self.clock.now_ms),
        )

        # What a delivery writes into tables need not be durable one by one, only all of it before the checkpoint:
        # a power cut that takes some of it away leaves the checkpoint behind it, and the records come again.
        self._delivery_store = Database(data_dir / TABLES_FILE, table.SCHEMA, synchronous="NORMAL")
        self.delivery_ports = replace(
            self.ports, table=cache(lambda name: LocalTable(self._delivery_store, name, self.clock))
        )

        # nor need pulses: what a power cut takes away of them would have told nothing
        self._pulse_store = Database(data_dir / TABLES_FILE, table.SCHEMA, synchronous="NORMAL")
        self.pulses = LocalTable(self._pulse_store, PULSES_TABLE, self.clock)

    def flush(self) -> None:
        """Make durable what was written through `delivery_ports`. Raises Unavailable."""
        self._delivery_store.sync()

    def sweep_objects(self) -> None:
        """Remove what crashed writers left behind in any object store."""
        for folder in (self.data_dir / OBJECTS_FOLDER).glob("*"):
            LocalObjects(folder).sweep()

    def check(self) -> None:
        """Open every file and the secrets, so that what is damaged is told now. Raises CorruptData, Misconfigured."""
        for database in self._databases:
            database.read(lambda connection: connection.execute("SELECT count(*) FROM sqlite_schema").fetchone())
        self.ports.secrets.get("pseudonym-keys")

    def close(self) -> None:
        """Close the files; the ports open them again when they are used."""
        for database in (*self._databases, self._delivery_store, self._pulse_store):
            database.close()


def suite(data_dir: Path, settings: Settings) -> Ports:
    """The ports of a data folder, which need not exist yet."""
    return Suite(data_dir, settings).ports


def _mailer(environ: Mapping[str, str], secrets: Secrets) -> Mailer:
    from adapters.common.smtp import SmtpMailer

    return SmtpMailer(environ, secrets)


def _warehouse(ports: Ports) -> Warehouse:
    from adapters.common.warehouse import DeltaWarehouse

    return DeltaWarehouse(ports.history_uri)
