"""`grandstand init --cloud aws`, against moto's Secrets Manager."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from adapters.aws.clients import Clients
from adapters.aws.initialise import putter
from adapters.aws.secrets import secrets
from adapters.cli.main import app
from adapters.common.fresh_secrets import fresh_secrets, put_missing
from shared.errors import Misconfigured, Unavailable
from tests.emulators.moto_server import moto_server


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    with moto_server() as moto:
        yield dict(moto.environ("AKIADEPLOYMENT"))


@pytest.fixture
def environ(server: dict[str, str]) -> dict[str, str]:
    """Of a deployment with a name of its own."""
    return {**server, "GRANDSTAND_NAME": f"t{uuid4().hex[:8]}"}


def stored(environ: dict[str, str]) -> dict[str, bytes]:
    """Every secret, as a function reads it."""
    clients = Clients(environ)
    port = secrets(lambda: clients.secretsmanager, environ["GRANDSTAND_NAME"])
    return {name: port.get(name) for name in fresh_secrets()}


def client(environ: dict[str, str]) -> Any:
    return Clients(environ).secretsmanager


def test_every_secret_is_made_and_reads_as_the_suite_expects(environ: dict[str, str]) -> None:
    made = put_missing(putter(environ))
    assert made == dict.fromkeys(fresh_secrets(), True)
    values = stored(environ)
    [key] = json.loads(values["pseudonym-keys"])
    assert (key["id"], key["from_ms"], len(bytes.fromhex(key["key_hex"]))) == ("1", 0, 32)
    assert len(bytes.fromhex(values["dead-letter-key"].decode())) == 32
    assert json.loads(values["write-keys"]) == {}


def test_a_second_run_changes_nothing(environ: dict[str, str]) -> None:
    put_missing(putter(environ))
    before = stored(environ)
    assert put_missing(putter(environ)) == dict.fromkeys(before, False)
    assert stored(environ) == before


def test_what_a_stack_made_without_a_value_gets_one(environ: dict[str, str]) -> None:
    client(environ).create_secret(Name=f"{environ['GRANDSTAND_NAME']}/viewer-token")
    assert put_missing(putter(environ))["viewer-token"]
    assert len(stored(environ)["viewer-token"]) > 40


def test_what_an_operator_chose_stays(environ: dict[str, str]) -> None:
    name = f"{environ['GRANDSTAND_NAME']}/write-keys"
    client(environ).create_secret(Name=name, SecretString='{"web": "chosen"}')
    assert not put_missing(putter(environ))["write-keys"]
    assert json.loads(stored(environ)["write-keys"]) == {"web": "chosen"}


def test_a_secret_that_is_being_deleted_is_not_replaced(environ: dict[str, str]) -> None:
    put_missing(putter(environ))
    name = f"{environ['GRANDSTAND_NAME']}/pseudonym-keys"
    client(environ).delete_secret(SecretId=name)
    with pytest.raises(Misconfigured, match=r"is being deleted.*restore-secret"):
        put_missing(putter(environ))


def test_a_store_that_is_down_is_told(environ: dict[str, str]) -> None:
    with pytest.raises((Unavailable, Misconfigured), match="secret"):
        put_missing(putter({**environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}))


def test_the_command_says_what_was_made_and_never_a_value(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    said = CliRunner().invoke(app, ["init", "--cloud", "aws"])
    assert said.exit_code == 0, said.output
    assert "pseudonym-keys" in said.output
    assert not [value for value in stored(environ).values() if len(value) > 2 and value.decode() in said.output]
    again = CliRunner().invoke(app, ["init", "--cloud", "aws", "--json"])
    assert json.loads(again.stdout) == dict.fromkeys(fresh_secrets(), False)
