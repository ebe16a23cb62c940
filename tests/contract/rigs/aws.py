"""AWS, as moto's server has it.

Each rig has resources of its own, under a name of its own, made when they are first asked for as a deployment would
have made them; they lie in one account of one server that the process keeps.

With `--live aws` the same rig works in a real account: it needs AWS_REGION and a credential that may make and remove
Kinesis streams, DynamoDB tables, SQS queues, secrets and buckets. Take a sandbox account: each test takes a minute or
two and some cents, since real tables and streams take their time to come into being. Nothing that it did not make is
touched, and what it made it removes. E-mail needs GRANDSTAND_MAIL_FROM, an address that SES has verified; whether it
arrives is not looked at there, and no faults can be asked for.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import pytest

from adapters.aws.clients import Clients
from adapters.aws.failed import Failed
from adapters.aws.main import Deployment
from adapters.aws.messages import body_of
from adapters.aws.suite import Suite
from adapters.aws.triggers import Streamed, sources
from adapters.common.envelope import open_record
from adapters.common.settling import Settler
from adapters.local.triggers import Delivery, Terms
from functions.manifest import OnQueue, OnStream
from lab.memory import MemoryClock
from shared.dead_letters import DeadLetters
from shared.ports import Mail, Ports, Queue, Stream, Table
from shared.settings import Settings
from shared.stream import BatchHandler, Deadline, Message, Record
from tests.contract.rig import Fault, HttpAnswer, Rig
from tests.emulators.aws_account import Account, deployed, fresh_environ, moto
from tests.emulators.event_source_mapping import Invoke, QueueMapping, StreamMapping
from tests.emulators.lambda_events import context, http_answer, http_event, schedule_event

SETTINGS: Final = Settings()


@dataclass(frozen=True, slots=True)
class Received(Message):
    """A message that was received, and what settles it."""

    handle: str = ""


@dataclass(frozen=True)
class LambdaPoller:
    """A function behind its event-source mapping."""

    mapping: StreamMapping
    function: Invoke
    terms: Terms

    def poll(self) -> int:
        return self.mapping.poll(self.function, self.terms)


class LambdaEntry:
    """A function of the manifest as Lambda calls it."""

    def __init__(self, account: Account, environ: Mapping[str, str], clock: MemoryClock, name: str) -> None:
        self._account = account
        self._clock = clock
        self._deployment = Deployment(
            {**environ, "GRANDSTAND_FUNCTION": name},
            clock=clock,
            sleep=lambda seconds: clock.advance(round(1_000 * seconds)),
        )
        self._function = self._deployment.function
        account.of(name)

    def http(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        return HttpAnswer(*http_answer(self._call(http_event(method, target, headers or {}, body))))

    def deliver(self) -> int:
        trigger = self._function.trigger
        assert isinstance(trigger, OnStream)
        terms = Terms(batch_records=trigger.batch_records)
        return self._account.mapping(self._function.name, self._clock).poll(self._call, terms)

    def work(self) -> int:
        trigger = self._function.trigger
        assert isinstance(trigger, OnQueue)
        return QueueMapping(self._account.clients.sqs, self._account.queue(trigger.queue)).poll(self._call)

    def tick(self) -> None:
        self._call(schedule_event())

    def _call(self, event: Any) -> Any:
        try:
            return self._deployment.handle(event, context(self._clock, self._function.timeout_seconds), {})
        finally:
            self._deployment.hosted.rest()


class SqsReceiver:
    """How SQS hands out a queue's messages."""

    def __init__(self, account: Account, queue: str) -> None:
        self._sqs = account.clients.sqs
        self._url = account.queue(queue)

    def receive(self, limit: int = 10, lease_ms: int = 30_000) -> Sequence[Received]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=limit,
            VisibilityTimeout=-(-lease_ms // 1_000),
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [
            Received(body_of(each["Body"]), int(each["Attributes"]["ApproximateReceiveCount"]), each["ReceiptHandle"])
            for each in answer.get("Messages", ())
        ]

    def settle(self, message: Message) -> None:
        assert isinstance(message, Received)
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.handle)


class Provided:
    """A suite's ports whose resources are there when they are asked for."""

    def __init__(self, account: Account, ports: Ports) -> None:
        self._account = account
        self._ports = ports

    def ports(self) -> Ports:
        return replace(self._ports, table=self._table, stream=self._stream, queue=self._queue)

    def _table(self, name: str) -> Table:
        self._account.table(name)
        return self._ports.table(name)

    def _stream(self, name: str) -> Stream:
        self._account.stream(name)
        return self._ports.stream(name)

    def _queue(self, name: str) -> Queue:
        self._account.queue(name)
        return self._ports.queue(name)


