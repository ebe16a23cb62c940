"""What `grandstand init --cloud gcp` asks of Secret Manager. It needs more rights than any function has."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from adapters.common.backoff import retry
from adapters.common.environment import needs_extra, suite_name
from adapters.common.fresh_secrets import Put
from adapters.gcp.clients import REQUEST_SECONDS, Clients
from adapters.gcp.errors import about
from adapters.gcp.secrets import EMULATOR, HOST
from shared.errors import Unavailable


def putter(environ: Mapping[str, str]) -> Put:
    """Puts the secrets of the deployment that GRANDSTAND_NAME names, also where a stack made them without a version.

    Secret Manager takes a second value as a new version, so that two who put at the same time leave the later one.
    """
    clients, prefix = Clients(environ), suite_name(environ)
    with needs_extra("gcp"):
        from google.api_core.exceptions import AlreadyExists, FailedPrecondition, NotFound
        from google.cloud.secretmanager_v1 import SecretManagerServiceClient
        from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
            SecretManagerServiceGrpcTransport,
        )

    project = f"projects/{clients.project}"
    channel = clients.channel(HOST, EMULATOR)
    client = SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))

    def has_value(whole: str) -> bool:
        version = f"{project}/secrets/{whole}/versions/latest"
        try:
            client.access_secret_version(name=version, retry=None, timeout=REQUEST_SECONDS)
        except NotFound:
            return False
        except FailedPrecondition:  # switched off or destroyed, which an operator did
            return True
        return True

    def make(whole: str, value: str) -> None:
        request: dict[str, Any] = {"parent": project, "secret_id": whole}
        request["secret"] = {"replication": {"automatic": {}}}
        with suppress(AlreadyExists):
            client.create_secret(request=request, retry=None, timeout=REQUEST_SECONDS)
        added = {"parent": f"{project}/secrets/{whole}", "payload": {"data": value.encode()}}
        client.add_secret_version(request=added, retry=None, timeout=REQUEST_SECONDS)

    def put(name: str, value: str) -> bool:
        whole = f"{prefix}-{name}"

        def once() -> bool:
            with about(f"the secret {whole}"):
                if has_value(whole):
                    return False
                make(whole, value)
                return True

        return retry(once, Unavailable)

    return put
