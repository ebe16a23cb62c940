"""The SDKs' clients: made once each, when first asked for, and shared by threads.

Storage is reached by the identity at GRANDSTAND_STORAGE_ACCOUNT, an emulator by GRANDSTAND_STORAGE_CONNECTION.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from adapters.azure.identity import credential
from adapters.common.environment import needs_extra, require

if TYPE_CHECKING:
    from azure.communication.email import EmailClient
    from azure.data.tables import TableServiceClient
    from azure.keyvault.secrets import SecretClient
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient

T = TypeVar("T")

ACCOUNT: Final = "GRANDSTAND_STORAGE_ACCOUNT"
CONNECTION: Final = "GRANDSTAND_STORAGE_CONNECTION"
KEY_VAULT: Final = "GRANDSTAND_KEY_VAULT"
MAIL_ENDPOINT: Final = "GRANDSTAND_MAIL_ENDPOINT"
MAIL_EXAMPLE: Final = "https://grandstand.communication.azure.com"
CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 20.0
CONNECTIONS: Final = 32
WHOLE_BYTES: Final = 256 * 1024 * 1024
"""A blob up to this size is read and written by one request."""
ONE_TRY: Final[Mapping[str, Any]] = {
    "retry_total": 0,  # adapters/azure/errors.py tries again, with jitter
    "connection_timeout": CONNECT_SECONDS,
    "read_timeout": READ_SECONDS,
}


class Clients:
    """One process's clients."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._lock = RLock()
        self._made: dict[str, Any] = {}

    @property
    def connection(self) -> str | None:
        """An emulator's connection string."""
        return self._environ.get(CONNECTION, "").strip() or None

    @property
    def account(self) -> str:
        """The storage account's name. Raises Misconfigured when it is not set."""
        connection = self.connection
        if connection is not None:
            return connection_parts(connection).get("AccountName", "")
        return require(self._environ, ACCOUNT, "grandstand4f2a")

    @property
    def tables(self) -> TableServiceClient:
        return self._once("tables", self._tables)

    @property
    def blobs(self) -> BlobServiceClient:
        return self._once("blobs", self._blobs)

    @property
    def queues(self) -> QueueServiceClient:
        return self._once("queues", self._queues)

    @property
    def vault(self) -> SecretClient:
        return self._once("vault", self._vault)

    @property
    def mail(self) -> EmailClient:
        return self._once("mail", self._mail)

    def _tables(self) -> TableServiceClient:
        with needs_extra("azure"):
            from azure.data.tables import TableServiceClient

        return self._storage(TableServiceClient, "table", ONE_TRY)

    def _blobs(self) -> BlobServiceClient:
        with needs_extra("azure"):
            from azure.storage.blob import BlobServiceClient

        sizes = {"max_single_get_size": WHOLE_BYTES, "max_single_put_size": WHOLE_BYTES}
        return self._storage(BlobServiceClient, "blob", {**ONE_TRY, **sizes})

    def _queues(self) -> QueueServiceClient:
        with needs_extra("azure"):
            from azure.storage.queue import QueueServiceClient

        return self._storage(QueueServiceClient, "queue", ONE_TRY)

    def _storage(self, kind: type[T], service: str, options: Mapping[str, Any]) -> T:
        made: Any = kind
        options = {**options, "transport": _transport()}
        if self.connection is not None:
            return cast(T, made.from_connection_string(self.connection, **options))
        address = f"https://{self.account}.{service}.core.windows.net"
        return cast(T, made(address, credential=credential(self._environ), **options))

    def _vault(self) -> SecretClient:
        with needs_extra("azure"):
            from azure.keyvault.secrets import SecretClient

            from adapters.azure.loopback import reached

        url = require(self._environ, KEY_VAULT, "https://grandstand.vault.azure.net")
        how = reached(KEY_VAULT, url, lambda: credential(self._environ))
        # a vault's own challenge must name its domain, which a stand-in has not
        return SecretClient(how.pop("address"), **how, verify_challenge_resource="transport" not in how, **ONE_TRY)

    def _mail(self) -> EmailClient:
        with needs_extra("azure"):
            from azure.communication.email import EmailClient

            from adapters.azure.loopback import reached

        url = require(self._environ, MAIL_ENDPOINT, MAIL_EXAMPLE)
        how = reached(MAIL_ENDPOINT, url, lambda: credential(self._environ))
        return EmailClient(how.pop("address"), **how, **ONE_TRY)

    def _once(self, name: str, make: Callable[[], T]) -> T:
        made: T | None = self._made.get(name)
        if made is None:
            with self._lock:
                made = self._made.get(name) or self._made.setdefault(name, make())
        return made


def _transport() -> Any:
    """One that keeps a connection for each of our threads; the SDKs' own keeps ten."""
    from azure.core.pipeline.transport import RequestsTransport
    from requests import Session
    from requests.adapters import HTTPAdapter

    session = Session()
    adapter = HTTPAdapter(pool_maxsize=CONNECTIONS, max_retries=0)
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return RequestsTransport(session=session, connection_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)


def connection_parts(connection: str) -> dict[str, str]:
    """Its fields by name, as in `AccountName`."""
    pairs = (part.partition("=") for part in connection.split(";") if part)
    return {name: value for name, _, value in pairs}
