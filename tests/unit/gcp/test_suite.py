"""Google Cloud's composition root."""

import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction

from adapters.gcp.suite import Suite
from lab.memory import MemoryClock
from shared.errors import Misconfigured
from shared.settings import Settings
from tests.emulators.cloud_tasks import CloudTasks
from tests.emulators.firestore import Firestore
from tests.emulators.gcs import Storage
from tests.emulators.secret_manager import SecretManager

ROOT = Path(__file__).parents[3]
ROWS = pa.table({"a": [1, 2, 3]})


@pytest.fixture
def environ(
    firestore_server: Firestore,
    storage_server: Storage,
    tasks_server: CloudTasks,
    secrets_server: SecretManager,
    name: str,
) -> dict[str, str]:
    storage_server.buckets.make(name)
    return {
        "GRANDSTAND_NAME": name,
        "GRANDSTAND_BUCKET": name,
        "GRANDSTAND_REGION": "europe-west1",
        "GRANDSTAND_INVOKER": "invoker@suite.iam.gserviceaccount.com",
        "GRANDSTAND_QUEUE_URL_REBUILD": "http://127.0.0.1:1/rebuild",
        "GRANDSTAND_SMTP_URL": "smtp://127.0.0.1:1",
        "GRANDSTAND_MAIL_FROM": "news@example.com",
        "GOOGLE_CLOUD_PROJECT": "suite",
        **firestore_server.environ,
        **storage_server.environ,
        **tasks_server.environ,
        **secrets_server.environ,
    }


def suite(environ: Mapping[str, str], closing: ExitStack) -> Suite:
    made = Suite(Settings(), environ, clock=MemoryClock())
    closing.callback(made.close)
    return made


def test_every_port_answers(
    environ: dict[str, str], closing: ExitStack, tasks_server: CloudTasks, secrets_server: SecretManager, name: str
) -> None:
    ports = suite(environ, closing).ports
    secrets_server.add("suite", f"{name}-write-keys", b"{}")

    ports.table("audience").put("p", "s", b"1")
    ports.objects("staging").put("a", b"1")
    ports.queue("rebuild").send(b"1")

    assert ports.table("audience").get("p", "s") is not None
    assert ports.table("other").get("p", "s") is None
    assert ports.objects("other").get("a") is None
    assert ports.secrets.get("write-keys") == b"{}"
    assert [task.body for task in tasks_server.due(f"{name}-rebuild", 0)] == [b"1"]


def test_a_port_is_made_once_whoever_asks(environ: dict[str, str], closing: ExitStack) -> None:
    ports = suite(environ, closing).ports
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(ports.table("audience"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len({id(table) for table in found}) == 1


@pytest.mark.parametrize(
    "variable",
    [
        "GOOGLE_CLOUD_PROJECT",
        "GRANDSTAND_BUCKET",
        "GRANDSTAND_REGION",
        "GRANDSTAND_INVOKER",
        "GRANDSTAND_QUEUE_URL_REBUILD",
        "GRANDSTAND_SMTP_URL",
        "GRANDSTAND_MAIL_FROM",
    ],
)
def test_a_variable_that_is_missing_is_named_in_one_line(
    environ: dict[str, str], closing: ExitStack, variable: str
) -> None:
    ports = suite({**environ, variable: " "}, closing).ports

    with pytest.raises(Misconfigured, match=f"^{variable} is not set.*{variable}=") as told:
        ports.table("audience").get("p", "s")
        ports.objects("staging")
        ports.queue("rebuild")
        ports.mailer()
    assert "\n" not in str(told.value)


def test_nothing_of_google_is_imported_before_it_is_used() -> None:
    code = """
import sys
from adapters.gcp.suite import Suite
from shared.settings import Settings
Suite(Settings(), {})
print([name for name in sys.modules if name.startswith(("google.a", "google.cloud.", "grpc", "libcloud"))])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("missing", "ask"),
    [
        ("grpc", 'ports.table("audience").get("p", "s")'),
        ("google.cloud.firestore_v1", 'ports.table("audience").get("p", "s")'),
        ("google.cloud.tasks_v2", 'ports.queue("rebuild").send(b"")'),
        ("google.cloud.secretmanager_v1", 'ports.secrets.get("write-keys")'),
        ("libcloud", 'ports.objects("staging").get("a")'),
    ],
)
def test_a_package_that_is_missing_is_named_with_the_extra(environ: dict[str, str], missing: str, ask: str) -> None:
    code = f"""
import sys
from adapters.gcp.suite import Suite
from shared.settings import Settings
sys.modules[{missing!r}] = None
ports = Suite(Settings(), {environ!r}).ports
try:
    {ask}
except Exception as error:
    print(type(error).__name__, error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert said.stdout.startswith(f"Misconfigured {missing}")
    assert "pip install 'grandstand[gcp]'" in said.stdout


def test_no_credential_is_told_with_how_to_get_one(
    environ: dict[str, str], closing: ExitStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    del environ["FIRESTORE_EMULATOR_HOST"]

    with pytest.raises(Misconfigured, match="gcloud auth application-default login"):
        suite(environ, closing).ports.table("audience").get("p", "s")


def test_two_writers_of_the_history_do_not_both_win(environ: dict[str, str], closing: ExitStack) -> None:
    root, options = suite(environ, closing).ports.history_uri()
    uri = f"{root}/facts"
    assert root == f"gs://{environ['GRANDSTAND_BUCKET']}/history"
    write_deltalake(uri, ROWS, storage_options=options)
    first, second = (DeltaTable(uri, storage_options=options) for _ in range(2))

    def add(table: DeltaTable, path: str) -> None:
        table.create_write_transaction(
            [AddAction(path, 1, {}, 1, True, '{"numRecords": 1}')],
            "append",
            ROWS.schema,
            [],
            commit_properties=CommitProperties(max_commit_retries=0),
        )

    add(first, "first")
    with pytest.raises(CommitFailedError):
        add(second, "second")
    assert any(file.endswith("/first") for file in DeltaTable(uri, storage_options=options).file_uris())
    assert DeltaTable(uri, storage_options=options).version() == 1


def test_delta_tables_are_written_and_read_beside_the_objects(environ: dict[str, str], closing: ExitStack) -> None:
    ports = suite(environ, closing).ports
    root, options = ports.history_uri()
    uri = f"{root}/rows"
    for _ in range(3):
        write_deltalake(uri, ROWS, mode="append", storage_options=options)

    table = DeltaTable(uri, storage_options=options)

    assert table.version() == 2
    assert pa.table(table.to_pyarrow_table()).num_rows == 9


def test_the_history_signs_in_by_the_file_that_is_named(environ: dict[str, str], closing: ExitStack) -> None:
    del environ["STORAGE_EMULATOR_HOST"]

    assert suite(environ, closing).ports.history_uri()[1] == {}
    environ["GOOGLE_APPLICATION_CREDENTIALS"] = "/etc/key.json"
    assert suite(environ, closing).ports.history_uri()[1] == {"google_application_credentials": "/etc/key.json"}
