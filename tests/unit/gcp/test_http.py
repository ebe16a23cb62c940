"""HTTP functions inside functions-framework's own app, which the tests call in this process."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import functions_framework.aio
import pytest
from starlette.types import ASGIApp

from adapters.gcp.http import HttpFunction
from lab.memory import MemorySuite
from shared.health.pulses import PULSE_MS, PULSES_TABLE, read_pulses
from tests.asgi import Client, chunked
from tests.unit.gcp.hosted import SERVE, Host

SOURCE = """
from adapters.gcp.entry import registered
from tests.unit.gcp.test_http import served

async def handle(request):
    return served[-1]

handle = registered(handle)
"""

served: list[ASGIApp] = []


@pytest.fixture
def host() -> Host:
    return Host(SERVE, MemorySuite())


@pytest.fixture
def client(host: Host, tmp_path: Path) -> Iterator[Client]:
    served.append(HttpFunction(host.hosted))
    source = tmp_path / "main.py"
    source.write_text(SOURCE)
    yield Client(functions_framework.aio.create_asgi_app("handle", str(source), "http"))  # type: ignore[no-untyped-call]
    served.clear()


def test_an_id_with_a_slash_arrives_as_it_was_sent(client: Client) -> None:
    answer = client.post("/v1/echo/final%2F2026%20%C3%BC?from=1&to=%2F", content=bytes(range(256)))

    assert answer.status_code == 200
    assert answer.json() == {
        "id": "final/2026 ü",
        "query": {"from": "1", "to": "/"},
        "body": bytes(range(256)).hex(),
        "header": None,
    }


def test_headers_go_both_ways(client: Client) -> None:
    answer = client.get("/v1/echo/final", headers={"X-Asked": "yes"})

    assert answer.json()["header"] == "yes"
    assert answer.headers["x-told"] == "yes"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_byte_of_an_answer_arrives(client: Client) -> None:
    answer = client.get("/v1/bytes")

    assert (answer.content, answer.headers["content-type"]) == (bytes(range(256)), "application/octet-stream")


def test_head_is_a_get_without_its_body(client: Client) -> None:
    answer = client.request("HEAD", "/v1/bytes")

    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "256")


def test_a_body_of_unstated_length_is_taken_whole(client: Client) -> None:
    answer = client.post("/v1/echo/final", content=chunked([b"a" * 70_000, b"b"]))

    assert bytes.fromhex(answer.json()["body"]) == b"a" * 70_000 + b"b"


def test_a_body_past_the_limit_is_refused(client: Client) -> None:
    answer = client.post("/v1/echo/final", content=bytes(3_000_000))

    assert (answer.status_code, answer.json()["status"]) == (413, 413)


def test_an_address_where_nothing_is_gets_our_own_problem_document(client: Client) -> None:
    answer = client.get("/nothing/here")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_the_first_request_pulses_before_its_answer_ends_and_the_next_do_not(client: Client, host: Host) -> None:
    client.get("/v1/bytes")
    told = pulses(host)
    client.get("/v1/bytes")

    assert told == pulses(host) == ["server"]


def test_a_pulse_is_written_again_when_it_is_due(client: Client, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[float] = []
    monkeypatch.setattr(host.hosted, "rest", lambda: flushed.append(time.monotonic()))
    client.get("/v1/bytes")
    now = time.monotonic()
    monkeypatch.setattr("adapters.gcp.http.time.monotonic", lambda: now + PULSE_MS / 1_000)
    client.get("/v1/bytes")

    assert len(flushed) == 2


def test_many_at_once_are_answered_each_by_its_own(client: Client) -> None:
    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*(client.send("GET", f"/v1/echo/{n}") for n in range(50)))

    answers = asyncio.run(all_of_them())

    assert [json.loads(answer.content)["id"] for answer in answers] == [str(n) for n in range(50)]


def pulses(host: Host) -> list[str]:
    table = host.suite.ports.table(PULSES_TABLE)
    return [pulse.function for pulse in read_pulses(table, 0, host.suite.clock.now_ms() // 1_000)]
