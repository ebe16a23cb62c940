"""How the SDKs talk to a stand-in on this machine, which speaks no TLS and knows no identities.

Key Vault's and Communication Services' SDKs insist on https. They get it: the transport takes it away below them, for
addresses on loopback alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport

from shared.errors import Misconfigured

HOSTS: Final = ("127.0.0.1", "localhost", "::1")
HOUR: Final = 3_600


class NobodysToken:
    """A credential for stand-ins, which look at none."""

    def get_token(self, *_scopes: str, **_: Any) -> AccessToken:
        return AccessToken("stand-in", int(time.time()) + HOUR)


class PlainTransport(RequestsTransport):  # type: ignore[misc]  # its module is lazy
    """Sends what was meant for https by http."""

    def send(self, request: Any, **options: Any) -> Any:
        url = request.url
        if urlsplit(url).hostname in HOSTS:
            request.url = "http:" + url.removeprefix("https:")
        try:
            return super().send(request, **options)
        finally:
            request.url = url


def reached(variable: str, url: str, identity: Callable[[], Any]) -> dict[str, Any]:
    """Address, credential and options of a client. Raises Misconfigured for http anywhere but on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return {"address": url, "credential": identity()}
    if parts.scheme != "http" or parts.hostname not in HOSTS:
        raise Misconfigured(
            f"{variable}={url!r} is no https address. Only a stand-in on 127.0.0.1 is reached by http."
        )
    return {
        "address": "https:" + url.removeprefix("http:"),
        "credential": NobodysToken(),
        "transport": PlainTransport(),
    }
