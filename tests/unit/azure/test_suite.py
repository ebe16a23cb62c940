"""The composition root: lazy, once, and clear about what is missing."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.azure.suite import Suite
from shared.errors import GrandstandError, Misconfigured
from shared.ports import Ports
from shared.settings import Settings
from tests.emulators.azurite import Azurite
from tests.emulators.gate import http_answer
from tests.unit.azure.conftest import STORE, TABLE

WHOLE = {
    "GRANDSTAND_STORAGE_ACCOUNT": "grandstand4f2a",
    "GRANDSTAND_EVENT_HUBS": "grandstand.servicebus.windows.net",
    "GRANDSTAND_KEY_VAULT": "https://grandstand.vault.azure.net",
    "GRANDSTAND_MAIL_ENDPOINT": "https://grandstand.communication.azure.com",
    "GRANDSTAND_MAIL_FROM": "DoNotReply@grandstand.example",
}
PORTS: dict[str, Callable[[Ports], object]] = {
    "a stream": lambda ports: ports.stream("events"),
    "a table": lambda ports: ports.table("audience"),
    "objects": lambda ports: ports.objects("staging"),
    "a queue": lambda ports: ports.queue("rebuild"),
    "the mailer": lambda ports: ports.mailer(),
    "the history's address": lambda ports: ports.history_uri(),
}


def test_making_a_suite_needs_no_setting_and_imports_no_sdk() -> None:
    program = (
        "import sys; from adapters.azure.suite import Suite; from shared.settings import Settings\n"
        "Suite(Settings(), {})\n"
        "print(*sorted(name for name in sys.modules if name.partition('.')[0] in ('azure', 'requests', 'deltalake')))"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == ""


def test_a_table_imports_no_other_services_sdk(environ: dict[str, str]) -> None:
    program = (
        "import sys; from adapters.azure.suite import Suite; from shared.settings import Settings\n"
        f"Suite(Settings(), {environ!r}).clients.tables\n"
        "print(*sorted({'.'.join(name.split('.')[:3]) for name in sys.modules if name.startswith('azure.')}))"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    loaded = said.stdout.split()
    assert "azure.data.tables" in loaded
    assert not [name for name in loaded if name.startswith(("azure.storage", "azure.identity", "azure.keyvault"))]


def test_a_port_is_made_once_whoever_asks_for_it_first() -> None:
    ports = Suite(Settings(), WHOLE).ports

    with ThreadPoolExecutor(8) as threads:
        tables = list(threads.map(ports.table, ["audience"] * 50))

    assert len(set(map(id, tables))) == 1
    assert ports.table("contents") is not tables[0]


def test_clients_are_made_once(bare: Suite) -> None:
    with ThreadPoolExecutor(8) as threads:
        clients = list(threads.map(lambda _: bare.clients.tables, range(50)))

    assert len(set(map(id, clients))) == 1


def test_resources_bear_the_suites_name() -> None:
    suite = Suite(Settings(), {"GRANDSTAND_NAME": "sports-eu"})

    assert suite.table_name("audience-marks") == "sportseuaudiencemarks"
    assert suite.container_name("dead-letters") == "sports-eu-dead-letters"
    assert suite.queue_name("rebuild") == "sports-eu-rebuild"


@pytest.mark.parametrize("name", ["Sports", "sports_eu", "4sports", "sports--eu", "sports-", "s" * 41, "é"])
def test_a_name_that_azure_takes_for_no_resource_is_told_at_once(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"GRANDSTAND_NAME='{name}' cannot begin"):
        Suite(Settings(), {"GRANDSTAND_NAME": name})


@pytest.mark.parametrize("port", PORTS)
def test_every_port_is_made_without_asking_anybody(port: str) -> None:
    PORTS[port](Suite(Settings(), WHOLE).ports)


@pytest.mark.parametrize("port", PORTS)
def test_a_setting_that_is_missing_is_named_with_an_example(port: str) -> None:
    with pytest.raises(Misconfigured, match=r"GRANDSTAND_\w+ is not set. Set it, for example GRANDSTAND_\w+=\S+\.$"):
        PORTS[port](Suite(Settings(), {}).ports)


def test_a_wrong_account_key_is_told(storage: Azurite, environ: dict[str, str]) -> None:
    wrong = storage.connection_string.replace(storage.key, "d3Jvbmc=")
    suite = Suite(Settings(), environ | {"GRANDSTAND_STORAGE_CONNECTION": wrong})

    asked: tuple[Callable[[], object], ...] = (
        lambda: suite.ports.table(TABLE).get("p", "s"),
        lambda: suite.ports.objects(STORE).get("a"),
        lambda: suite.ports.queue("rebuild").send(b""),
    )
    for ask in asked:
        with pytest.raises(Misconfigured, match=r"turns us away|does not accept the credential"):
            ask()


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ("403 Forbidden", "AuthorizationPermissionMismatch", "Assign it the role 'Storage Blob Data Contributor'"),
        ("403 Forbidden", "AuthorizationFailure", "the network lets the function app in"),
        ("403 Forbidden", "AccountIsDisabled", "may not do this"),
        ("401 Unauthorized", "InvalidAuthenticationInfo", "does not accept the credential"),
        ("409 Conflict", "ContainerBeingDeleted", "cannot answer now"),
        ("400 Bad Request", "InvalidUri", "refuses what it is asked: InvalidUri"),
        ("429 Too Many Requests", "", "asks us to slow down"),
    ],
)
def test_what_azure_answers_is_told_with_what_to_do(
    suite: Suite, storage: Azurite, status: str, code: str, said: str
) -> None:
    blobs, answer = storage.gates[0], http_answer(status, {"x-ms-error-code": code} if code else {}, b"")

    with blobs.failing(answer), pytest.raises(GrandstandError) as told:
        suite.ports.objects(STORE).put("a", b"")

    assert said in str(told.value)
