"""Who may call from a browser: loopback's `Host` and `Origin`, and CORS (the Fetch standard, section 3.2)."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.responses import Response

from functions.http.endpoint import Endpoint, Scope
from functions.http.problems import Refused

REQUESTED_HEADERS = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{0,1000}")
Headers = Mapping[str, str]
"""By lower-case name: looking up several in a dictionary is quicker than in Starlette's list of pairs."""

PREFLIGHT_SECONDS = 7200
"""Chromium's upper bound for how long a preflight's answer is kept."""


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether a `Host` value or an origin's authority names this machine."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if name == "localhost":
        return True
    try:
        return name is not None and ip_address(name).is_loopback
    except ValueError:
        return False


class Origins:
    """The rules for one place the suite is served from."""

    def __init__(self, allowed: Sequence[str], *, loopback: bool) -> None:
        self._allowed = frozenset(allowed)
        self._any = "*" in self._allowed
        self._loopback = loopback

    def check(self, headers: Headers) -> None:
        """On loopback, refuse what a page of another site could send by rebinding its name to 127.0.0.1.

        Raises Refused (403).
        """
        if not self._loopback:
            return
        host = headers.get("host", "")
        if not is_loopback(host):
            raise Refused(
                f"This server listens on this machine only and is not called {host[:100]!r}. "
                "Ask for it as localhost or 127.0.0.1.",
                status=403,
                reason="host",
            )
        origin = headers.get("origin")
        if origin is not None and not self._same_machine(origin):
            raise Refused(
                f"Pages of {origin[:100]!r} may not call a server that listens on this machine only. "
                "Serve the page from localhost, or name its origin in GRANDSTAND_ALLOWED_ORIGINS.",
                status=403,
                reason="origin",
            )

    def _same_machine(self, origin: str) -> bool:
        if origin in self._allowed:
            return True
        scheme, _, authority = origin.partition("://")
        return scheme in ("http", "https") and is_loopback(authority)

    def check_sender(self, endpoint: Endpoint, headers: Headers) -> None:
        """Refuse posts from pages of origins that may not use a write key. Raises Refused (403)."""
        origin = headers.get("origin")
        if endpoint.scope is Scope.WRITE and origin is not None and not self._may_write(origin):
            raise Refused(
                f"Pages of {origin[:100]!r} may not send events here. The operator names the origins that may "
                "in GRANDSTAND_ALLOWED_ORIGINS.",
                status=403,
                reason="origin",
            )

    def _may_write(self, origin: str) -> bool:
        return self._any or origin in self._allowed or (self._loopback and self._same_machine(origin))

    def preflight(self, methods: Sequence[str], headers: Headers) -> Response:
        """The answer to a preflight; `share` adds the origin. Credentials are always explicit, never ambient."""
        requested = headers.get("access-control-request-headers", "")
        answer = {
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        }
        if requested and REQUESTED_HEADERS.fullmatch(requested):
            answer["Access-Control-Allow-Headers"] = requested
        return Response(status_code=204, headers=answer)

    def share(self, endpoint: Endpoint, headers: Headers, response: Response) -> None:
        """Let the asking page read the answer.

        `sendBeacon` sends in credentials mode, for which a wildcard does not do; reads that a CDN keeps get the
        wildcard, so that one copy serves every page. `Date` tells a player how far its own clock is off.
        """
        origin = headers.get("origin")
        if endpoint.scope is not Scope.WRITE:
            response.raw_headers.append((b"access-control-allow-origin", b"*"))
        elif origin is not None and self._may_write(origin):
            response.raw_headers += [
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-allow-credentials", b"true"),
                (b"vary", b"origin"),
            ]
        response.raw_headers.append((b"access-control-expose-headers", b"retry-after, date"))
