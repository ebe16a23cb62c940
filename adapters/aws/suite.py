"""The AWS provider's composition root: every port in one account and region, each made when first used.

Each port's module is imported when it is first asked for, so that a package holds only what its function uses.
"""

import time
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, Final

from adapters.aws.clients import Clients
from adapters.common.environment import needs_extra, require, suite_name
from shared.health.meter import Meters
from shared.ports import Clock, Mailer, ObjectStore, Ports, Queue, Secrets, Stream, Table, Warehouse
from shared.settings import Settings

BUCKET: Final = "GRANDSTAND_BUCKET"
MAIL_FROM: Final = "GRANDSTAND_MAIL_FROM"
HISTORY_PREFIX: Final = "history"


class SystemClock:
    """`shared.ports.Clock` by this machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class Suite:
    """The ports of one deployment: resources whose names begin with GRANDSTAND_NAME."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._environ = environ
        self._clock = clock or SystemClock()
        self.name = suite_name(environ)
        self.clients = Clients(environ)
        self.ports = Ports(
            clock=self._clock,
            secrets=_Lazy(self._secrets),
            stream=cache(self._stream),
            table=cache(self._table),
            objects=cache(self._objects),
            queue=cache(self._queue),
            mailer=cache(self._mailer),
            warehouse=cache(self._warehouse),
            history_uri=self._history_uri,
            meter=Meters(self._clock.now_ms),
        )

    @property
    def bucket(self) -> str:
        """Raises Misconfigured when it is not set."""
        return require(self._environ, BUCKET, "grandstand-123456789012")

    def _secrets(self) -> Secrets:
        from adapters.aws.secrets import secrets

        return secrets(lambda: self.clients.secretsmanager, self.name)

    def _stream(self, name: str) -> Stream:
        from adapters.aws.stream import AwsStream

        return AwsStream(lambda: self.clients.kinesis, f"{self.name}-{name}", self._clock)

    def _table(self, name: str) -> Table:
        from adapters.aws.table import AwsTable

        return AwsTable(lambda: self.clients.dynamodb, f"{self.name}-{name}", self._clock)

    def _objects(self, name: str) -> ObjectStore:
        with needs_extra("aws"):
            from adapters.aws import objects

        return objects.make(self._drivers, self.bucket, f"objects/{name}/", self.clients.region)

    @cached_property
    def _drivers(self) -> Any:
        from adapters.aws import objects

        return objects.drivers(self.clients)

    def _queue(self, name: str) -> Queue:
        from adapters.aws.queue import AwsQueue

        return AwsQueue(lambda: self.clients.sqs, f"{self.name}-{name}", self._clock)

    def _mailer(self) -> Mailer:
        from adapters.aws.mailer import AwsMailer

        return AwsMailer(lambda: self.clients.sesv2, require(self._environ, MAIL_FROM, "news@example.com"))

    def _warehouse(self) -> Warehouse:
        from adapters.common.warehouse import DeltaWarehouse

        return DeltaWarehouse(self._history_uri)

    def _history_uri(self) -> tuple[str, dict[str, str]]:
        """delta-rs finds and renews the process's own credential; one of another environment it must be told."""
        options = {"aws_region": self.clients.region, "aws_conditional_put": "etag"}
        endpoint = self.clients.endpoint("s3")
        if endpoint:
            options |= {"aws_endpoint": endpoint, "aws_virtual_hosted_style_request": "false"}
            if endpoint.startswith("http:"):
                options["aws_allow_http"] = "true"
        options |= {name.lower(): value for name, value in self.clients.foreign_credential.items()}
        return f"s3://{self.bucket}/{HISTORY_PREFIX}", options


class _Lazy:
    """`shared.ports.Secrets`, made when first asked."""

    def __init__(self, make: Any) -> None:
        self._made = cache(make)

    def get(self, name: str) -> bytes:
        secret: bytes = self._made().get(name)
        return secret
