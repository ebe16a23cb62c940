"""The four credentials: what each opens, and above all what it must not."""

import json
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.settings import Settings
from tests.unit.http.stage import KEYS, Safe, client, local

TOKEN_SECRET = KEYS["viewer_token"]
DOORS = {
    "write": ("POST", "/v1/events"),
    "publish": ("GET", "/v1/contents/derby/audience/now"),
    "viewer": ("GET", "/v1/viewers/ada/watch-time"),
    "operator": ("GET", "/v1/completeness"),
}


def token(subject: object = "ada", *, secret: str = TOKEN_SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    said = {"sub": subject, "aud": "grandstand", "exp": int(time.time()) + 600, **claims}
    return jwt.encode({name: claim for name, claim in said.items() if claim is not None}, secret, algorithm)


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


OPENED = {
    "write-secret": {"write"},
    "publish-secret": {"publish"},
    "operator-secret": {"publish", "viewer", "operator"},
}


@pytest.mark.parametrize("key", OPENED)
@pytest.mark.parametrize("door", DOORS)
def test_a_key_opens_its_own_doors_and_no_other(key: str, door: str) -> None:
    method, path = DOORS[door]
    answer = client().request(method, path, headers=bearer(key))
    assert answer.status_code == (200 if door in OPENED[key] else 403)
    if door not in OPENED[key]:
        assert "insufficient_scope" in answer.headers["www-authenticate"]
        assert "Send" in answer.json()["detail"]


@pytest.mark.parametrize("door", DOORS)
def test_a_viewer_token_opens_that_viewers_data_alone(door: str) -> None:
    method, path = DOORS[door]
    answer = client().request(method, path, headers=bearer(token("ada")))
    assert answer.status_code == (200 if door == "viewer" else 403)


@pytest.mark.parametrize("other", ["grace", "ad", "ada%2Fwatch-time", "ADA", "ada%20", "ada%00"])
def test_a_viewer_token_opens_no_other_viewers_data(other: str) -> None:
    assert client().get(f"/v1/viewers/{other}/watch-time", headers=bearer(token("ada"))).status_code == 403


def test_a_viewers_id_may_hold_any_character() -> None:
    answer = client().get("/v1/viewers/a%2Fb%23c%0Ad/watch-time", headers=bearer(token("a/b#c\nd")))
    assert (answer.status_code, answer.json()["id"]) == (200, "a/b#c\nd")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("headers", [{}, bearer("wrong"), {"Authorization": "Bearer"}, {"Authorization": "Digest x"}])
def test_no_credential_and_an_unknown_one_are_asked_who_they_are(door: str, headers: dict[str, str]) -> None:
    method, path = DOORS[door]
    answer = client().request(method, path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="grandstand"')
    assert ("invalid_token" in answer.headers["www-authenticate"]) == (headers == bearer("wrong"))
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "sent",
    [
        {"headers": bearer("write-secret")},
        {"headers": {"X-Write-Key": "write-secret"}},
        {"params": {"key": "write-secret"}},
        {"headers": {"Authorization": "Basic " + b64encode(b"write-secret:").decode()}},
    ],
)
def test_a_write_key_comes_in_four_ways_and_names_the_source(sent: dict[str, Any]) -> None:
    answer = client().post("/v1/events", **sent)
    assert (answer.status_code, answer.json()["source"]) == (200, "site")


def test_a_publish_key_may_stand_in_the_address() -> None:
    assert client().get("/v1/contents/top?key=publish-secret").status_code == 200


@pytest.mark.parametrize("door", DOORS)
def test_an_operator_key_in_an_address_opens_nothing(door: str) -> None:
    method, path = DOORS[door]
    assert client().request(method, path, params={"key": "operator-secret"}).status_code == 401
    assert client().request(method, path, headers={"X-Write-Key": "operator-secret"}).status_code == 401


def test_a_viewer_token_in_an_address_opens_nothing() -> None:
    assert client().get("/v1/viewers/ada/watch-time", params={"key": token()}).status_code == 401


@pytest.mark.parametrize("garbage", ["Basic", "Basic !!", "Basic " + b64encode(b"\xff\xfe").decode(), "Basic Og=="])
def test_an_unreadable_basic_credential_is_none(garbage: str) -> None:
    assert client().post("/v1/events", headers={"Authorization": garbage}).status_code == 401


BAD_TOKENS: dict[str, Callable[[], str]] = {
    "expired": lambda: token(exp=int(time.time()) - 3600),
    "without an end": lambda: token(exp=None),
    "for another service": lambda: token(aud="another"),
    "for no service": lambda: token(aud=None),
    "of nobody": lambda: token(None),
    "of an empty name": lambda: token(""),
    "not yet valid": lambda: token(nbf=int(time.time()) + 3600),
    "signed with another secret": lambda: token(secret="x" * 40),
    "signed with another algorithm": lambda: token(algorithm="HS384"),
    "unsigned": lambda: jwt.encode({"sub": "ada", "aud": "grandstand", "exp": 2**40}, "", "none"),
    "three dots of nothing": lambda: "a.b.c",
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_bad_viewer_token_opens_nothing(kind: str) -> None:
    answer = client().get("/v1/viewers/ada/watch-time", headers=bearer(BAD_TOKENS[kind]()))
    assert answer.status_code == 401


def test_the_issuer_counts_once_it_is_set() -> None:
    stage = client(settings=Settings(jwt_issuer="https://sign-in.example"))
    assert stage.get("/v1/viewers/ada/watch-time", headers=bearer(token())).status_code == 401
    known = token(iss="https://sign-in.example")
    assert stage.get("/v1/viewers/ada/watch-time", headers=bearer(known)).status_code == 200


def test_keys_rotate_without_a_restart() -> None:
    secrets = Safe(**KEYS)
    stage = client(secrets=secrets)
    secrets.held["write-keys"] = json.dumps({"site": "fresh"}).encode()
    assert stage.post("/v1/events", headers=bearer("write-secret")).status_code == 401
    assert stage.post("/v1/events", headers=bearer("fresh")).status_code == 200


def test_without_any_keys_nothing_opens() -> None:
    stage = client(secrets=Safe())
    for credential in ("", "write-secret", token()):
        for method, path in DOORS.values():
            assert stage.request(method, path, headers=bearer(credential)).status_code == 401


def test_an_empty_key_opens_nothing() -> None:
    stage = client(secrets=Safe(write_keys='{"site": ""}'))
    assert stage.post("/v1/events?key=", headers={"X-Write-Key": ""}).status_code == 401


def test_keys_that_cannot_be_read_are_our_fault_and_open_nothing() -> None:
    assert client(secrets=Safe(write_keys="[")).post("/v1/events", headers=bearer("x")).status_code == 500


def test_on_loopback_no_credential_is_needed_and_unknown_ones_do_no_harm() -> None:
    for method, path in DOORS.values():
        for headers in ({}, bearer("whatever"), bearer("a.b.c")):
            answer = local().request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["source"]) == (200, "local")


def test_on_loopback_a_known_credential_still_opens_only_its_own_doors() -> None:
    assert local().get("/v1/completeness", headers=bearer("write-secret")).status_code == 403
    assert local().get("/v1/viewers/grace/watch-time", headers=bearer(token("ada"))).status_code == 403
    assert local().post("/v1/events", headers=bearer("write-secret")).json()["source"] == "site"


class Jwks:
    """A stand-in for the sign-in's key service, one key that it can rotate."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.down = False

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        if self.down:
            raise jwt.PyJWKClientConnectionError("down")
        if jwt.get_unverified_header(token).get("kid") != "one":
            raise jwt.PyJWKClientError("no such key")
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return jwt.PyJWK({**public, "alg": "RS256"})

    def token(self, kid: str = "one") -> str:
        said = {"sub": "ada", "aud": "grandstand", "exp": int(time.time()) + 600}
        return jwt.encode(said, self.key, "RS256", headers={"kid": kid})


def test_tokens_by_jwks_are_checked_against_the_sign_ins_keys_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    jwks = Jwks()
    monkeypatch.setattr(jwt, "PyJWKClient", lambda url, timeout: jwks)
    stage = client(settings=Settings(jwt_jwks_url="https://sign-in.example/keys"))

    def status(credential: str) -> int:
        return stage.get("/v1/viewers/ada/watch-time", headers=bearer(credential)).status_code

    assert status(jwks.token()) == 200
    assert status(jwks.token(kid="two")) == 401
    assert status(token()) == 401, "the shared secret is no key once a JWKS is named"
    forged = jwt.encode({"sub": "ada", "aud": "grandstand", "exp": 2**40}, "x" * 40, "HS256", headers={"kid": "one"})
    assert status(forged) == 401
    jwks.down = True
    answer = stage.get("/v1/viewers/ada/watch-time", headers=bearer(jwks.token()))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
