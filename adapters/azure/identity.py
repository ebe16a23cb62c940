"""The deployment's own identity: a managed identity in Azure, whoever ran `az login` elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from adapters.common.environment import needs_extra

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

CLIENT_ID: Final = "AZURE_CLIENT_ID"


def credential(environ: Mapping[str, str]) -> TokenCredential:
    """Made once a process and identity; it renews its tokens by itself."""
    return _made(environ.get(CLIENT_ID, "").strip() or None)


@cache
def _made(client_id: str | None) -> TokenCredential:
    with needs_extra("azure"):
        from azure.identity import DefaultAzureCredential

    told: dict[str, Any] = {"managed_identity_client_id": client_id} if client_id else {}
    return DefaultAzureCredential(exclude_interactive_browser_credential=True, **told)
