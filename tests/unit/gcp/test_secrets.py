"""Secrets in Secret Manager."""

from contextlib import ExitStack

import pytest
from grpc import StatusCode

from adapters.gcp import secrets
from adapters.gcp.clients import Clients
from shared.errors import Misconfigured, Unavailable
from shared.ports import Secrets
from tests.emulators.secret_manager import SecretManager


@pytest.fixture
def vault(secrets_server: SecretManager, name: str, closing: ExitStack) -> Secrets:
    clients = Clients({"GOOGLE_CLOUD_PROJECT": "suite", **secrets_server.environ})
    closing.callback(clients.close)
    return secrets.make(clients, name)


def test_the_newest_version_is_read_once_a_minute(vault: Secrets, secrets_server: SecretManager, name: str) -> None:
    secrets_server.add("suite", f"{name}-write-keys", b"old")
    secrets_server.add("suite", f"{name}-write-keys", b"\x00new\xff")

    assert [vault.get("write-keys") for _ in range(3)] == [b"\x00new\xff"] * 3
    assert secrets_server.faults.calls == {"AccessSecretVersion": 1}


@pytest.mark.parametrize("disabled", [False, True])
def test_a_secret_that_is_not_there_is_named_with_how_to_make_it(
    vault: Secrets, secrets_server: SecretManager, name: str, disabled: bool
) -> None:
    if disabled:
        secrets_server.add("suite", f"{name}-smtp-password", b"old")
        secrets_server.disable("suite", f"{name}-smtp-password")

    with pytest.raises(Misconfigured, match=f"gcloud secrets create {name}-smtp-password"):
        vault.get("smtp-password")


def test_a_blink_is_waited_out_and_an_outage_told(vault: Secrets, secrets_server: SecretManager, name: str) -> None:
    secrets_server.add("suite", f"{name}-write-keys", b"1")
    with secrets_server.faults.down(), pytest.raises(Unavailable, match=f"{name}-write-keys"):
        vault.get("write-keys")
    secrets_server.faults.fail("AccessSecretVersion", StatusCode.UNAVAILABLE, 2)

    assert vault.get("write-keys") == b"1"


def test_a_role_that_is_missing_is_named(vault: Secrets, secrets_server: SecretManager, name: str) -> None:
    secrets_server.faults.fail("AccessSecretVersion", StatusCode.PERMISSION_DENIED, detail="Permission denied.")

    with pytest.raises(Misconfigured, match=r"roles/secretmanager\.secretAccessor"):
        vault.get("write-keys")
