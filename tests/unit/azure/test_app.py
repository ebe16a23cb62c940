"""The function app that is made of the manifest, and what its functions do with what the host hands them."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import azure.functions as func
import pytest
from azure.functions.queue import QueueMessage
from azure.functions.timer import TimerRequest

from adapters.azure.app import NotSettled, make_app
from functions.manifest import FUNCTIONS, Every, Http, OnQueue, OnStream
from lab.memory import MemorySuite
from shared.dead_letters import DeadLetters
from shared.errors import Misconfigured
from shared.health.meter import SLOT_MS
from shared.health.pulses import PULSES_TABLE, read_pulses_of
from shared.settings import Settings

CONTEXT = SimpleNamespace(
    invocation_id="1", function_name="f", function_directory="", retry_context=SimpleNamespace(retry_count=0)
)
ENVIRON = {
    "GRANDSTAND_STORAGE_ACCOUNT": "grandstand4f2a",
    "GRANDSTAND_EVENT_HUBS": "grandstand.servicebus.windows.net",
    "GRANDSTAND_EVENT_HUBS_CONNECTION__fullyQualifiedNamespace": "grandstand.servicebus.windows.net",
    "GRANDSTAND_STORAGE_CONNECTION__queueServiceUri": "https://grandstand4f2a.queue.core.windows.net",
    "GRANDSTAND_KEY_VAULT": "https://grandstand.vault.azure.net",
}
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
Made = dict[str, func.decorators.function_app.Function]


def functions(name: str | None = None, suite: MemorySuite | None = None, **environ: str) -> Made:
    told = {**environ, **({"GRANDSTAND_FUNCTION": name} if name else {})}
    app = make_app(told, ports=(suite or MemorySuite()).ports, sleep=lambda _: None)
    return {str(each.get_function_name()): each for each in app.get_functions()}


def called(made: Made, name: str) -> Callable[..., Any]:
    return made[name].get_user_function()


def binding(made: Made, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(made[name].get_raw_bindings()[0])
    return told


def ask(
    made: Made, name: str, line: str, *, body: bytes = b"", headers: Mapping[str, str] = NO_HEADERS
) -> func.HttpResponse:
    method, target = line.split()
    url = "https://grandstand.azurewebsites.net" + target
    request = func.HttpRequest(method, url, headers=dict(headers), body=body)
    answer: func.HttpResponse = asyncio.run(called(made, name)(request, CONTEXT))
    return answer


def message(body: bytes) -> QueueMessage:
    return QueueMessage(body=body, dequeue_count=1)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_every_function_has_its_own_app(function: Any) -> None:
    made = functions(function.name)

    told = binding(made, function.name)
    match function.trigger:
        case Http():
            assert (told["type"], told["route"], told["authLevel"]) == ("httpTrigger", "{*path}", "ANONYMOUS")
        case OnStream(stream):
            assert (told["type"], told["eventHubName"], told["consumerGroup"]) == (
                "eventHubTrigger",
                stream,
                function.name,
            )
        case OnQueue(queue):
            assert (told["type"], told["queueName"]) == ("queueTrigger", f"grandstand-{queue}")
        case Every():
            assert told["type"] == "timerTrigger"
    assert len(made) == (2 if isinstance(function.trigger, OnStream) else 1)


def test_bytes_arrive_as_bytes() -> None:
    """Where nothing is said, the host decodes them as text, and spoils what is none."""
    assert binding(functions("aggregate"), "aggregate")["dataType"] == "BINARY"
    assert binding(functions("rebuild"), "rebuild")["dataType"] == "BINARY"


def test_a_stream_function_is_tried_again_for_ever() -> None:
    retry = functions("archive")["archive"].get_settings_dict("retry_policy")

    assert retry is not None
    assert (retry["strategy"], retry["max_retry_count"]) == ("exponential_backoff", "-1")


def test_a_name_of_the_deployment_is_part_of_its_queues() -> None:
    assert binding(functions("rebuild", GRANDSTAND_NAME="liga"), "rebuild")["queueName"] == "liga-rebuild"


def test_all_functions_fit_in_one_app_and_share_its_paths() -> None:
    made = functions()

    assert {each.name for each in FUNCTIONS if not isinstance(each.trigger, Http)} < made.keys()
    assert ask(made, "http", "GET /healthz").status_code == 200
    assert ask(made, "http", "POST /v1/events").status_code == 401
    assert ask(made, "http", "GET /v1/contents/final").status_code == 401


@pytest.mark.parametrize(
    ("function", "missing"),
    [
        ("ingest", "GRANDSTAND_EVENT_HUBS"),
        ("ingest", "GRANDSTAND_KEY_VAULT"),
        ("aggregate", "GRANDSTAND_STORAGE_ACCOUNT"),
        ("commit", "GRANDSTAND_STORAGE_ACCOUNT"),
        ("rebuild", "GRANDSTAND_KEY_VAULT"),
        ("aggregate", "GRANDSTAND_EVENT_HUBS_CONNECTION__fullyQualifiedNamespace"),
        ("rebuild", "GRANDSTAND_STORAGE_CONNECTION__queueServiceUri"),
    ],
)
def test_a_setting_that_is_missing_is_named_at_start(function: str, missing: str) -> None:
    told = {name: value for name, value in ENVIRON.items() if name != missing}

    with pytest.raises(Misconfigured, match=rf"{missing} is not set\. Set it, for example {missing}="):
        make_app({**told, "GRANDSTAND_FUNCTION": function})


def test_a_setting_that_is_wrong_is_named_at_start() -> None:
    with pytest.raises(Misconfigured, match="GRANDSTAND_HORIZON_SECONDS='soon'"):
        make_app({**ENVIRON, "GRANDSTAND_FUNCTION": "roll", "GRANDSTAND_HORIZON_SECONDS": "soon"})


def test_a_function_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(Misconfigured, match=r"GRANDSTAND_FUNCTION='agregate'.*aggregate, archive"):
        make_app({**ENVIRON, "GRANDSTAND_FUNCTION": "agregate"})


def test_a_path_arrives_as_it_was_sent() -> None:
    suite = MemorySuite()
    suite.ports.secrets.values["operator-keys"] = b'{"ops": "operator"}'  # type: ignore[attr-defined]
    made = functions("contents", suite)

    target = "/v1/contents/caf%C3%A9%2Fnight%20%26%20day"
    headers = {"authorization": "Bearer operator", "content-type": "application/json"}
    put = ask(made, "contents", f"PUT {target}", body=b'{"title": "Night & Day"}', headers=headers)
    got = ask(made, "contents", f"GET {target}", headers=headers)

    assert put.status_code in (200, 201), put.get_body()
    assert json.loads(got.get_body())["content_id"] == "café/night & day"


def test_an_address_that_is_no_text_is_the_callers_mistake() -> None:
    answer = ask(functions("audience"), "audience", "GET /v1/contents/%FF/audience")

    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert "UTF-8" in json.loads(answer.get_body())["detail"]


def test_a_head_has_headers_alone() -> None:
    answer = ask(functions("audience"), "audience", "HEAD /openapi.json")

    assert answer.status_code == 200
    assert answer.get_body() == b""
    assert int(answer.headers["content-length"]) > 0


def test_a_message_that_is_not_settled_is_left_to_the_host() -> None:
    suite = MemorySuite()
    suite.ports.secrets.values["dead-letter-key"] = b"no key"  # type: ignore[attr-defined]
    work = called(functions("rebuild", suite), "rebuild")

    with pytest.raises(NotSettled, match="rebuild asks for the message again"):
        work(message(b"not an order"))


def test_a_message_that_is_not_ours_is_kept() -> None:
    suite = MemorySuite()
    called(functions("rebuild", suite), "rebuild")(message(b"\xff not an order"))

    letters = DeadLetters(suite.ports, Settings())
    assert [letters.body(letter) for letter in letters.all()] == [b"\xff not an order"]


def test_what_was_done_is_told_when_a_function_rests() -> None:
    suite = MemorySuite()

    called(functions("roll", suite), "roll")(TimerRequest())

    slot = suite.clock.now_ms() // SLOT_MS
    (pulse,) = read_pulses_of(suite.ports.table(PULSES_TABLE), "roll", slot)
    assert pulse.counts.calls > 0


def test_no_client_is_imported_before_it_is_used() -> None:
    """Import time is what a cold start pays."""
    program = (
        "import sys, adapters.azure.app as app\n"
        f"app.make_app({ENVIRON!r} | {{'GRANDSTAND_FUNCTION': 'ingest'}})\n"
        "print(*sorted(m for m in sys.modules if m.startswith(('azure.', 'deltalake', 'pyarrow', 'numpy'))))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    loaded = {name.split(".")[1] for name in done.stdout.split() if name.startswith("azure.")}
    assert "functions" in loaded
    assert not loaded & {"eventhub", "storage", "data", "keyvault", "communication", "identity"}
    assert not {"deltalake", "pyarrow"} & set(done.stdout.split())
