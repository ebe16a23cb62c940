"""The history's Delta table on Blob storage, by delta-rs."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from adapters.azure.identity import credential
from adapters.azure.suite import Suite
from shared.errors import Misconfigured
from shared.settings import Settings
from tests.emulators.azurite import Azurite
from tests.emulators.rest import Answer, Request, Server, error

CLIENT = "5a1e5f2c-0000-4000-8000-1d0000000001"


@pytest.fixture
def history(bare: Suite, storage: Azurite, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict[str, str]]:
    """A table's address and options, in an empty container."""
    monkeypatch.setenv(*storage.delta_variable)
    bare.clients.blobs.create_container(bare.container_name("history"))
    root, options = bare.ports.history_uri()
    return f"{root}/goals", options


def minutes(history: tuple[str, dict[str, str]]) -> list[int]:
    address, options = history
    table = DeltaTable(address, storage_options=options).to_pyarrow_table()
    return sorted(row["minute"] for row in table.to_pylist())


def goals(*minutes: int) -> pa.Table:
    return pa.table({"minute": list(minutes)})


def test_what_one_writes_another_reads(history: tuple[str, dict[str, str]]) -> None:
    address, options = history
    for minute in (12, 55, 90):
        write_deltalake(address, goals(minute), mode="append", storage_options=options)

    assert minutes(history) == [12, 55, 90]
    assert DeltaTable(address, storage_options=options).version() == 2


def test_of_two_who_change_the_same_files_one_wins(history: tuple[str, dict[str, str]]) -> None:
    address, options = history
    write_deltalake(address, goals(12, 55), storage_options=options)
    first, second = (DeltaTable(address, storage_options=options) for _ in range(2))

    first.delete("minute = 12")
    with pytest.raises(CommitFailedError):
        second.delete("minute = 12")

    assert minutes(history) == [55]


def test_many_who_append_at_once_lose_nothing(history: tuple[str, dict[str, str]]) -> None:
    address, options = history
    write_deltalake(address, goals(0), storage_options=options)

    def append(minute: int) -> None:
        write_deltalake(address, goals(minute), mode="append", storage_options=options)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(append, range(1, 9)))

    assert minutes(history) == list(range(9))


@dataclass
class Tokens:
    """What an app service offers its functions: tokens of their managed identity, for a header that it tells them."""

    header: str = "told-by-the-app-service"
    clients: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        if request.headers.get("x-identity-header") != self.header:
            return error(401, "Unauthorized", "The header is missing.")
        self.clients.append(request.query["client_id"])
        token = {"access_token": "rotating", "expires_on": "4102444800", "token_type": "Bearer"}
        return Answer(200, token | {"resource": request.query["resource"]})


@dataclass
class Blobs:
    """A storage account without anything in it, which remembers who asked."""

    asked_by: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        self.asked_by.append(request.headers.get("authorization", ""))
        return error(404, "ContainerNotFound", "There is no such container.")


@contextmanager
def app_service(monkeypatch: pytest.MonkeyPatch, tokens: Tokens) -> Iterator[dict[str, str]]:
    server = Server(tokens.answer)
    variables = {"IDENTITY_ENDPOINT": f"{server.url}/msi/token", "IDENTITY_HEADER": tokens.header}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with server.running():
        yield {**variables, "AZURE_CLIENT_ID": CLIENT, "GRANDSTAND_STORAGE_ACCOUNT": "grandstand4f2a"}


def test_in_the_cloud_delta_rs_signs_in_by_the_managed_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, blobs = Tokens(), Blobs()
    server = Server(blobs.answer)
    with app_service(monkeypatch, tokens) as environ, server.running():
        root, options = Suite(Settings(), environ).ports.history_uri()
        here = {"azure_endpoint": server.url, "azure_allow_http": "true"}
        with pytest.raises((DeltaError, OSError)):
            DeltaTable(f"{root}/goals", storage_options=options | here)

    assert root == "az://grandstand-history"
    assert options["azure_storage_account_name"] == "grandstand4f2a"
    assert not any("key" in name for name in options)
    assert set(tokens.clients) == {CLIENT}
    assert set(blobs.asked_by) == {"Bearer rotating"}


def test_the_sdks_sign_in_by_the_same_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens()
    with app_service(monkeypatch, tokens) as environ:
        signed_in = credential(environ)
        token = signed_in.get_token("https://storage.azure.com/.default")

    assert token.token == "rotating"
    assert tokens.clients == [CLIENT]
    assert credential(environ) is signed_in


def test_an_account_that_is_not_set_is_named() -> None:
    with pytest.raises(Misconfigured, match="GRANDSTAND_STORAGE_ACCOUNT is not set"):
        Suite(Settings(), {}).ports.history_uri()


def test_elsewhere_a_federated_token_serves(tmp_path: os.PathLike[str]) -> None:
    told = {"AZURE_CLIENT_ID": CLIENT, "AZURE_TENANT_ID": "t", "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path)}

    _, options = Suite(Settings(), told | {"GRANDSTAND_STORAGE_ACCOUNT": "grandstand4f2a"}).ports.history_uri()

    assert options["azure_federated_token_file"] == str(tmp_path)
    assert "azure_use_azure_cli" not in options
