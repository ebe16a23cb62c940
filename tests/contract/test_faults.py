"""Stores that refuse, fail or do not answer: a clear error after a few tries, and nothing lost."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import Throttled, Unavailable
from shared.ports import Mail, Ports
from shared.stream import NewRecord
from tests.contract.rig import Fault, Rig
from tests.contract.test_functions import WRITE, audience, body_of, deliver, events_of, post, with_keys

KINDS = {"throttled": Throttled, "broken": Unavailable, "down": Unavailable}

ASKED: dict[str, Callable[[Ports], object]] = {
    "a table's get": lambda ports: ports.table("audience").get("p", "s"),
    "a table's batch get": lambda ports: ports.table("audience").batch_get([("p", "s"), ("q", "s")]),
    "a table's put": lambda ports: ports.table("audience").put("p", "s", b"1"),
    "a table's delete": lambda ports: ports.table("audience").delete("p", "s"),
    "a table's query": lambda ports: ports.table("audience").query("p"),
    "an object's get": lambda ports: ports.objects("staging").get("a"),
    "an object's put": lambda ports: ports.objects("staging").put("a", b"1"),
    "an object's delete": lambda ports: ports.objects("staging").delete("a"),
    "a list of objects": lambda ports: list(ports.objects("staging").list()),
    "a queue's send": lambda ports: ports.queue("reports").send(b"build"),
    "a secret": lambda ports: ports.secrets.get("viewer-token"),
}


pytestmark = pytest.mark.fallible


@pytest.fixture
def fault(provider: Rig) -> Fault:
    assert provider.fault is not None
    return provider.fault


@pytest.mark.parametrize("kind", KINDS)
def test_every_port_says_that_its_store_cannot_answer_and_works_again_afterwards(
    provider: Rig, fault: Fault, kind: str
) -> None:
    ports = provider.ports

    def outcome(name: str) -> Exception | None:
        try:
            ASKED[name](ports)
        except Exception as error:
            return error
        return None

    # their clients and resources are there, as in the midst of a match; the secret has not been read yet
    for name in ASKED.keys() - {"a secret"}:
        assert outcome(name) is None, name
    with fault(kind), ThreadPoolExecutor(len(ASKED)) as threads:
        outcomes = dict(zip(ASKED, threads.map(outcome, ASKED), strict=True))

    assert {name: isinstance(error, KINDS[kind]) for name, error in outcomes.items()} == dict.fromkeys(ASKED, True)
    assert all(str(error) for error in outcomes.values())
    assert {name: outcome(name) for name in ASKED} == dict.fromkeys(ASKED)


@pytest.mark.parametrize("kind", KINDS)
def test_no_record_counts_as_appended_that_the_stream_did_not_take(provider: Rig, fault: Fault, kind: str) -> None:
    records = [NewRecord(number.to_bytes(16, "big"), f"match-{number}#0", b"goal") for number in range(10)]
    provider.append(records[0])

    with fault(kind):
        try:
            results = list(provider.ports.stream("events").append(records[1:]))
        except Unavailable as error:
            results = [error.detail] * 9

    assert all(results)
    provider.append(*records[1:])
    assert {each.record_id for each in provider.appended()} == {each.record_id for each in records}


def test_a_secret_that_was_read_serves_on_while_its_store_is_down(provider: Rig, fault: Fault) -> None:
    before = provider.ports.secrets.get("viewer-token")

    with fault("down"):
        assert provider.ports.secrets.get("viewer-token") == before


def test_mails_that_were_not_taken_are_told(provider: Rig, fault: Fault) -> None:
    mailer = provider.ports.mailer()
    assert list(mailer.send([Mail("ada@viewers.example", "Half time", "…")])) == [None]

    with fault("down"):
        try:
            results = list(mailer.send([Mail("bea@viewers.example", "Half time", "…")]))
        except Unavailable as error:
            results = [error.detail]

    assert all(results)
    assert [mail.to for mail in provider.mailbox()] == ["ada@viewers.example"]


def test_a_sender_is_told_to_try_again_while_the_stream_is_down(provider: Rig, fault: Fault) -> None:
    suite = with_keys(provider)
    ingest = suite.entry("ingest")
    answer = ingest.http("POST", "/v1/events", headers=WRITE, body=b"[]")  # reads the keys
    with fault("down"):
        refused = ingest.http("POST", "/v1/events", headers=WRITE, body=body_of(suite))

    assert answer.status == 422
    assert refused.status == 503
    assert int(refused.headers["retry-after"]) > 0
    assert json.loads(refused.body)["detail"]
    assert ingest.http("POST", "/v1/events", headers=WRITE, body=body_of(suite)).status == 202


def test_what_comes_while_the_tables_are_down_is_counted_once_afterwards(provider: Rig, fault: Fault) -> None:
    suite = with_keys(provider)
    post(suite, body_of(suite))
    aggregate = suite.entry("aggregate")

    with fault("throttled"):
        aggregate.deliver()

    for _ in range(8):
        suite.clock.advance(10_000)
        aggregate.deliver()
    deliver(suite, "aggregate")
    assert sum(events_of(audience(suite, "final")["windows"])) == 80
    assert suite.dead_letters.count() == 0
