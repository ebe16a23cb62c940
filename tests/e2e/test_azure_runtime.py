"""The suite under Microsoft's own worker for Python functions, with its data in Azurite and the stand-ins."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.azure.suite import Suite
from adapters.common.envelope import open_record, seal
from functions.manifest import FUNCTIONS
from lab.memory import MemorySecrets
from shared.dead_letters import DeadLetters
from shared.settings import Settings
from shared.stream import NewRecord
from tests.emulators.azurite import NotInstalled as NoAzurite
from tests.emulators.azurite import azurite
from tests.emulators.event_hubs import EventHubs, event_hubs
from tests.emulators.event_hubs.messages import DATA, sections
from tests.emulators.functions_runtime import InvocationFailed, NotInstalled, Worker, functions_worker
from tests.emulators.functions_runtime.install import runtime
from tests.emulators.key_vault import key_vault

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_APP = "import os\n\nfrom adapters.azure.app import make_app\n\napp = make_app(os.environ)\n"
WRITE = {"authorization": "Bearer write", "content-type": "application/json"}
OPERATOR = {"authorization": "Bearer operator"}
KEYS = {"write-keys": {"web": "write"}, "operator-keys": {"ops": "operator"}}
Opens = Callable[[str], AbstractContextManager[Worker]]

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("azure-runtime"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


class Cloud:
    """A deployment's data."""

    def __init__(self, environ: Mapping[str, str], hubs: EventHubs) -> None:
        self.environ = environ
        self.hubs = hubs
        self.suite = Suite(Settings(), environ)

    def make(self) -> None:
        """Every resource that the manifest names."""
        clients = self.suite.clients
        named = {each for function in FUNCTIONS for each in function.hosted_reads | function.hosted_writes}
        for resource in sorted(named | {"objects:parked"}):
            kind, _, name = ("objects:history" if resource == "history" else resource).partition(":")
            if kind == "table":
                clients.tables.create_table(self.suite.table_name(name))
            elif kind == "objects":
                clients.blobs.create_container(self.suite.container_name(name))
            elif kind == "queue":
                clients.queues.create_queue(self.suite.queue_name(name))

    def events(self) -> Sequence[bytes]:
        """The bodies of all that is in the hub."""
        return [
            data
            for partition in self.hubs.hub("events").partitions
            for event in partition.events
            for data in sections(event.message)[DATA]
        ]


@contextmanager
def deployed() -> Iterator[Cloud]:
    """A deployment's data, until the block ends. Skips where Azurite is not installed."""
    try:
        with azurite() as storage, event_hubs() as hubs, key_vault() as vault:
            hubs.create("events")
            for name, value in MemorySecrets().values.items():
                vault.set(f"grandstand-{name}", value.decode())
            for name, keys in KEYS.items():
                vault.set(f"grandstand-{name}", json.dumps(keys))
            delta, address = storage.delta_variable
            made = Cloud(
                {
                    delta: address,
                    "GRANDSTAND_STORAGE_CONNECTION": storage.connection_string,
                    "GRANDSTAND_EVENT_HUBS_CONNECTION": hubs.connection_string,
                    "GRANDSTAND_KEY_VAULT": vault.url,
                },
                hubs,
            )
            made.make()
            yield made
    except NoAzurite as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with deployed() as made:
        yield made


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A function app of this source tree."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "function_app.py").write_text(FUNCTION_APP)
    return folder


def opening(cloud: Cloud, place: Callable[[str], tuple[Path, Path]]) -> Opens:
    """Opens a function's app; `place` says in which folder it is and where its libraries lie."""
    try:
        runtime()
    except NotInstalled as missing:
        pytest.skip(str(missing))

    @contextmanager
    def opens(function: str, **settings: str) -> Iterator[Worker]:
        folder, libraries = place(function)
        environ = {**os.environ, **cloud.environ, "GRANDSTAND_FUNCTION": function, **settings}
        with functions_worker(folder, environ, [libraries]) as worker:
            yield worker

    return opens


@pytest.fixture(scope="module")
def opened(app: Path, cloud: Cloud) -> Opens:
    """Opens the app of one function."""
    return opening(cloud, lambda _: (app, ROOT))


