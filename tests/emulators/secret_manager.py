"""A stand-in for Secret Manager: AccessSecretVersion of the newest version, for the real client."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from google.cloud.secretmanager_v1.types import service

from tests.emulators.google_rpc import Code, Faults, Method, Refused, serving

SERVICE: Final = "google.cloud.secretmanager.v1.SecretManagerService"


@dataclass
class SecretManager:
    """Where it listens (host:port), and what goes wrong there."""

    address: str = ""
    faults: Faults = field(default_factory=Faults)
    _versions: dict[str, list[bytes]] = field(default_factory=dict)
    _disabled: set[str] = field(default_factory=set)

    @property
    def environ(self) -> dict[str, str]:
        return {"GRANDSTAND_SECRETS_ENDPOINT": self.address}

    def add(self, project: str, secret: str, value: bytes) -> None:
        """A new version, the secret made where there is none, as `gcloud secrets versions add`."""
        self._versions.setdefault(f"projects/{project}/secrets/{secret}", []).append(value)

    def disable(self, project: str, secret: str) -> None:
        """Switch the newest version off."""
        self._disabled.add(f"projects/{project}/secrets/{secret}")

    def access(self, request: Any) -> Any:
        secret, _, version = request.name.partition("/versions/")
        if secret not in self._versions:
            raise Refused(Code.NOT_FOUND, f"Secret [{secret}] not found or has no versions.")
        if version != "latest":
            raise Refused(Code.UNIMPLEMENTED, "the stand-in knows the newest version only")
        number = len(self._versions[secret])
        name = f"{secret}/versions/{number}"
        if secret in self._disabled:
            raise Refused(Code.FAILED_PRECONDITION, f"Secret Version [{name}] is in DISABLED state.")
        answer = service.AccessSecretVersionResponse.pb()(name=name)
        answer.payload.data = self._versions[secret][-1]
        return answer


@contextmanager
def secret_manager() -> Iterator[SecretManager]:
    """An empty Secret Manager until the block ends."""
    manager = SecretManager()
    methods = {"AccessSecretVersion": Method(service.AccessSecretVersionRequest.pb(), manager.access)}
    with serving(SERVICE, methods, manager.faults) as address:
        manager.address = address
        yield manager
