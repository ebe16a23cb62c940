"""The manifest's own functions behind each provider's entry points and event shapes."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import zstandard

from shared.dead_letters import DeadLetter
from tests.contract.conftest import PROVIDERS
from tests.contract.rig import HttpAnswer, Rig

WRITE = {"authorization": "Bearer write", "content-type": "application/json"}
OPERATOR = {"authorization": "Bearer operator", "content-type": "application/json"}
KEYS = {
    "pseudonym-keys": [{"id": "1", "from_ms": 0, "key_hex": "5e" * 32}],
    "write-keys": {"web": "write"},
    "operator-keys": {"ops": "operator"},
}
FACTS = """
    SELECT * FROM fact_stream_events
    ORDER BY content_id, viewer_id, event_timestamp, event_id, event_type, record_id
"""


@pytest.fixture
def suite(provider: Rig) -> Rig:
    return with_keys(provider)


def with_keys(rig: Rig) -> Rig:
    for name, value in KEYS.items():
        rig.set_secret(name, json.dumps(value).encode())
    return rig


def body_of(rig: Rig) -> bytes:
    """Twenty seconds of three contents: sixty viewers join, play and stall, and one event in the middle is wrong."""
    now = rig.clock.now_ms()
    events: list[dict[str, object]] = []
    for viewer in range(60):
        said = {
            "viewer_id": f"viewer-{viewer}",
            "session_id": f"session-{viewer}",
            "content_id": ("final", "semi/final ü", "x" * 200)[viewer % 3],
            "device_type": ("tv", "phone")[viewer % 2],
            "country": ("NL", "DE", "FR")[viewer % 5 % 3],
        }
        for step, kind in enumerate(("join", "play", "heartbeat", "stall")):
            event = {**said, "event_type": kind, "event_timestamp": now - 20_000 + 5_000 * step + viewer}
            event |= {"event_id": f"{viewer}-{step}", "watched_ms": 5_000 if kind == "heartbeat" else 0}
            event |= {"startup_ms": 400 + viewer} if kind == "play" else {}
            event |= {"stall_ms": 100 + viewer} if kind == "stall" else {}
            events.append(event)
    events.insert(100, {"event_type": "heartbeat", "event_timestamp": "yesterday"})
    return json.dumps({"batch_id": "match-1", "events": events}).encode()


def post(rig: Rig, body: bytes, **headers: str) -> HttpAnswer:
    answer = rig.entry("ingest").http("POST", "/v1/events", headers={**WRITE, **headers}, body=body)
    assert answer.status == 202, answer.body
    return answer


def ask(rig: Rig, function: str, method: str, target: str, said: object = None) -> HttpAnswer:
    body = b"" if said is None else json.dumps(said).encode()
    return rig.entry(function).http(method, target, headers=OPERATOR, body=body)


def deliver(rig: Rig, *functions: str) -> None:
    for function in functions:
        entry = rig.entry(function)
        while entry.deliver():
            pass


def audience(rig: Rig, content: str) -> Any:
    answer = ask(rig, "audience", "GET", f"/v1/contents/{content}/audience?resolution=5s")
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def events_of(windows: list[dict[str, Any]]) -> list[int]:
    return [sum(window["events"].values()) for window in windows]


def played(rig: Rig) -> dict[str, Any]:
    """The batch, sent twice, through every function of the path: what was answered, is measured and is kept."""
    body = body_of(rig)
    first, again = json.loads(post(rig, body).body), json.loads(post(rig, body).body)
    deliver(rig, "aggregate", "archive")
    rig.entry("commit").tick()
    rows = rig.ports.warehouse().query(FACTS, {})
    completeness = json.loads(ask(rig, "operations", "GET", "/v1/completeness").body)
    return {
        "answers": [first, again],
        "measures": [audience(rig, content) for content in ("final", "semi%2Ffinal%20%C3%BC", "x" * 200)],
        "completeness": completeness,
        "rows": [{name: str(value) for name, value in row.items()} for row in rows],
    }


@cache
def expected() -> dict[str, Any]:
    """What comes of the batch on the ports in memory."""
    with TemporaryDirectory() as folder, PROVIDERS["memory"].open(Path(folder)) as rig:
        return played(with_keys(rig))


def test_the_same_batch_leaves_the_same_measures_and_history_on_every_provider(suite: Rig) -> None:
    told = played(suite)

    assert len(told["rows"]) == 240
    assert told["completeness"]["counted"] == 240
    assert told["completeness"]["duplicate"] == 241
    for part, value in expected().items():
        assert told[part] == value


def test_a_compressed_body_arrives_as_it_was_sent(suite: Rig) -> None:
    packed = zstandard.compress(body_of(suite))

    answer = post(suite, packed, **{"content-encoding": "zstd"})

    assert json.loads(answer.body)["accepted"] == 240


def test_an_id_may_hold_a_slash_and_any_letter(suite: Rig) -> None:
    target = "/v1/contents/caf%C3%A9%2Fnight%20%26%20day"

    put = ask(suite, "contents", "PUT", target, {"title": "Café/Night & Day"})
    got = ask(suite, "contents", "GET", target)

    assert put.status in (200, 201), put.body
    assert json.loads(got.body)["content_id"] == "café/night & day"
    assert got.headers["etag"]


def test_a_condition_in_a_header_holds(suite: Rig) -> None:
    ask(suite, "contents", "PUT", "/v1/contents/final", {"title": "Final"})

    headers = {**OPERATOR, "if-match": '"another"'}
    body = json.dumps({"title": "Late"}).encode()
    refused = suite.entry("contents").http("PUT", "/v1/contents/final", headers=headers, body=body)

    assert refused.status == 412
    assert json.loads(ask(suite, "contents", "GET", "/v1/contents/final").body)["title"] == "Final"


@pytest.mark.parametrize(
    ("method", "target", "headers", "status"),
    [
        ("GET", "/v1/completeness", {}, 401),
        ("GET", "/v1/completeness", {"authorization": "Bearer write"}, 403),
        ("GET", "/v1/nothing", OPERATOR, 404),
        ("DELETE", "/v1/completeness", OPERATOR, 405),
        ("GET", "/v1/completeness?from=yesterday", OPERATOR, 400),
    ],
)
def test_what_is_wrong_is_told_as_a_problem(
    suite: Rig, method: str, target: str, headers: dict[str, str], status: int
) -> None:
    answer = suite.entry("operations").http(method, target, headers=headers)

    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.body)["detail"]


def test_a_player_on_another_origin_may_post(suite: Rig) -> None:
    asks = {
        "origin": "https://player.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-write-key",
    }

    answer = suite.entry("ingest").http("OPTIONS", "/v1/events", headers=asks)

    assert answer.status in (200, 204)
    assert answer.headers["access-control-allow-origin"] in ("*", "https://player.example")


def test_a_head_is_a_get_without_its_body(suite: Rig) -> None:
    answer = suite.entry("operations").http("HEAD", "/v1/completeness", headers=OPERATOR)

    assert (answer.status, answer.body) == (200, b"")


def test_a_schedule_does_what_is_due(suite: Rig) -> None:
    post(suite, body_of(suite))
    deliver(suite, "aggregate")
    for _ in range(12):
        suite.clock.advance(60_000)
        suite.entry("roll").tick()

    answer = ask(suite, "audience", "GET", "/v1/contents/final/audience?resolution=1m")

    windows = json.loads(answer.body)["windows"]
    assert sum(events_of(windows)) == 80
    assert not list(suite.ports.table("dirty").query("dirty#0").items)


def test_a_queued_order_is_carried_out(suite: Rig) -> None:
    assert ask(suite, "operations", "POST", "/v1/rebuild").status == 202

    worker = suite.entry("rebuild")

    assert worker.work() == 1
    suite.pass_time(1_000)
    assert worker.work() == 0
    assert suite.dead_letters.count() == 0


def test_a_message_that_is_not_ours_is_kept_and_can_be_sent_again(suite: Rig) -> None:
    suite.ports.queue("rebuild").send(b"\x00 not ours \xff")
    worker = suite.entry("rebuild")

    assert worker.work() == 1

    (letter,) = suite.dead_letters.all()
    assert (letter.queue, letter.function) == ("rebuild", "rebuild")
    assert suite.dead_letters.body(letter) == b"\x00 not ours \xff"
    (replayed,) = suite.dead_letters.replay("events", [letter.record_id])
    assert replayed.refused is None
    assert worker.work() == 1
    assert suite.dead_letters.count() == 1


@pytest.mark.framed
@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"hello": "world"}', "no record of ours"),
        (b"GE\x02" + bytes(40), "another version"),
        (b"GE\x01ab", "cut off"),
    ],
)
def test_what_others_append_goes_whole_to_the_dead_letters(suite: Rig, data: bytes, told: str) -> None:
    assert suite.smuggle is not None
    suite.smuggle(data)
    post(suite, body_of(suite))

    deliver(suite, "aggregate")

    letters: list[DeadLetter] = list(suite.dead_letters.all())
    assert [told in letter.reason for letter in letters] == [True]
    assert suite.dead_letters.body(letters[0]) == data
    assert sum(events_of(audience(suite, "final")["windows"])) == 80

    suite.dead_letters.replay("events", [letters[0].record_id])
    deliver(suite, "aggregate")
    (again,) = suite.dead_letters.all()
    assert (again.record_id, told in again.reason) == (letters[0].record_id, True)
    assert suite.dead_letters.body(again) == data


def test_what_a_function_did_is_told_as_health(suite: Rig) -> None:
    post(suite, body_of(suite))
    deliver(suite, "aggregate")

    told = json.loads(ask(suite, "operations", "GET", "/v1/health").body)

    states = {function["name"]: function for function in told["functions"]}
    assert states["aggregate"]["last_seen"]
    assert states["ingest"]["last_seen"]
