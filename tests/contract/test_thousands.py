"""Batches as large as any that a function asks for, of which a few records fail."""

from adapters.local.triggers import Delivery
from shared.stream import DONE, MAX_BODY_BYTES, NewRecord, Retry
from tests.contract.rig import Rig
from tests.contract.test_triggers import MINUTE, Function, goal, number

BATCH = 1_000
FAILING = {0, 499, 500, 999}


def test_of_a_thousand_records_those_that_cannot_be_taken_fail_alone(provider: Rig) -> None:
    too_large = bytes(MAX_BODY_BYTES + 1)
    records = [
        NewRecord(n.to_bytes(16, "big"), "match#0", too_large if n in FAILING else b"goal") for n in range(BATCH)
    ]

    results = provider.ports.stream("events").append(records)

    assert len(results) == BATCH
    assert {n for n, result in enumerate(results) if result is not None} == FAILING
    assert sorted(map(number, provider.appended())) == [n for n in range(BATCH) if n not in FAILING]


def test_of_a_thousand_records_only_what_is_not_done_comes_again(provider: Rig, delivery: Delivery) -> None:
    provider.append(*[goal(n, f"match-{n}#0") for n in range(BATCH)])
    function = Function(lambda record: Retry("a store is away") if number(record) in FAILING else DONE)
    consumer = provider.consumer(function, delivery, batch_records=BATCH)

    consumer.poll()
    assert not FAILING & set(function.done)

    function.rule = lambda _: DONE
    for _ in range(10):
        provider.clock.advance(10 * MINUTE)
        consumer.poll()
    assert set(function.done) == set(range(BATCH))
    assert provider.dead_letters.count() == 0
