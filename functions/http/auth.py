"""The four credentials and what each opens (design, section 6).

| credential | opens | how it is sent |
|---|---|---|
| write key | ingest | `Authorization: Bearer`, `X-Write-Key`, `?key=`, the user name of Basic; in Segment's bodies |
| publish key | what is public of listed contents | `Authorization: Bearer`, `?key=` |
| viewer token | `/v1/viewers/{its own subject}` | `Authorization: Bearer` |
| operator key | everything but ingest | `Authorization: Bearer`, the user name of Basic |

On loopback none is needed; a known one that is sent still opens only its own doors, so that it can be tried out.
An operator key never works in an address: addresses are logged and shared.
"""

import hmac
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from functions.http.endpoint import Endpoint, Scope
from functions.http.origins import Headers
from functions.http.problems import Refused
from shared.errors import Misconfigured, Unavailable
from shared.ports import Secrets
from shared.settings import Settings

LOCAL = "local"
"""The source of what is sent without a key on loopback."""

KEYS = {Scope.WRITE: "write-keys", Scope.PUBLISH: "publish-keys", Scope.OPERATOR: "operator-keys"}
OPENS = {
    Scope.WRITE: frozenset({Scope.WRITE}),
    Scope.PUBLISH: frozenset({Scope.PUBLISH}),
    Scope.VIEWER: frozenset({Scope.VIEWER}),
    Scope.OPERATOR: frozenset({Scope.PUBLISH, Scope.VIEWER, Scope.OPERATOR}),
}
NEEDED = {
    Scope.WRITE: "a write key, as `Authorization: Bearer …`, `X-Write-Key` or `?key=`",
    Scope.PUBLISH: "a publish key (`Authorization: Bearer …` or `?key=`) or an operator key",
    Scope.VIEWER: "that viewer's token, or an operator key, as `Authorization: Bearer …`",
    Scope.OPERATOR: "an operator key, as `Authorization: Bearer …`",
}
SHARED_SECRET_ALGORITHMS = ["HS256"]
JWKS_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: `name` is the key's id, or the viewer token's subject."""

    scope: Scope
    name: str


@dataclass(frozen=True, slots=True)
class _Sent:
    """A credential as it came, and whether an operator key may come this way."""

    value: str
    private: bool


class KeyRing:
    """The keys of one scope, by id. The secret is asked each time, so that rotation needs no restart."""

    def __init__(self, secrets: Secrets, name: str) -> None:
        self._secrets = secrets
        self._name = name
        self._read: bytes | None = None
        self._keys: list[tuple[str, bytes]] = []

    def owner(self, value: bytes) -> str | None:
        """The id of the key that `value` is. Every key is compared, each in constant time."""
        found = None
        for key_id, key in self._current():
            if hmac.compare_digest(key, value):
                found = key_id
        return found

    def _current(self) -> list[tuple[str, bytes]]:
        try:
            read = self._secrets.get(self._name)
        except Misconfigured:
            return []
        if read != self._read:
            self._keys = self._parse(read)
            self._read = read
        return self._keys

    def _parse(self, read: bytes) -> list[tuple[str, bytes]]:
        try:
            keys = msgspec.json.decode(read, type=dict[str, str])
        except msgspec.DecodeError:
            raise Misconfigured(
                f'The secret {self._name} is not JSON of the form {{"id": "key"}}. Mend it.'
            ) from None
        return [(key_id, key.encode()) for key_id, key in keys.items() if key]


class ViewerTokens:
    """Checks JWTs of the platform's own sign-in: by shared secret (HS256), or by JWKS where its address is set."""

    def __init__(self, secrets: Secrets, settings: Settings) -> None:
        self._secrets = secrets
        self._settings = settings
        self._jwks: Any = None

    async def subject(self, token: str) -> str | None:
        """The viewer whom a valid token speaks of, else None. Raises Unavailable when the JWKS cannot be had."""
        if self._settings.jwt_jwks_url:
            return await run_in_threadpool(self._by_jwks, token)
        return self._by_shared_secret(token)

    def _by_shared_secret(self, token: str) -> str | None:
        try:
            secret = self._secrets.get("viewer-token")
        except Misconfigured:
            return None
        return self._decode(token, secret, SHARED_SECRET_ALGORITHMS)

    def _by_jwks(self, token: str) -> str | None:
        import jwt

        if self._jwks is None:
            self._jwks = jwt.PyJWKClient(self._settings.jwt_jwks_url, timeout=5)
        try:
            key = self._jwks.get_signing_key_from_jwt(token)
        except jwt.PyJWKClientConnectionError:
            raise Unavailable("The sign-in's keys cannot be had now (GRANDSTAND_JWT_JWKS_URL). Try again.") from None
        except jwt.PyJWTError:
            return None
        return self._decode(token, key.key, JWKS_ALGORITHMS)

    def _decode(self, token: str, key: Any, algorithms: list[str]) -> str | None:
        import jwt

        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=algorithms,
                audience=self._settings.jwt_audience,
                issuer=self._settings.jwt_issuer or None,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub", "aud"]},
            )
        except (jwt.PyJWTError, TypeError, ValueError):
            return None
        subject = claims["sub"]
        return subject if isinstance(subject, str) and subject else None


