"""Google Cloud's composition root: every port in one project, each made when first used.

Each port's module is imported when it is first asked for, so that a package holds only what its function uses.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from threading import RLock
from typing import Any, Final, TypeVar

from adapters.common.environment import needs_extra, require, suite_name
from adapters.gcp.clients import Clients
from shared.health.meter import Meters
from shared.ports import Clock, Mailer, ObjectStore, Ports, Queue, Secrets, Stream, Table, Warehouse
from shared.settings import Settings

T = TypeVar("T")

BUCKET: Final = "GRANDSTAND_BUCKET"
CREDENTIALS: Final = "GOOGLE_APPLICATION_CREDENTIALS"
HISTORY_PREFIX: Final = "history"


class SystemClock:
    """`shared.ports.Clock` by this machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class Suite:
    """The ports of one deployment: resources whose names begin with GRANDSTAND_NAME."""

    def __init__(
        self,
        settings: Settings,  # noqa: ARG002 - every provider's suite is made alike
        environ: Mapping[str, str],
        *,
        clock: Clock | None = None,
    ) -> None:
        self._environ = environ
        self._clock = clock or SystemClock()
        self._lock = RLock()
        self.name = suite_name(environ)
        self.clients = Clients(environ)
        self._firestore = self._once(self._make_firestore)
        self._tasks = self._once(self._make_tasks)
        self._drivers = self._once(self._make_drivers)
        self.ports = Ports(
            clock=self._clock,
            secrets=_Lazy(self._once(self._secrets)),
            stream=self._once(self._stream),
            table=self._once(self._table),
            objects=self._once(self._objects),
            queue=self._once(self._queue),
            mailer=self._once(self._mailer),
            warehouse=self._once(self._warehouse),
            history_uri=self._history_uri,
            meter=Meters(self._clock.now_ms),
        )

    @property
    def bucket(self) -> str:
        """Raises Misconfigured when it is not set."""
        return require(self._environ, BUCKET, "my-project-grandstand")

    def close(self) -> None:
        """End the connections."""
        self.clients.close()

    def _once(self, make: Callable[..., T]) -> Callable[..., T]:
        """`make`, called once for each name, whichever thread asks first."""
        cached = cache(make)

        def made(*names: str) -> T:
            with self._lock:
                return cached(*names)

        return made

    def _make_firestore(self) -> Any:
        from adapters.gcp.firestore import Firestore

        return Firestore(self.clients)

    def _make_tasks(self) -> Any:
        from adapters.gcp.queue import TasksClient

        return TasksClient(self.clients)

    def _make_drivers(self) -> Any:
        with needs_extra("gcp"):
            from adapters.gcp import objects

        return objects.drivers(self.clients)

    def _secrets(self) -> Secrets:
        from adapters.gcp import secrets

        return secrets.make(self.clients, self.name)

    def _stream(self, name: str) -> Stream:
        from adapters.gcp.stream import PubSubStream

        return PubSubStream(self._environ, name, self._clock, self.clients)

    def _table(self, name: str) -> Table:
        from adapters.gcp.table import GcpTable

        return GcpTable(self._firestore, f"{self.name}-{name}", self._clock)

    def _objects(self, name: str) -> ObjectStore:
        return self.prefixed(f"objects/{name}/")

    def prefixed(self, prefix: str) -> ObjectStore:
        """What lies under a prefix of the suite's bucket."""
        bucket, drivers = self.bucket, self._drivers()
        from adapters.gcp import objects

        return objects.make(drivers, bucket, prefix)

    def _queue(self, name: str) -> Queue:
        from adapters.gcp.queue import GcpQueue

        return GcpQueue(self._tasks(), self._environ, name, self._clock)

    def _mailer(self) -> Mailer:
        from adapters.common.smtp import SmtpMailer

        return SmtpMailer(self._environ, self.ports.secrets)

    def _warehouse(self) -> Warehouse:
        from adapters.common.warehouse import DeltaWarehouse

        return DeltaWarehouse(self._history_uri)

    def _history_uri(self) -> tuple[str, dict[str, str]]:
        """delta-rs signs in as the function's service account, or by the file that is named."""
        uri = f"gs://{self.bucket}/{HISTORY_PREFIX}"
        here = self.clients.storage_emulator
        if here:
            nobody = {"gcs_base_url": here, "disable_oauth": True, "client_email": "", "private_key": ""}
            key = json.dumps({**nobody, "private_key_id": ""})
            return uri, {"google_service_account_key": key, "allow_http": str(here.startswith("http:")).lower()}
        file = self._environ.get(CREDENTIALS, "").strip()
        return uri, {"google_application_credentials": file} if file else {}


class _Lazy:
    """`shared.ports.Secrets`, made when first asked."""

    def __init__(self, make: Callable[[], Secrets]) -> None:
        self._make = make

    def get(self, name: str) -> bytes:
        return self._make().get(name)
