"""`grandstand init` on Azure and Google Cloud: the real SDKs against stand-ins for Key Vault and Secret Manager."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from google.cloud.secretmanager_v1.types import resources, service

from adapters.azure import initialise as azure
from adapters.azure.suite import Suite as AzureSuite
from adapters.common.fresh_secrets import Put, fresh_secrets, put_missing
from adapters.gcp import initialise as gcp
from adapters.gcp.suite import Suite as GcpSuite
from shared.errors import Misconfigured, Unavailable
from shared.ports import Secrets
from shared.settings import Settings
from tests.emulators.google_rpc import Code, Method, Refused, serving
from tests.emulators.key_vault import key_vault
from tests.emulators.secret_manager import SERVICE, SecretManager

NAMES = tuple(fresh_secrets())


@dataclass
class Cloud:
    """A cloud's putter, its secrets as functions read them, and a way to choose one as an operator does."""

    put: Put
    secrets: Callable[[], Secrets]
    choose: Callable[[str, str], None]
    environ: Mapping[str, str]

    def stored(self) -> dict[str, bytes]:
        secrets = self.secrets()
        return {name: secrets.get(name) for name in NAMES}


@contextmanager
def on_azure() -> Iterator[Cloud]:
    with key_vault() as vault:
        environ = {"GRANDSTAND_KEY_VAULT": vault.url}
        yield Cloud(
            azure.putter(environ),
            lambda: AzureSuite(Settings(), environ).ports.secrets,
            lambda name, value: vault.set(f"grandstand-{name}", value),
            environ,
        )


class Writable(SecretManager):
    """The stand-in, with what whoever deploys may do besides."""

    def __init__(self) -> None:
        super().__init__()
        self.made: set[str] = set()

    def create(self, request: Any) -> Any:
        if request.secret_id in self.made:
            raise Refused(Code.ALREADY_EXISTS, f"Secret [{request.secret_id}] already exists.")
        self.made.add(request.secret_id)
        return resources.Secret.pb()(name=f"{request.parent}/secrets/{request.secret_id}")

    def append(self, request: Any) -> Any:
        _, project, _, secret = request.parent.split("/")
        if secret not in self.made:
            raise Refused(Code.NOT_FOUND, f"Secret [{request.parent}] not found.")
        self.add(project, secret, request.payload.data)
        return resources.SecretVersion.pb()(name=f"{request.parent}/versions/1")


@contextmanager
def on_gcp() -> Iterator[Cloud]:
    manager = Writable()
    methods = {
        "AccessSecretVersion": Method(service.AccessSecretVersionRequest.pb(), manager.access),
        "CreateSecret": Method(service.CreateSecretRequest.pb(), manager.create),
        "AddSecretVersion": Method(service.AddSecretVersionRequest.pb(), manager.append),
    }
    with serving(SERVICE, methods, manager.faults) as address:
        environ = {"GOOGLE_CLOUD_PROJECT": "acme", "GRANDSTAND_SECRETS_ENDPOINT": address}
        manager.made.add("grandstand-viewer-token")  # by a stack, without a version
        yield Cloud(
            gcp.putter(environ),
            lambda: GcpSuite(Settings(), environ).ports.secrets,
            lambda name, value: manager.add("acme", f"grandstand-{name}", value.encode()),
            environ,
        )


@pytest.fixture(params=[on_azure, on_gcp], ids=["azure", "gcp"])
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    with request.param() as made:
        yield made


def test_every_secret_is_made_and_can_be_read_by_a_function(cloud: Cloud) -> None:
    assert put_missing(cloud.put) == dict.fromkeys(NAMES, True)
    stored = cloud.stored()
    assert len(bytes.fromhex(stored["dead-letter-key"].decode())) == 32
    assert stored["operator-keys"] == b"{}"


def test_a_second_run_changes_nothing(cloud: Cloud) -> None:
    put_missing(cloud.put)
    before = cloud.stored()
    assert put_missing(cloud.put) == dict.fromkeys(NAMES, False)
    assert cloud.stored() == before


def test_what_an_operator_chose_stays(cloud: Cloud) -> None:
    cloud.choose("write-keys", '{"web": "chosen"}')
    made = put_missing(cloud.put)
    assert [name for name, fresh in made.items() if not fresh] == ["write-keys"]
    assert cloud.stored()["write-keys"] == b'{"web": "chosen"}'


@pytest.mark.parametrize(
    ("putter", "named"), [(azure.putter, "GRANDSTAND_KEY_VAULT"), (gcp.putter, "GOOGLE_CLOUD_PROJECT")]
)
def test_a_missing_setting_is_named_before_anything_is_made(
    putter: Callable[[Mapping[str, str]], Put], named: str
) -> None:
    with pytest.raises(Misconfigured, match=named):
        put_missing(putter({}))


def test_a_vault_that_is_down_is_told(cloud: Cloud) -> None:
    gone = {
        **cloud.environ,
        "GRANDSTAND_KEY_VAULT": "http://127.0.0.1:9",
        "GRANDSTAND_SECRETS_ENDPOINT": "127.0.0.1:9",
    }
    putter = azure.putter if "GRANDSTAND_KEY_VAULT" in cloud.environ else gcp.putter
    with pytest.raises(Unavailable):
        put_missing(putter(gone))
