"""What a function's answers become for Lambda, and what its events become for a function."""

import json
from collections.abc import Callable, Sequence
from threading import Barrier
from typing import Any

import pytest

from adapters.aws.failed import Failed
from adapters.aws.messages import body_of, text_of
from adapters.aws.suite import Suite
from adapters.aws.triggers import NothingSettled, Queued, Streamed, read
from adapters.common.envelope import seal
from adapters.common.settling import Settler
from lab.memory import MemoryClock
from shared.dead_letters import DeadLetters
from shared.errors import Misconfigured, Unavailable
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE, Answer, Deadline, Message, NewRecord, Record, Reject, Retry
from tests.emulators.aws_account import FAILED, Account
from tests.emulators.event_source_mapping import Raw, S3Destination, StreamMapping
from tests.unit.aws.conftest import golden, vector

KEY = golden("s3-object-created.json")["Records"][0]["s3"]["object"]["key"]


class Office:
    """Dead letters that can be out of reach."""

    def __init__(self) -> None:
        self.letters: list[tuple[Record, str]] = []
        self.open = True

    def put(self, record: Record, reason: str, function: str) -> None:
        if not self.open:
            raise Unavailable("no dead letters today")
        self.letters.append((record, reason))


def streamed(
    answers: Callable[[Sequence[Record]], Sequence[Answer | None]], clock: MemoryClock, office: Office | None = None
) -> Streamed:
    def handler(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        return answers(records)

    return Streamed(Settler("aggregate", handler, office or Office()), clock)


def event_of(*records: bytes) -> Any:
    """A Kinesis event of these records."""

    class Source:
        def names(self) -> Sequence[str]:
            return ["shardId-000000000000"]

        def read(self, shard: str, after: str | None, limit: int) -> Sequence[Raw]:
            return [Raw(str(100 + number), "final#0", data) for number, data in enumerate(records)]

    class Nowhere:
        bucket = "nowhere"

        def put(self, key: str, body: bytes) -> None:
            raise AssertionError(key)

    from adapters.local.triggers import Terms

    seen: list[Any] = []
    StreamMapping(Source(), Nowhere(), MemoryClock()).poll(seen.append, Terms())
    return seen[0]


def sealed(number: int) -> bytes:
    return seal(NewRecord(number.to_bytes(16, "big"), "final#0", b"goal"), 1)


BATCH = event_of(*(sealed(number) for number in range(4)))


def test_a_batch_that_is_done_has_no_failures(clock: MemoryClock) -> None:
    assert streamed(lambda records: [DONE] * len(records), clock).handle(BATCH, NO_DEADLINE) == {
        "batchItemFailures": []
    }


def test_lambda_is_told_the_first_record_that_is_not_settled_and_no_other(clock: MemoryClock) -> None:
    told = streamed(lambda _: [DONE, Retry("away"), DONE, Retry("away")], clock).handle(BATCH, NO_DEADLINE)

    assert told == {"batchItemFailures": [{"itemIdentifier": "101"}]}


def test_a_missing_answer_is_no_success(clock: MemoryClock) -> None:
    told = streamed(lambda _: [DONE, DONE], clock).handle(BATCH, NO_DEADLINE)

    assert told == {"batchItemFailures": [{"itemIdentifier": "102"}]}


def test_a_batch_of_which_nothing_is_settled_is_an_error_so_that_lambda_splits_it(clock: MemoryClock) -> None:
    with pytest.raises(NothingSettled, match=r"aggregate: none of 4 records is settled: away"):
        streamed(lambda _: [Retry("away")], clock).handle(BATCH, NO_DEADLINE)


def test_a_rejected_record_is_settled_once_it_is_among_the_dead_letters(clock: MemoryClock) -> None:
    office = Office()
    consumer = streamed(lambda _: [DONE, Reject("unreadable"), DONE, DONE], clock, office)

    assert consumer.handle(BATCH, NO_DEADLINE) == {"batchItemFailures": []}
    office.open = False
    assert consumer.handle(BATCH, NO_DEADLINE) == {"batchItemFailures": [{"itemIdentifier": "101"}]}


def test_lambdas_remaining_time_is_the_deadline(clock: MemoryClock) -> None:
    seen: list[int] = []

    def handler(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer]:
        seen.append(deadline.remaining_ms())
        return [DONE] * len(records)

    Streamed(Settler("aggregate", handler, Office()), clock).handle(BATCH, Deadline(lambda: 1_234))

    assert seen == [1_234]


def test_records_of_the_documented_event_are_read_with_what_names_them(clock: MemoryClock) -> None:
    records, unreadable = read(vector("kinesisStreamEvent.json"), clock.now_ms())

    assert [record.body for record in records] == [b"Hello, this is a test.", b"This is only a test."]
    assert records[0].partition == "shardId-000000000006"
    assert records[0].position == "49590338271490256608559692538361571095921575989136588898"
    assert all("no record of ours" in why for why in unreadable.values())
    assert sorted(unreadable) == [0, 1]


def test_what_is_not_ours_goes_to_the_dead_letters_and_is_settled(clock: MemoryClock) -> None:
    office = Office()

    told = streamed(lambda records: [DONE] * len(records), clock, office).handle(
        vector("kinesisStreamEvent.json"), NO_DEADLINE
    )

    assert told == {"batchItemFailures": []}
    assert [record.body for record, _ in office.letters] == [b"Hello, this is a test.", b"This is only a test."]


@pytest.fixture
def given_up(account: Account) -> Any:
    """S3's event of the sample batch, which lies in the bucket."""
    event = golden("s3-object-created.json")
    bucket = f"{account.bucket}-{FAILED}"
    event["Records"][0]["s3"]["bucket"]["name"] = bucket
    S3Destination(account.clients.s3, bucket).put(KEY, json.dumps(golden("failed-batch.json")).encode())
    return event


def failed(suite: Suite, consumer: Streamed) -> Failed:
    return Failed(consumer, lambda: suite.clients.s3)


def left(account: Account) -> int:
    return int(account.clients.s3.list_objects_v2(Bucket=f"{account.bucket}-{FAILED}")["KeyCount"])


def test_what_lambda_gave_up_goes_whole_to_the_dead_letters(
    suite: Suite, account: Account, clock: MemoryClock, given_up: Any
) -> None:
    office = Office()

    failed(suite, streamed(lambda _: [], clock, office)).handle(given_up)

    (goal, why), (foreign, because) = sorted(office.letters, key=lambda letter: letter[0].key)
    assert (goal.record_id, goal.key, goal.body) == (b"\x01" * 16, "final#0", b"goal")
    assert goal.first_appended_at == 1_795_203_484_835
    assert why == "gave up after 101 attempts: its process ended, or failed"
    assert foreign.body == b"not ours"
    assert "no record of ours" in because
    assert left(account) == 0


def test_a_reason_that_this_instance_saw_is_told(
    suite: Suite, clock: MemoryClock, given_up: Any, account: Account
) -> None:
    office = Office()
    consumer = streamed(lambda _: [Retry("a store is away")], clock, office)
    with pytest.raises(NothingSettled):
        consumer.handle(json.loads(golden("failed-batch.json")["payload"]), NO_DEADLINE)

    failed(suite, consumer).handle(given_up)

    assert "gave up after 101 attempts: a store is away" in [reason for _, reason in office.letters]


def test_the_object_stays_until_every_record_is_safe(
    suite: Suite, account: Account, clock: MemoryClock, given_up: Any
) -> None:
    office = Office()
    burying = failed(suite, streamed(lambda _: [], clock, office))
    office.open = False

    with pytest.raises(Unavailable, match="it is tried again"):
        burying.handle(given_up)
    assert left(account) == 1

    office.open = True
    burying.handle(given_up)
    burying.handle(given_up)  # S3 tells some things twice
    assert len(office.letters) == 2
    assert left(account) == 0


def test_one_record_that_cannot_be_buried_holds_up_no_other_and_keeps_the_object(
    suite: Suite, account: Account, clock: MemoryClock, given_up: Any
) -> None:
    class Picky(Office):
        def put(self, record: Record, reason: str, function: str) -> None:
            if record.body == b"goal":
                raise Unavailable("no place for goals")
            super().put(record, reason, function)

    office = Picky()

    with pytest.raises(Unavailable, match="it is tried again"):
        failed(suite, streamed(lambda _: [], clock, office)).handle(given_up)

    assert [record.body for record, _ in office.letters] == [b"not ours"]
    assert left(account) == 1


def test_many_records_are_buried_at_once_and_none_is_lost(clock: MemoryClock) -> None:
    together = Barrier(2, timeout=30)

    class Slow(Office):
        def put(self, record: Record, reason: str, function: str) -> None:
            together.wait()
            super().put(record, reason, function)

    office = Slow()

    assert streamed(lambda _: [], clock, office).bury(event_of(*map(sealed, range(40))), "gave up", "no answer")

    assert sorted(record.record_id for record, _ in office.letters) == [n.to_bytes(16, "big") for n in range(40)]
    assert {reason for _, reason in office.letters} == {"gave up: no answer"}


@pytest.mark.parametrize("content", [b"a picture", b"{}", b'{"payload": "not JSON"}', b"[]"])
def test_another_object_in_the_bucket_stays_and_is_told(
    suite: Suite, account: Account, clock: MemoryClock, given_up: Any, content: bytes
) -> None:
    S3Destination(account.clients.s3, f"{account.bucket}-{FAILED}").put(KEY, content)

    with pytest.raises(Misconfigured, match="no batch that Lambda gave up"):
        failed(suite, streamed(lambda _: [], clock)).handle(given_up)

    assert left(account) == 1


class Host:
    """A queue's function that takes or refuses what it is handed."""

    def __init__(self, *takes: bool) -> None:
        self.takes = list(takes)
        self.seen: list[Message] = []

        class Named:
            name = "rebuild"

        self.function = Named

    def message(self, message: Message, deadline: Deadline) -> bool:
        self.seen.append(message)
        return self.takes.pop(0)


def queue_event(*bodies: bytes) -> Any:
    """An SQS event of these messages."""
    event = golden("sqs-postponed.json")
    (sample,) = event["Records"]
    return {
        "Records": [
            sample | {"messageId": str(number), "body": text_of(body), "messageAttributes": {}}
            for number, body in enumerate(bodies)
        ]
    }


class Later:
    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []

    def send_text(self, text: str, due: int) -> None:
        self.sent.append((text, due))


def test_messages_that_are_not_settled_are_named_and_only_they(clock: MemoryClock) -> None:
    event = vector("sqsEvent.json")
    host: Any = Host(True, False)

    told = Queued(host, Later(), clock).handle(event, NO_DEADLINE)

    assert told == {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}
    assert host.seen == [Message(b"Test message.", 1), Message(b'{"message": "foo1"}', 1)]


def test_all_messages_may_fail_without_an_error(clock: MemoryClock) -> None:
    host: Any = Host(False, False)

    told = Queued(host, Later(), clock).handle(vector("sqsEvent.json"), NO_DEADLINE)

    assert len(told["batchItemFailures"]) == 2


def test_a_message_that_is_not_due_yet_waits_on_in_the_queue(clock: MemoryClock) -> None:
    host: Any = Host(True)
    later = Later()
    queued = Queued(host, later, clock)

    assert queued.handle(golden("sqs-postponed.json"), NO_DEADLINE) == {"batchItemFailures": []}
    assert (host.seen, later.sent) == ([], [("e30=", 1_795_203_600_000)])

    clock.time_ms = 1_795_203_600_000
    queued.handle(golden("sqs-postponed.json"), NO_DEADLINE)
    assert host.seen == [Message(b"{}", 1)]


def test_near_the_end_of_its_time_messages_are_left_for_later(clock: MemoryClock) -> None:
    host: Any = Host(True, True)

    told = Queued(host, Later(), clock).handle(queue_event(b"one", b"two"), Deadline(lambda: 500))

    assert len(told["batchItemFailures"]) == 2
    assert host.seen == []


@pytest.mark.parametrize("body", [b"", b"\x00\xff", b"plain text", bytes(range(256))])
def test_a_body_is_what_it_was(body: bytes) -> None:
    assert text_of(body)
    assert body_of(text_of(body)) == body


def test_dead_letters_of_the_suite_take_what_was_given_up(
    suite: Suite, account: Account, clock: MemoryClock, given_up: Any
) -> None:
    account.of("aggregate")
    letters = DeadLetters(suite.ports, Settings())

    failed(suite, Streamed(Settler("aggregate", lambda records, deadline: [], letters), clock)).handle(given_up)

    assert letters.count() == 2