@contextmanager
def aws(folder: Path) -> Iterator[Rig]:
    """A rig against moto's server."""
    environ = fresh_environ()
    account = deployed(environ)

    def mailbox() -> list[Mail]:
        return _mails(environ["GRANDSTAND_MAIL_FROM"])

    yield _rig(
        account, environ, MemoryClock(), mailbox, lambda kind: moto().fault(environ["AWS_ACCESS_KEY_ID"], kind)
    )


@contextmanager
def live(folder: Path) -> Iterator[Rig]:
    """A rig in the account, and the region, that boto3 finds; what it makes there it removes again."""
    name = f"grandstand-test-{token_hex(4)}"
    environ = {"GRANDSTAND_MAIL_FROM": "nobody@example.com", **os.environ}
    environ |= {"GRANDSTAND_NAME": name, "GRANDSTAND_BUCKET": f"{name}-data"}
    account = Account(name, environ["GRANDSTAND_BUCKET"], Clients(os.environ))
    try:
        account.make()
        yield _rig(account, environ, MemoryClock(), _not_looked_at, None)
    finally:
        account.remove()


def _not_looked_at() -> Sequence[Mail]:
    pytest.skip("in a real account nobody looks into the mailboxes that SES sends to")


def _rig(
    account: Account,
    environ: Mapping[str, str],
    clock: MemoryClock,
    mailbox: Callable[[], Sequence[Mail]],
    fault: Fault | None,
) -> Rig:
    suite = Suite(SETTINGS, environ, clock=clock)

    def pass_time(milliseconds: int) -> None:
        time.sleep(milliseconds / 1_000)
        clock.advance(milliseconds)

    def smuggle(data: bytes) -> None:
        account.stream("events")
        account.clients.kinesis.put_record(StreamName=f"{account.name}-events", Data=data, PartitionKey="other")

    ports = Provided(account, suite.ports).ports()

    def host(handler: BatchHandler, terms: Terms) -> LambdaPoller:
        settler = Settler("counter", handler, DeadLetters(ports, SETTINGS))
        streamed = Streamed(settler, clock)
        failed = Failed(streamed, lambda: suite.clients.s3)

        def function(event: Any) -> Any:
            if sources(event) == ["aws:s3"]:
                return failed.handle(event)
            return streamed.handle(
                event, Deadline(context(clock, terms.timeout_ms // 1_000).get_remaining_time_in_millis)
            )

        return LambdaPoller(account.mapping("counter", clock), function, terms)

    def entry(name: str) -> LambdaEntry:
        return LambdaEntry(account, environ, clock, name)

    return Rig(
        name="aws",
        ports=ports,
        clock=clock,
        deliveries=(Delivery.ORDERED,),
        appended=lambda: _appended(account, clock),
        host=host,
        receiver=lambda queue: SqsReceiver(account, queue),
        entry=entry,
        mailbox=mailbox,
        reopen=lambda: _rig(account, environ, clock, mailbox, fault),
        set_secret=account.set_secret,
        pass_time=pass_time,
        smuggle=smuggle,
        fault=fault,
    )


def _appended(account: Account, clock: MemoryClock) -> list[Record]:
    """Every record in the stream `events`, shard after shard."""
    account.stream("events")
    kinesis, name = account.clients.kinesis, f"{account.name}-events"
    records = []
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while True:
            page = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
            for each in page["Records"]:
                record, problem = open_record(
                    each["Data"],
                    partition=shard["ShardId"],
                    position=each["SequenceNumber"],
                    attempt=None,
                    now_ms=clock.now_ms(),
                )
                assert problem is None
                records.append(record)
            iterator = page["NextShardIterator"]
            if not page["Records"] and not page["MillisBehindLatest"]:
                break
    return records


def _mails(sender: str) -> list[Mail]:
    mails = []
    for each in moto().mails(sender):
        simple = each["Content"]["Simple"]
        html = simple["Body"].get("Html", {}).get("Data")
        (to,) = each["Destination"]["ToAddresses"]
        mails.append(Mail(to, simple["Subject"]["Data"], simple["Body"]["Text"]["Data"], html))
    return mails
