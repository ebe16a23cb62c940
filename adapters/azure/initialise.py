"""What `grandstand init --cloud azure` asks of Key Vault. It needs more rights than any function has."""

from collections.abc import Mapping

from adapters.azure.clients import Clients
from adapters.azure.errors import Resource, asked
from adapters.common.environment import needs_extra, suite_name
from adapters.common.fresh_secrets import Put

ROLE = "Key Vault Secrets Officer"


def putter(environ: Mapping[str, str]) -> Put:
    """Puts the secrets of the deployment that GRANDSTAND_NAME names into the vault of GRANDSTAND_KEY_VAULT.

    Key Vault takes a second value as a new version, so that two who put at the same time leave the later one.
    """
    with needs_extra("azure"):
        from azure.core.exceptions import ResourceNotFoundError

    clients, prefix = Clients(environ), suite_name(environ)

    def put(name: str, value: str) -> bool:
        whole = f"{prefix}-{name}"
        resource = Resource(f"the secret {whole}", f"az keyvault secret recover --vault-name … --name {whole}", ROLE)

        def has_none() -> bool:
            try:
                return not clients.vault.get_secret(whole).value
            except ResourceNotFoundError:
                return True

        if not asked(resource, has_none):
            return False
        asked(resource, lambda: clients.vault.set_secret(whole, value))
        return True

    return put
