"""Google's services as stand-ins, each started once; tests keep apart by names of their own."""

from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest

from tests.emulators.cloud_tasks import CloudTasks, cloud_tasks
from tests.emulators.firestore import Firestore, firestore
from tests.emulators.gcs import Storage, gcs
from tests.emulators.secret_manager import SecretManager, secret_manager


@pytest.fixture(scope="session")
def firestore_server() -> Iterator[Firestore]:
    with firestore() as server:
        yield server


@pytest.fixture(scope="session")
def storage_server() -> Iterator[Storage]:
    with gcs(makes_any_bucket=False) as server:
        yield server


@pytest.fixture(scope="session")
def tasks_server() -> Iterator[CloudTasks]:
    with cloud_tasks() as server:
        yield server


@pytest.fixture(scope="session")
def secrets_server() -> Iterator[SecretManager]:
    with secret_manager() as server:
        yield server


@pytest.fixture
def name() -> str:
    """What begins every name of this test's resources."""
    return f"gs{uuid4().hex[:8]}"


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    """What is closed when the test ends."""
    with ExitStack() as stack:
        yield stack
