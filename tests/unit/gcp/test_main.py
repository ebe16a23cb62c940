"""The entry: what it needs before it starts, and what becomes of whatever goes wrong inside."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from adapters.gcp.entry import TIMEOUT, Deployment
from adapters.gcp.logs import CloudLines
from adapters.gcp.needs import check
from adapters.gcp.triggers import invocation_seconds
from functions.manifest import FUNCTIONS
from lab.memory import MemoryClock
from shared.errors import Misconfigured
from tests.asgi import Client
from tests.emulators.firestore import firestore
from tests.emulators.pubsub import PubSubServer, pubsub

ENVIRON = {
    "GOOGLE_CLOUD_PROJECT": "p",
    "GRANDSTAND_BUCKET": "p-grandstand",
    "GRANDSTAND_REGION": "europe-west1",
    "GRANDSTAND_QUEUE_URL_REBUILD": "https://rebuild.example",
    "GRANDSTAND_INVOKER": "invoker@p.iam.gserviceaccount.com",
}
NEEDED = [("ingest", "GOOGLE_CLOUD_PROJECT")]
NEEDED += [(name, "GRANDSTAND_BUCKET") for name in ("archive", "commit", "watch", "operations")]
NEEDED += [
    ("operations", name) for name in ("GRANDSTAND_REGION", "GRANDSTAND_QUEUE_URL_REBUILD", "GRANDSTAND_INVOKER")
]


@pytest.fixture
def cloud() -> Iterator[tuple[PubSubServer, dict[str, str]]]:
    with pubsub() as server, firestore() as tables:
        yield server, {**ENVIRON, **server.environ, **tables.environ}


def function(name: str, environ: dict[str, str], *, seconds: float | None = None) -> Client:
    deployment = Deployment({**environ, "GRANDSTAND_FUNCTION": name}, clock=MemoryClock(), seconds=seconds)
    return Client(Starlette(routes=[Route("/{path:path}", deployment.handle, methods=["GET", "POST"])]))


@pytest.mark.parametrize("each", FUNCTIONS, ids=lambda each: each.name)
def test_every_function_of_the_manifest_starts_without_a_client(each: object) -> None:
    name = getattr(each, "name", "")

    assert Deployment({**ENVIRON, "GRANDSTAND_FUNCTION": name}).function is each


@pytest.mark.parametrize(("name", "variable"), NEEDED)
def test_a_missing_variable_is_named_before_anything_is_made(name: str, variable: str) -> None:
    wanted = next(each for each in FUNCTIONS if each.name == name)
    without = {key: value for key, value in ENVIRON.items() if key != variable}

    with pytest.raises(Misconfigured, match=f"^{variable} is not set. Set it, for example {variable}=.+[.]$"):
        check(wanted, without)
    check(wanted, ENVIRON)


def test_a_setting_that_is_no_number_is_named() -> None:
    with pytest.raises(Misconfigured, match="GRANDSTAND_HORIZON_SECONDS='a day'"):
        Deployment({**ENVIRON, "GRANDSTAND_FUNCTION": "ingest", "GRANDSTAND_HORIZON_SECONDS": "a day"})


@pytest.mark.parametrize("name", ["Sports", "sports/eu", "1st", "sports eu", "s" * 41])
def test_a_name_that_no_resource_can_have_is_told_at_start(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"^GRANDSTAND_NAME='{name}' cannot begin the names"):
        Deployment({**ENVIRON, "GRANDSTAND_FUNCTION": "ingest", "GRANDSTAND_NAME": name})


def test_a_platform_that_ends_invocations_too_soon_is_told_how_long_they_last() -> None:
    needed = invocation_seconds(next(each for each in FUNCTIONS if each.name == "aggregate"))
    environ = {**ENVIRON, "GRANDSTAND_FUNCTION": "aggregate"}

    with pytest.raises(Misconfigured, match=f"{TIMEOUT}='60': an invocation of aggregate may last {needed} s"):
        Deployment({**environ, TIMEOUT: "60"})
    Deployment({**environ, TIMEOUT: str(needed)})


def test_a_subscription_that_is_not_there_is_an_error_that_names_it(
    cloud: tuple[PubSubServer, dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    answer = function("aggregate", cloud[1], seconds=65).post("/drain")

    assert answer.status_code == 500
    assert "the subscription projects/p/subscriptions/grandstand-events-aggregate" in answer.text
    assert "Traceback" not in caplog.text


def test_a_request_to_another_functions_path_is_told_which_are_ours(
    cloud: tuple[PubSubServer, dict[str, str]],
) -> None:
    answer = function("roll", cloud[1]).post("/drain")

    assert (answer.status_code, answer.text) == (404, "roll is called at /run, /, not at /drain.")


def test_starting_imports_no_client_of_a_cloud_and_no_framework_but_the_one_that_calls(tmp_path: Path) -> None:

    program = (
        "import sys, os; os.environ.update(GRANDSTAND_FUNCTION='roll', GOOGLE_CLOUD_PROJECT='p');"
        "import adapters.gcp.main;"
        "print(*[name for name in ('grpc', 'google.pubsub_v1', 'google.cloud.firestore_v1', 'libcloud', 'boto3')"
        " if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[3]
    told = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)

    assert told.stdout.strip() == ""


def test_logs_are_lines_that_cloud_logging_reads() -> None:
    try:
        raise RuntimeError("a bug")
    except RuntimeError:
        record = logging.LogRecord("grandstand.x", logging.ERROR, "", 0, "%s failed", ("/run",), sys.exc_info())

    line = CloudLines().format(record)

    assert "\n" not in line
    told = json.loads(line)
    assert (told["severity"], told["logger"]) == ("ERROR", "grandstand.x")
    assert told["message"].startswith("/run failed\nTraceback (most recent call last)")
