"""A stand-in for Key Vault's secrets: reading and setting, with the challenge that its SDK must answer first."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final
from uuid import uuid4

from tests.emulators.rest import Answer, Request, Server, error

CHALLENGE: Final = (
    'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000", '
    'resource="https://vault.azure.net"'
)
PREFIX: Final = "/secrets/"


class KeyVault:
    """A vault; `url` is what GRANDSTAND_KEY_VAULT is set to."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._disabled: set[str] = set()
        self._server = Server(self._answer)
        self.url = self._server.url

    @property
    def asked(self) -> int:
        """How many requests there have been."""
        return self._server.asked

    def set(self, name: str, value: str) -> None:
        """A secret is made, or rotated."""
        self._values[name] = value

    def disable(self, name: str) -> None:
        """Nobody may read it any more."""
        self._disabled.add(name)

    def running(self) -> AbstractContextManager[None]:
        return self._server.running()

    def fault(self, kind: str) -> AbstractContextManager[None]:
        return self._server.fault(kind)

    def _answer(self, request: Request) -> Answer:
        if not request.signed:
            return Answer(401, headers={"WWW-Authenticate": CHALLENGE})
        if not request.path.startswith(PREFIX):
            return error(404, "NotFound", request.path)
        name = request.path.removeprefix(PREFIX).partition("/")[0]
        if request.method == "PUT":
            self.set(name, json.loads(request.body)["value"])
        if name not in self._values:
            return error(404, "SecretNotFound", f"A secret with (name/id) {name} was not found in this key vault.")
        if name in self._disabled:
            inner = {"innererror": {"code": "SecretDisabled"}}
            return error(403, "Forbidden", "Operation get is not allowed on a disabled secret.", **inner)
        identity = f"{self.url}{PREFIX}{name}/{uuid4().hex}"
        return Answer(200, {"value": self._values[name], "id": identity, "attributes": {"enabled": True}})


@contextmanager
def key_vault() -> Iterator[KeyVault]:
    """An empty vault until the block ends."""
    vault = KeyVault()
    with vault.running():
        yield vault
