"""How delta-rs reaches the history in Blob storage: by the same identity as the SDKs, told in its own words.

Source: object_store, `AzureConfigKey`. Where an app service's environment offers tokens, delta-rs reads the header
that they cost, IDENTITY_HEADER, from the process's environment itself, and renews them before they end.
"""

import shutil
from collections.abc import Mapping

from adapters.azure.clients import Clients, connection_parts

IDENTITY_ENDPOINT = "IDENTITY_ENDPOINT"
FEDERATED_TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE"  # noqa: S105  a variable's name
PASSED_ON = ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", FEDERATED_TOKEN_FILE)


def storage_options(clients: Clients, environ: Mapping[str, str]) -> dict[str, str]:
    """delta-rs' options. Raises Misconfigured where nothing says which account it is."""
    if clients.connection is not None:
        return _emulator(connection_parts(clients.connection))
    options = {"azure_storage_account_name": clients.account}
    options |= {name.lower(): environ[name] for name in PASSED_ON if environ.get(name)}
    if environ.get(IDENTITY_ENDPOINT):
        options["azure_msi_endpoint"] = environ[IDENTITY_ENDPOINT]
    elif not environ.get("AZURE_CLIENT_SECRET") and not environ.get(FEDERATED_TOKEN_FILE) and shutil.which("az"):
        options["azure_use_azure_cli"] = "true"
    return options


def _emulator(parts: Mapping[str, str]) -> dict[str, str]:
    """Told that it is one, delta-rs asks for no listing that Azurite answers wrongly. Its address delta-rs reads from
    the process's environment alone: AZURITE_BLOB_STORAGE_URL, http://127.0.0.1:10000 without it."""
    return {
        "azure_storage_use_emulator": "true",
        "azure_storage_account_name": parts.get("AccountName", ""),
        "azure_storage_account_key": parts.get("AccountKey", ""),
    }