class Guard:
    """Opens an endpoint to its caller, or refuses with 401 (who are you?) or 403 (not with this)."""

    def __init__(self, secrets: Secrets, settings: Settings, *, loopback: bool) -> None:
        self._rings = {scope: KeyRing(secrets, name) for scope, name in KEYS.items()}
        self._tokens = ViewerTokens(secrets, settings)
        self._loopback = loopback

    async def admit(self, endpoint: Endpoint, request: Request, headers: Headers) -> None:
        """Set `request.state.source` and `request.state.caller` (None without a credential). Raises Refused."""
        state = request.scope.setdefault("state", {})
        state["source"], state["caller"] = LOCAL, None
        if endpoint.scope is Scope.OPEN:
            return
        sent = list(_credentials(request, headers))
        if not sent and endpoint.key_in_body is not None:
            key = endpoint.key_in_body(await request.body(), headers)
            sent = [_Sent(key, private=False)] if key else []
        caller = await self._caller(sent) if sent else None
        if caller is None:
            if not self._loopback:
                raise _unknown(endpoint.scope, sent=bool(sent))
            return
        if endpoint.scope not in OPENS[caller.scope] or not _own(caller, request):
            raise _insufficient(endpoint.scope)
        state["source"], state["caller"] = caller.name, caller

    async def _caller(self, sent: list[_Sent]) -> Caller | None:
        for credential in sent:
            value = credential.value.encode("utf-8", "surrogateescape")
            for scope, ring in self._rings.items():
                owner = ring.owner(value)
                if owner is not None and (credential.private or scope is not Scope.OPERATOR):
                    return Caller(scope, owner)
            if credential.private and credential.value.count(".") == 2:
                subject = await self._tokens.subject(credential.value)
                if subject is not None:
                    return Caller(Scope.VIEWER, subject)
        return None


def _credentials(request: Request, headers: Headers) -> Iterator[_Sent]:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        yield _Sent(value.strip(), private=True)
    elif scheme.lower() == "basic":
        yield from _basic(value)
    if key := headers.get("x-write-key"):
        yield _Sent(key, private=False)
    if b"key=" in request.scope["query_string"]:
        yield from (_Sent(key, private=False) for key in request.query_params.getlist("key") if key)


def _basic(value: str) -> Iterator[_Sent]:
    try:
        user, _, _ = b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return
    if user:
        yield _Sent(user, private=True)


def _own(caller: Caller, request: Request) -> bool:
    """Whether a viewer asks for itself; other callers may ask for anyone."""
    if caller.scope is not Scope.VIEWER:
        return True
    asked = str(request.path_params.get("id", ""))
    same = partial(hmac.compare_digest, caller.name.encode("utf-8", "surrogateescape"))
    return same(asked.encode("utf-8", "surrogateescape"))


def _unknown(scope: Scope, *, sent: bool) -> Refused:
    said = 'Bearer realm="grandstand"' + (', error="invalid_token"' if sent else "")
    begin = "This credential is not known, or no longer valid." if sent else "A credential is missing."
    return Refused(
        f"{begin} Send {NEEDED[scope]}.", status=401, reason="unauthorized", headers={"WWW-Authenticate": said}
    )


def _insufficient(scope: Scope) -> Refused:
    return Refused(
        f"This credential does not open this. Send {NEEDED[scope]}.",
        status=403,
        reason="forbidden",
        headers={"WWW-Authenticate": 'Bearer realm="grandstand", error="insufficient_scope"'},
    )
