"""The contract suite's providers. A new one is a line in `PROVIDERS`; it is done when the suite passes.

A test that asks for `delivery` runs by each of the provider's rules. `@pytest.mark.delivery(Delivery.ORDERED)` limits
a test to the providers that keep that one, `@pytest.mark.partitioned` and `@pytest.mark.framed` to those with such
streams, `@pytest.mark.fallible` to those whose stores can be made to fail.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import pytest

from adapters.common.environment import require
from adapters.local.triggers import Delivery
from shared.errors import Misconfigured
from tests.contract.rig import Rig

Opens = Callable[[Path], AbstractContextManager[Rig]]


@dataclass(frozen=True)
class Provider:
    """Where a provider's rig is, imported only when it is used, and whose rules its consumers keep."""

    rig: str
    deliveries: tuple[Delivery, ...]
    partitioned: bool = True
    framed: bool = True
    """Whether its stream is a cloud's, in which records are framed and others may append."""
    fallible: bool = True
    """Whether something stands between us and its stores that can be made to fail."""
    marks: tuple[pytest.MarkDecorator, ...] = ()

    def open(self, folder: Path) -> AbstractContextManager[Rig]:
        module, _, name = self.rig.partition(":")
        opens: Opens = getattr(import_module(module), name)
        return opens(folder)

    def live(self) -> "Provider":
        """The same in a real account: its rig is called `live`, beside the other."""
        module, _, _ = self.rig.partition(":")
        return replace(self, rig=f"{module}:live", fallible=False)


OPEN_SOCKETS = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
"""Event Hubs' SDK leaves the socket of a connection that the other side has ended to the garbage collector."""

PROVIDERS = {
    "local": Provider("tests.contract.rigs.local:local", tuple(Delivery), framed=False, fallible=False),
    "memory": Provider("tests.contract.rigs.local:memory", tuple(Delivery), framed=False, fallible=False),
    "aws": Provider("tests.contract.rigs.aws:aws", (Delivery.ORDERED,)),
    "azure": Provider("tests.contract.rigs.azure:azure", (Delivery.PARKED,), marks=(OPEN_SOCKETS,)),
    "gcp": Provider("tests.contract.rigs.gcp:gcp", (Delivery.EACH,), partitioned=False),
}
"""The clouds' rigs are tried against emulators, and against a real account with `--live NAME`."""

ACCOUNTS = {
    "aws": {"AWS_REGION": "eu-west-1"},
    "azure": {
        "GRANDSTAND_STORAGE_ACCOUNT": "grandstand4f2a",
        "GRANDSTAND_EVENT_HUBS": "grandstand.servicebus.windows.net",
        "GRANDSTAND_KEY_VAULT": "https://grandstand.vault.azure.net",
    },
    "gcp": {"GOOGLE_CLOUD_PROJECT": "my-sandbox", "GRANDSTAND_REGION": "europe-west1"},
}
"""The variables that say which account it is, each with an example; the rigs say which permissions it needs."""


def pytest_configure(config: pytest.Config) -> None:
    try:
        for variable, example in ACCOUNTS.get(config.getoption("--live"), {}).items():
            require(os.environ, variable, example)
    except Misconfigured as missing:
        raise pytest.UsageError(f"--live: {missing}") from None
    config.addinivalue_line("markers", "delivery(rules): for providers whose consumers keep these rules")
    config.addinivalue_line("markers", "partitioned: for providers whose streams have partitions")
    config.addinivalue_line("markers", "framed: for providers to whose streams others may append")
    config.addinivalue_line("markers", "fallible: for providers whose stores can be made to fail")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "provider" not in metafunc.fixturenames:
        return
    wanted = [rules for mark in metafunc.definition.iter_markers("delivery") for rules in mark.args]
    streams = {mark.name for mark in metafunc.definition.iter_markers()} & {"partitioned", "framed", "fallible"}
    chosen = {
        name: [rules for rules in provider.deliveries if not wanted or rules in wanted]
        for name, provider in _tried(metafunc.config).items()
        if all(getattr(provider, stream) for stream in streams)
    }
    if "delivery" in metafunc.fixturenames:
        cases = [_case(name, rules, id=f"{name}-{rules.value}") for name, each in chosen.items() for rules in each]
        metafunc.parametrize(("provider", "delivery"), cases, indirect=["provider"])
    else:
        cases = [_case(name, id=name) for name, each in chosen.items() if each]
        metafunc.parametrize("provider", cases, indirect=True)


def _tried(config: pytest.Config) -> dict[str, Provider]:
    """All of them against emulators, or the one that `--live` names."""
    live: str | None = config.getoption("--live")
    return {live: PROVIDERS[live].live()} if live else PROVIDERS


def _case(name: str, *rules: Delivery, id: str) -> object:  # noqa: A002  pytest's name
    provider = PROVIDERS[name]
    together = (pytest.mark.xdist_group(f"contract-{name}"),) if provider.fallible else ()
    return pytest.param(name, *rules, id=id, marks=(*together, *provider.marks))


@pytest.fixture
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with _tried(request.config)[request.param].open(tmp_path / "data") as rig:
        yield rig
