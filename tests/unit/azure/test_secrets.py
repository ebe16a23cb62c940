"""What the contract suite does not say of secrets in Key Vault."""

from collections.abc import Iterator

import pytest

from adapters.azure.suite import Suite
from adapters.common.kept_secrets import KEPT_SECONDS, TRY_AGAIN_SECONDS, KeptSecrets
from shared.errors import Misconfigured, Throttled, Unavailable
from shared.settings import Settings
from tests.emulators.key_vault import KeyVault, key_vault


@pytest.fixture(scope="module")
def vault() -> Iterator[KeyVault]:
    with key_vault() as running:
        yield running


@pytest.fixture
def suite(vault: KeyVault) -> Suite:
    return Suite(Settings(), {"GRANDSTAND_NAME": "eu", "GRANDSTAND_KEY_VAULT": vault.url})


def test_a_secret_is_found_under_the_suites_name(vault: KeyVault, suite: Suite) -> None:
    vault.set("eu-viewer-token", "ümlaut")

    assert suite.ports.secrets.get("viewer-token") == "ümlaut".encode()


def test_one_that_is_missing_is_named_with_what_makes_it(suite: Suite) -> None:
    with pytest.raises(Misconfigured, match=r"az keyvault secret set .* --name eu-smtp-password"):
        suite.ports.secrets.get("smtp-password")


def test_one_that_is_disabled_says_so(vault: KeyVault, suite: Suite) -> None:
    vault.set("eu-publish-keys", "{}")
    vault.disable("eu-publish-keys")

    with pytest.raises(Misconfigured, match=r"eu-publish-keys is disabled"):
        suite.ports.secrets.get("publish-keys")


@pytest.mark.parametrize(
    ("kind", "error"), [("throttled", Throttled), ("broken", Unavailable), ("down", Unavailable)]
)
def test_faults_are_told_by_their_names(vault: KeyVault, suite: Suite, kind: str, error: type[Exception]) -> None:
    with vault.fault(kind), pytest.raises(error, match="eu-write-keys") as told:
        suite.ports.secrets.get("write-keys")

    assert type(told.value) is error


def test_a_vault_elsewhere_is_not_asked_without_tls() -> None:
    suite = Suite(Settings(), {"GRANDSTAND_KEY_VAULT": "http://grandstand.vault.azure.net"})

    with pytest.raises(Misconfigured, match=r"GRANDSTAND_KEY_VAULT=.* is no https address"):
        suite.ports.secrets.get("viewer-token")


class Vault:
    """One secret, a clock, and a vault that may be away."""

    def __init__(self) -> None:
        self.value = b"first"
        self.away = False
        self.asked = 0
        self.seconds = 0.0
        self.secrets = KeptSecrets(self._read, now=lambda: self.seconds)

    def _read(self, name: str) -> bytes:
        self.asked += 1
        if self.away:
            raise Unavailable("the vault is away")
        return self.value


def test_a_secret_is_asked_for_once_a_minute() -> None:
    vault = Vault()
    vault.secrets.get("key")
    vault.value = b"second"

    vault.seconds = KEPT_SECONDS - 1
    assert vault.secrets.get("key") == b"first"
    assert vault.asked == 1

    vault.seconds = KEPT_SECONDS
    assert vault.secrets.get("key") == b"second"
    assert vault.asked == 2


def test_an_old_value_serves_while_the_vault_is_away() -> None:
    vault = Vault()
    vault.secrets.get("key")
    vault.away, vault.value, vault.seconds = True, b"second", KEPT_SECONDS

    assert [vault.secrets.get("key") for _ in range(3)] == [b"first"] * 3
    assert vault.asked == 2

    vault.away = False
    vault.seconds += TRY_AGAIN_SECONDS
    assert vault.secrets.get("key") == b"second"


def test_without_an_old_value_the_vault_being_away_is_told() -> None:
    vault = Vault()
    vault.away = True

    with pytest.raises(Unavailable):
        vault.secrets.get("key")
