"""Google's services as stand-ins, each started once; tests keep apart by names of their own."""

from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest

from tests.emulators.cloud_tasks import CloudTasks, cloud_tasks
from tests.emulators.firestore import Firestore, firestore, google_emulator
from tests.emulators.firestore.google import NotInstalled
from tests.emulators.gcs import Storage, gcs
from tests.emulators.secret_manager import SecretManager, secret_manager


@pytest.fixture(scope="session")
def one_firestore() -> Iterator[Firestore]:
    with firestore() as server:
        yield server


@pytest.fixture(scope="session")
def google_firestore() -> Iterator[str]:
    """The address of Google's own emulator."""
    try:
        with google_emulator() as address:
            yield address
    except NotInstalled as missing:
        pytest.skip(f"Google's own Firestore emulator: {missing}")


@pytest.fixture
def firestore_server(one_firestore: Firestore) -> Firestore:
    one_firestore.faults.clear()
    return one_firestore


@pytest.fixture(scope="session")
def one_storage() -> Iterator[Storage]:
    with gcs(makes_any_bucket=False) as server:
        yield server


@pytest.fixture
def storage_server(one_storage: Storage) -> Storage:
    one_storage.faults.clear()
    return one_storage


@pytest.fixture(scope="session")
def one_cloud_tasks() -> Iterator[CloudTasks]:
    with cloud_tasks() as server:
        yield server


@pytest.fixture
def tasks_server(one_cloud_tasks: CloudTasks) -> CloudTasks:
    one_cloud_tasks.faults.clear()
    return one_cloud_tasks


@pytest.fixture(scope="session")
def one_secret_manager() -> Iterator[SecretManager]:
    with secret_manager() as server:
        yield server


@pytest.fixture
def secrets_server(one_secret_manager: SecretManager) -> SecretManager:
    one_secret_manager.faults.clear()
    return one_secret_manager


@pytest.fixture
def name() -> str:
    """What begins every name of this test's resources."""
    return f"gs{uuid4().hex[:8]}"


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    """What is closed when the test ends."""
    with ExitStack() as stack:
        yield stack
