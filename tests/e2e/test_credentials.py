"""The four credentials at the doors of a suite that others can reach: each tested for what it must not open."""

import json
import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from lab.bench.served import free_port
from tests.conftest import GRANDSTAND, stop, wait_until_healthy

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("serve")]

WRITE, PUBLISH, OPERATOR = "a write key", "a publish key", "an operator key"
INGEST = {"/v1/events", "/v1/cmcd", "/v1/batch", "/v1/track", "/v1/identify", "/v1/page", "/v1/screen"}
PUBLIC = {
    "/v1/contents/{id}/audience/now",
    "/v1/contents/{id}/audience/recent",
    "/v1/contents/{id}/marks",
    "/v1/contents/top",
    "/v1/overview",
}
OPEN = {"/healthz", "/openapi.json", "/docs"}
SHUT = {401, 403}


@dataclass
class Open:
    """A suite on every address of this machine."""

    url: str
    token_secret: str

    def paths(self) -> dict[str, list[str]]:
        document: dict[str, dict[str, Any]] = requests.get(f"{self.url}/openapi.json", timeout=30).json()["paths"]
        return {path: [method.upper() for method in operations] for path, operations in document.items()}

    def opened(self, viewer: str = "ada", **sent: Any) -> set[str]:
        """The paths that do not turn the caller away by any of their methods."""
        return {
            path
            for path, methods in self.paths().items()
            if not {self.ask(method, path.replace("{id}", viewer), **sent) for method in methods} <= SHUT
        }

    def ask(self, method: str, path: str, **sent: Any) -> int:
        body = b"" if method == "GET" else b"{"  # so that whoever is let in changes nothing
        return requests.request(method, self.url + path, data=body, timeout=30, **sent).status_code

    def token(self, **claims: Any) -> str:
        said = {"sub": "ada", "aud": "grandstand", "exp": int(time.time()) + 600, **claims}
        return jwt.encode(said, self.token_secret, "HS256")


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    folder = tmp_path_factory.mktemp("open")
    data, log, port = folder / "data", folder / "serve.txt", free_port()
    command = [str(GRANDSTAND), "serve", "--data", str(data), "--host", "0.0.0.0", "--port", str(port)]
    refusal = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert refusal.returncode != 0
    assert "write-keys" in refusal.stdout + refusal.stderr
    token_secret = choose_keys(data / "secrets.json")
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_healthy(url, server, log)
            yield Open(url, token_secret)
        finally:
            stop(server)
            shutil.rmtree(data, ignore_errors=True)


def choose_keys(path: Path) -> str:
    """What an operator does before others may reach the suite; the secret that sign-in shares."""
    secrets = json.loads(path.read_text())
    keys = {"write-keys": {"site": WRITE}, "publish-keys": {"page": PUBLISH}, "operator-keys": {"ops": OPERATOR}}
    path.write_text(json.dumps(secrets | keys))
    secret: str = secrets["viewer-token"]
    return secret


def bearer(credential: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {credential}"}}


def address(key: str) -> dict[str, Any]:
    return {"params": {"key": key}}


def header(key: str) -> dict[str, Any]:
    return {"headers": {"X-Write-Key": key}}


def basic(user: str) -> dict[str, Any]:
    return {"headers": {"Authorization": "Basic " + b64encode(f"{user}:".encode()).decode()}}


def test_without_a_credential_only_the_document_and_health_are_open(suite: Open) -> None:
    assert suite.opened() == OPEN
    for unknown in (bearer("no key"), address("no key"), basic("no key")):
        assert suite.opened(**unknown) == OPEN


def test_a_write_key_opens_ingest_and_reads_nothing(suite: Open) -> None:
    for sent in (bearer(WRITE), basic(WRITE), address(WRITE), header(WRITE)):
        assert suite.opened(**sent) == INGEST | OPEN


def test_a_publish_key_opens_what_is_public_and_nothing_else(suite: Open) -> None:
    for sent in (bearer(PUBLISH), address(PUBLISH)):
        assert suite.opened(**sent) == PUBLIC | OPEN


def test_a_viewers_token_opens_that_viewers_data_and_nobody_elses(suite: Open) -> None:
    own = {"/v1/viewers/{id}/watch-time", "/v1/viewers/{id}/attributes"}
    assert suite.opened("ada", **bearer(suite.token())) == own | OPEN
    assert suite.opened("bob", **bearer(suite.token())) == OPEN
    for bad in ({"exp": 1}, {"aud": "others"}, {"sub": "bob"}):
        assert suite.opened("ada", **bearer(suite.token(**bad))) == OPEN
    assert suite.opened("ada", **address(suite.token())) == OPEN


def test_an_operator_key_opens_all_but_ingest_and_never_from_an_address(suite: Open) -> None:
    for sent in (bearer(OPERATOR), basic(OPERATOR)):
        assert suite.opened(**sent) == set(suite.paths()) - INGEST
    for sent in (address(OPERATOR), header(OPERATOR)):
        assert suite.opened(**sent) == OPEN
