"""Any interleaving of crashes, lost answers, redeliveries and refusing stores counts every record exactly once."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.local.triggers import Consumer, Delivery, Terms
from lab.faults import Crash, FaultyDelivery, Mishap, Plan, faulty
from lab.memory import MemorySuite
from shared.dead_letters import DeadLetters
from shared.errors import GrandstandError, Unavailable, VersionConflict
from shared.ports import ABSENT, Ports
from shared.settings import Settings
from shared.stream import DONE, Answer, Deadline, NewRecord, Record, Reject, Retry

POISON = b"poison"
SHY = b"raises an exception"


def record(number: int, body: bytes = b"goal") -> NewRecord:
    return NewRecord(number.to_bytes(16, "big"), f"match-{number % 5}#0", body)


class Tally:
    """Counts each record once, in the manner of `aggregate`: an effect and its mark are one conditional write."""

    def __init__(self, ports: Ports) -> None:
        self._table = ports.table("tally")

    def __call__(self, records: Sequence[Record], deadline: Deadline) -> Sequence[Answer]:
        answers: list[Answer] = []
        for each in records:
            if each.body == SHY:
                raise RuntimeError("a bug")
            answers.append(Reject("poison") if each.body == POISON else self._count(each))
        return answers

    def _count(self, each: Record) -> Answer:
        mark = each.record_id.hex().encode()
        while True:
            try:
                item = self._table.get("all", each.key)
                marks = item.value.split() if item else []
                if mark in marks:
                    return DONE
                version = item.version if item else ABSENT
                self._table.put("all", each.key, b" ".join([*marks, mark]), if_version=version)
            except VersionConflict:
                continue
            except Unavailable as error:
                return Retry(str(error))
            return DONE


class Host:
    """A machine on which the function's process may die at any step; the stores live on."""

    def __init__(self, plan: Plan, delivery: Delivery, batch: int) -> None:
        self.suite = MemorySuite(partitions=2)
        self.plan = plan
        self.delivery = delivery
        self.batch = batch
        self.start()

    def start(self) -> None:
        ports = faulty(self.suite.ports, self.plan)
        self.consumer = Consumer(
            "tally",
            Tally(ports),
            source=self.suite.stream("events"),
            progress=self.suite.progress("events"),
            dead_letters=DeadLetters(ports, Settings()),
            clock=self.suite.clock,
            terms=Terms(batch_records=self.batch, delivery=self.delivery, max_attempts=70),
            faults=FaultyDelivery(self.plan),
        )

    def poll(self) -> int:
        try:
            return self.consumer.poll()
        except Crash:
            self.start()
        except GrandstandError:
            pass
        finally:
            self.suite.clock.advance(60_000)
        return 1

    def settle(self) -> None:
        """Poll until there is nothing left to deliver."""
        quiet = 0
        for _ in range(3_000):
            quiet = 0 if self.poll() else quiet + 1
            if quiet > 30:
                return
        raise AssertionError("it never settles")

    def counted(self) -> list[str]:
        keys = [f"match-{n}#0" for n in range(5)]
        items = self.suite.ports.table("tally").batch_get([("all", key) for key in keys])
        return sorted(mark.decode() for item in items.values() for mark in item.value.split())


def send(host: Host, records: Sequence[NewRecord]) -> None:
    """As ingest does: append again, with the same ids, whatever is not known to be durable."""
    stream = faulty(host.suite.ports, host.plan).stream("events")
    waiting = list(records)
    while waiting:
        try:
            results = stream.append(waiting)
        except (Crash, GrandstandError):
            continue
        waiting = [each for each, result in zip(waiting, results, strict=True) if result is not None]


mishaps = st.lists(st.sampled_from(list(Mishap)), max_size=60)
bodies = st.lists(st.sampled_from([b"goal"] * 6 + [POISON, SHY]), min_size=1, max_size=16)


@given(
    mishaps, st.sampled_from(list(Delivery)), st.integers(1, 9), bodies, st.tuples(st.integers(0, 16), st.booleans())
)
@settings(max_examples=150, deadline=None)
def test_every_record_counts_once_or_lies_among_the_dead_letters(
    mishaps: list[Mishap], delivery: Delivery, batch: int, bodies: list[bytes], interlude: tuple[int, bool]
) -> None:
    half, rebuilt = interlude
    host = Host(Plan(mishaps), delivery, batch)
    records = [record(n, body) for n, body in enumerate(bodies)]

    send(host, records[:half])
    for _ in range(5):
        host.poll()
    if rebuilt:
        host.suite.stream("events").rebuild()
    send(host, records[half:])
    host.settle()

    assert host.counted() == [each.record_id.hex() for each in records if each.body not in (POISON, SHY)]
    letters = DeadLetters(host.suite.ports, Settings())
    dead = {letter.record_id: letters.body(letter) for letter in letters.all()}
    assert dead == {each.record_id.hex(): each.body for each in records if each.body in (POISON, SHY)}


@given(mishaps, st.sampled_from(list(Delivery)))
@settings(max_examples=50, deadline=None)
def test_replaying_dead_letters_over_and_over_counts_them_once(mishaps: list[Mishap], delivery: Delivery) -> None:
    host = Host(Plan(), delivery, 3)
    records = [record(n) for n in range(6)]
    letters = DeadLetters(host.suite.ports, Settings())
    send(host, records)
    for each in host.suite.stream("events").read("0", 0, 100, 1 << 20):
        letters.put(each, "by mistake", "tally")
    ids = [letter.record_id for letter in letters.all()]
    host.plan = Plan(mishaps)
    host.start()

    for _ in range(3):
        try:
            DeadLetters(faulty(host.suite.ports, host.plan), Settings()).replay("events", ids)
        except (Crash, GrandstandError):
            host.start()
        host.settle()
    letters.replay("events", ids)
    host.settle()

    assert host.counted() == [each.record_id.hex() for each in records]
    assert letters.count() == 0


def test_parked_records_are_forgotten_once_their_effects_are_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    suite = MemorySuite(partitions=1)
    progress, unpark = suite.progress("events"), suite.progress("events").unpark
    steps: list[str] = []
    answers: list[Answer] = [Retry("not yet"), DONE]

    def handle(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer]:
        steps.append("handle")
        return [answers.pop(0)]

    def forget(*arguments: Any) -> None:
        steps.append("forget")
        unpark(*arguments)

    monkeypatch.setattr(progress, "unpark", forget)
    consumer = Consumer(
        "tally",
        handle,
        source=suite.stream("events"),
        progress=progress,
        dead_letters=DeadLetters(suite.ports, Settings()),
        clock=suite.clock,
        terms=Terms(delivery=Delivery.EACH),
        flush=lambda: steps.append("sync"),
    )
    suite.ports.stream("events").append([record(1)])
    consumer.poll()
    suite.clock.advance(60_000)
    consumer.poll()

    assert steps == ["handle", "sync", "handle", "sync", "forget"]
