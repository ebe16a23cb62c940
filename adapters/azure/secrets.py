"""Secrets in Key Vault. adapters/common/kept_secrets.py keeps them for a minute."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from adapters.azure.errors import Resource, asked
from adapters.common.kept_secrets import KeptSecrets

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretClient

ROLE = "Key Vault Secrets User"


def secrets(client: Callable[[], SecretClient], prefix: str) -> KeptSecrets:
    """The secrets whose names in the vault begin with `prefix-`."""

    def read(name: str) -> bytes:
        whole = f"{prefix}-{name}"
        make = f"az keyvault secret set --vault-name … --name {whole} --value …"
        value = asked(Resource(f"the secret {whole}", make, ROLE), lambda: client().get_secret(whole).value)
        return (value or "").encode()

    return KeptSecrets(read)