def body() -> bytes:
    now = time.time_ns() // 1_000_000
    events = [
        {
            "event_type": "join",
            "event_timestamp": now,
            "viewer_id": f"v{n}",
            "session_id": f"s{n}",
            "content_id": "final",
        }
        for n in range(3)
    ]
    return json.dumps({"batch_id": "goal", "events": events}).encode()


def test_a_body_goes_in_and_its_audience_comes_out(opened: Opens, cloud: Cloud) -> None:
    with opened("ingest") as ingest:
        answer = ingest.http("ingest", "POST", "/v1/events", headers=WRITE, body=body())
    assert answer.status == 202, answer.body
    assert json.loads(answer.body)["accepted"] == 3

    sealed = cloud.events()
    assert sealed
    with opened("aggregate") as aggregate:
        aggregate.events("aggregate", sealed)
        aggregate.events("aggregate", sealed)

    with opened("audience") as audience:
        told = audience.http("audience", "GET", "/v1/contents/final/audience?resolution=5s", headers=OPERATOR)
    windows: list[dict[str, Any]] = json.loads(told.body)["windows"]
    assert sum(sum(window["events"].values()) for window in windows) == 3


def test_what_a_batch_leaves_is_parked_and_replayed_by_the_timer(opened: Opens, cloud: Cloud) -> None:
    foreign = b"not a record of ours"
    ours = seal(NewRecord(b"\x07" * 16, "final#0", b"not packed by us either"), 1)
    letters = DeadLetters(cloud.suite.ports, Settings())

    with opened("archive") as archive:
        archive.events("archive", [foreign, ours])
        archive.timer("archive_parked")

    kept = {letters.body(letter) for letter in letters.all()}
    record, _ = open_record(ours, partition="0", position=0, attempt=1, now_ms=0)
    assert {foreign, record.body} <= kept
    assert list(cloud.suite.ports.objects("parked").list()) == []


def test_an_order_in_the_queue_is_carried_out_and_what_is_not_ours_is_kept(opened: Opens, cloud: Cloud) -> None:
    letters = DeadLetters(cloud.suite.ports, Settings())
    with opened("rebuild") as rebuild:
        rebuild.message("rebuild", b"\x00 not ours \xff")

    assert b"\x00 not ours \xff" in {letters.body(letter) for letter in letters.all() if letter.queue == "rebuild"}


def test_a_schedule_runs(opened: Opens) -> None:
    with opened("dimensions") as dimensions:
        dimensions.timer("dimensions")


def test_every_function_is_indexed_with_its_trigger(opened: Opens) -> None:
    told: dict[str, dict[str, Any]] = {}
    for name in ("ingest", "aggregate", "rebuild", "roll"):
        with opened(name) as worker:
            told |= {function: bindings[0] for function, bindings in worker.functions.items()}
            retries = worker.retries

    assert told["ingest"]["route"] == "{*path}"
    assert told["aggregate"]["consumerGroup"] == "aggregate"
    assert (told["aggregate"]["cardinality"], told["aggregate"]["dataType"]) == ("MANY", "BINARY")
    assert told["aggregate_parked"]["schedule"] == told["roll"]["schedule"] == "0 * * * * *"
    assert told["rebuild"]["queueName"] == "grandstand-rebuild"
    assert retries["roll"].max_retry_count == 0


def test_a_stream_function_is_tried_again_without_limit(opened: Opens) -> None:
    with opened("watch") as watch:
        assert watch.retries["watch"].max_retry_count == -1


def test_a_path_arrives_as_it_was_sent(opened: Opens) -> None:
    target = "/v1/contents/caf%C3%A9%2Fnight%20%26%20day"
    with opened("contents") as contents:
        headers = {**OPERATOR, "content-type": "application/json"}
        contents.http("contents", "PUT", target, headers=headers, body=b'{"title": "Night & Day"}')
        answer = contents.http("contents", "GET", target, headers=OPERATOR)

    assert json.loads(answer.body)["content_id"] == "café/night & day"


def test_a_setting_that_is_missing_is_named_when_the_app_is_indexed(app: Path, opened: Opens) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GRANDSTAND_")}

    with (
        pytest.raises(InvocationFailed, match="GRANDSTAND_EVENT_HUBS_CONNECTION__fullyQualifiedNamespace is not set"),
        functions_worker(app, {**environ, "GRANDSTAND_FUNCTION": "aggregate"}, [ROOT]),
    ):
        pass
