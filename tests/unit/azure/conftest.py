"""Azurite once a process, and resources of each test's own in it."""

from collections.abc import Iterator
from itertools import count
from os import getpid

import pytest

from adapters.azure.suite import Suite
from lab.memory import MemoryClock
from shared.settings import Settings
from tests.emulators.azurite import Azurite, NotInstalled, azurite

TABLE = "audience"
STORE = "staging"
QUEUE = "rebuild"

_numbers = count(1)


@pytest.fixture(scope="session")
def storage() -> Iterator[Azurite]:
    try:
        with azurite() as running:
            yield running
    except NotInstalled as missing:
        pytest.skip(str(missing))


@pytest.fixture
def environ(storage: Azurite) -> dict[str, str]:
    """A deployment under a name of its own, in which nothing has been made."""
    return {
        "GRANDSTAND_NAME": f"u{getpid()}x{next(_numbers)}",
        "GRANDSTAND_STORAGE_CONNECTION": storage.connection_string,
    }


@pytest.fixture
def bare(environ: dict[str, str]) -> Suite:
    """A suite whose resources nobody has made."""
    return Suite(Settings(), environ, clock=MemoryClock())


@pytest.fixture
def suite(bare: Suite) -> Suite:
    """A suite with the table, the store and the queue that these tests use."""
    bare.clients.tables.create_table(bare.table_name(TABLE))
    bare.clients.blobs.create_container(bare.container_name(STORE))
    bare.clients.queues.create_queue(bare.queue_name(QUEUE))
    return bare


@pytest.fixture
def clock(suite: Suite) -> MemoryClock:
    assert isinstance(suite.ports.clock, MemoryClock)
    return suite.ports.clock
