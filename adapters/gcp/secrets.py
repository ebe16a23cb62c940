"""Secrets in Secret Manager: the newest version of `{name}-{secret}`, kept for a minute."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Final

from adapters.common.backoff import retry
from adapters.common.environment import needs_extra
from adapters.common.kept_secrets import KeptSecrets
from adapters.gcp.clients import REQUEST_SECONDS, Clients
from adapters.gcp.errors import about
from shared.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

HOST: Final = "secretmanager.googleapis.com"
EMULATOR: Final = "GRANDSTAND_SECRETS_ENDPOINT"


def make(clients: Clients, prefix: str) -> KeptSecrets:
    """The secrets whose names begin with `prefix` and a dash."""
    return KeptSecrets(_Vault(clients, prefix).read)


class _Vault:
    def __init__(self, clients: Clients, prefix: str) -> None:
        self._clients = clients
        self._prefix = prefix
        self._lock = RLock()
        self._made: SecretManagerServiceClient | None = None

    def read(self, name: str) -> bytes:
        """The newest version. Raises Misconfigured, Unavailable."""
        from google.api_core.exceptions import FailedPrecondition, NotFound

        whole = f"{self._prefix}-{name}"
        version = f"projects/{self._clients.project}/secrets/{whole}/versions/latest"
        client = self._client()

        def once() -> bytes:
            with about(f"the secret {whole}"):
                try:
                    answer = client.access_secret_version(name=version, retry=None, timeout=REQUEST_SECONDS)
                except (NotFound, FailedPrecondition) as error:  # the second: its newest version is switched off
                    raise Misconfigured(
                        f"There is no secret {whole!r} ({error.message}). Make it: "
                        f"printf %s … | gcloud secrets create {whole} --data-file=-"
                    ) from None
                return bytes(answer.payload.data)

        return retry(once, Unavailable)

    def _client(self) -> SecretManagerServiceClient:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> SecretManagerServiceClient:
        with needs_extra("gcp"):
            from google.cloud.secretmanager_v1 import SecretManagerServiceClient
            from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
                SecretManagerServiceGrpcTransport,
            )

        channel = self._clients.channel(HOST, EMULATOR)
        return SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))
