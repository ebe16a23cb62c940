"""Objects in one Cloud Storage bucket by Apache Libcloud, with the identity's own rotating token.

Libcloud could ask the metadata server for a token itself, but it writes it to a file in the home folder, renews it
only once it has expired, and knows no other kind of sign-in. google-auth, which every other client here signs in
with, renews it minutes before; Libcloud's driver is handed what it returns.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

from libcloud.common.base import ConnectionUserAndKey
from libcloud.storage.base import StorageDriver
from libcloud.storage.drivers.google_storage import GoogleStorageConnection, GoogleStorageDriver
from libcloud.storage.drivers.s3 import BaseS3StorageDriver

from adapters.common.libcloud_objects import Answer, Drivers, LibcloudObjects
from adapters.gcp.clients import Clients
from adapters.gcp.errors import about, refused
from shared.errors import GrandstandError

HOST: Final = "https://storage.googleapis.com"
NOBODY: Final = "nobody"


class _Connection(GoogleStorageConnection):
    """Libcloud's connection, signed with the token that it is made with."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        ConnectionUserAndKey.__init__(self, *arguments, **options)  # type: ignore[no-untyped-call]

    def pre_connect_hook(self, params: Any, headers: Any) -> Any:
        headers["Authorization"] = f"Bearer {self.key}"
        return params, headers


class _Driver(GoogleStorageDriver):
    """Libcloud's driver, without the second connection that its constructor signs in for permissions."""

    connectionCls = _Connection  # noqa: N815 - Libcloud's name

    def __init__(self, token: str, host: str) -> None:
        address = urlsplit(host)
        secure = address.scheme == "https"
        port = address.port or (443 if secure else 80)
        self.project = None
        BaseS3StorageDriver.__init__(  # type: ignore[no-untyped-call]
            self, "token", token, secure=secure, host=str(address.hostname), port=port
        )


def drivers(clients: Clients) -> Drivers[str]:
    """Libcloud drivers of the process's identity."""
    here = clients.storage_emulator
    lock = Lock()

    def token() -> str:
        if here:
            return NOBODY
        from google.auth.transport.requests import Request

        with lock, about("the credential"):
            credentials = clients.credentials
            credentials.before_request(Request(), "GET", HOST, {})  # renews it where that is due
            return str(credentials.token)

    def make(token: str) -> StorageDriver:
        return _Driver(token, here or HOST)

    return Drivers(token, make)


def make(drivers: Drivers[str], bucket: str, prefix: str) -> LibcloudObjects:
    """The objects under a prefix of the bucket."""

    def trouble(answer: Answer) -> GrandstandError:
        told = f"{answer.code} {answer.message}".strip() or "no reason is given"
        return refused(str(answer.status), told, f"the bucket {bucket}")

    return LibcloudObjects(drivers, bucket, prefix, trouble)
