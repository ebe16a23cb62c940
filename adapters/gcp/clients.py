"""The identity and the channels of one process: made once each, when first asked for, and shared by threads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from adapters.common.environment import needs_extra, require
from adapters.gcp.errors import about

if TYPE_CHECKING:
    import grpc

PROJECT: Final = "GOOGLE_CLOUD_PROJECT"
STORAGE_EMULATOR: Final = "STORAGE_EMULATOR_HOST"
SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
REQUEST_SECONDS: Final = 8.0
_OPTIONS: Final = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))


class Clients:
    """What every port signs in with: application default credentials, that is the function's service account."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._lock = RLock()
        self._channels: dict[str, grpc.Channel] = {}

    @property
    def project(self) -> str:
        """Raises Misconfigured when it is not set."""
        return require(self._environ, PROJECT, "my-project")

    @cached_property
    def credentials(self) -> Any:
        """The identity, which renews its own token. Raises Misconfigured when there is none."""
        with needs_extra("gcp"):
            from google import auth

        with self._lock, about("the credential"):
            credentials, _ = auth.default(scopes=[SCOPE])
        return credentials

    @property
    def storage_emulator(self) -> str:
        """The URL of a stand-in for Cloud Storage; empty at Google."""
        said = self._environ.get(STORAGE_EMULATOR, "").strip().rstrip("/")
        return said if not said or "://" in said else f"http://{said}"

    def channel(self, host: str, emulator: str) -> grpc.Channel:
        """A channel to a service, or without sign-in to the host:port that the variable `emulator` holds."""
        with self._lock:
            made = self._channels.get(host)
            if made is None:
                made = self._channels[host] = self._make(host, self._environ.get(emulator, "").strip())
        return made

    def close(self) -> None:
        """End the connections; they are made again when they are used."""
        with self._lock:
            for channel in self._channels.values():
                channel.close()
            self._channels.clear()

    def _make(self, host: str, address: str) -> grpc.Channel:
        with needs_extra("gcp"):
            import grpc
            from google.api_core import grpc_helpers

        if address:
            return grpc.insecure_channel(address, _OPTIONS)
        channel: grpc.Channel = grpc_helpers.create_channel(
            f"{host}:443", credentials=self.credentials, options=_OPTIONS
        )
        return channel
