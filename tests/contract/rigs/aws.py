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
from atexit import register
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import count
from pathlib import Path
from secrets import token_hex
from threading import RLock
from typing import Any, Final, TypeVar

from adapters.aws.clients import Clients
from adapters.aws.failed import Failed
from adapters.aws.main import Deployment
from adapters.aws.messages import body_of
from adapters.aws.suite import Suite
from adapters.aws.triggers import Streamed, sources
from adapters.common.envelope import open_record
from adapters.common.settling import Settler
from adapters.local.triggers import Delivery, Terms
from functions.manifest import Function, OnQueue, OnStream
from lab.memory import MemoryClock, MemorySecrets
from shared.dead_letters import DeadLetters
from shared.ports import Mail, Ports, Queue, Stream, Table
from shared.settings import Settings
from shared.stream import EVENT_STREAM, BatchHandler, Deadline, Message, Record
from tests.contract.rig import Fault, HttpAnswer, Rig
from tests.emulators.event_source_mapping import Invoke, KinesisShards, QueueMapping, S3Destination, StreamMapping
from tests.emulators.lambda_events import context, http_answer, http_event, schedule_event
from tests.emulators.moto_server import Moto, moto_server

T = TypeVar("T")

SETTINGS: Final = Settings()
SHARDS: Final = 4
SECRETS: Final = ("pseudonym-keys", "dead-letter-key", "viewer-token", "write-keys", "publish-keys", "operator-keys")
FAILED: Final = "failed"


@cache
def _moto() -> Moto:
    """The process's server, which ends with it."""
    stack = ExitStack()
    register(stack.close)
    return stack.enter_context(moto_server())


@cache
def _deployer() -> Clients:
    """Those of whoever deploys, whom no fault meets."""
    return Clients(_moto().environ("AKIADEPLOYMENT"))


@dataclass
class Account:
    """What a deployment makes: each resource when it is first asked for."""

    name: str
    bucket: str
    clients: Clients
    _undo: list[Callable[[], object]] = field(default_factory=list)
    _mappings: dict[str, StreamMapping] = field(default_factory=dict)
    _lock: Any = field(default_factory=RLock)

    def __post_init__(self) -> None:
        self.table = self._once(self._table)
        self.stream = self._once(self._stream)
        self.queue = self._once(self._queue)
        self._buckets()
        self._secrets()

    def _once(self, make: Callable[[str], T]) -> Callable[[str], T]:
        made = cache(make)

        def once(name: str) -> T:
            with self._lock:
                return made(name)

        return once

    def remove(self) -> None:
        """Take everything away again."""
        for undo in reversed(self._undo):
            undo()

    def mapping(self, function: str, clock: MemoryClock) -> StreamMapping:
        """A function's event-source mapping, which outlives the function's instances."""
        self.stream(EVENT_STREAM)
        if function not in self._mappings:
            self._mappings[function] = StreamMapping(
                KinesisShards(self.clients.kinesis, f"{self.name}-{EVENT_STREAM}"),
                S3Destination(self.clients.s3, f"{self.bucket}-{FAILED}"),
                clock,
            )
        return self._mappings[function]

    def of(self, function: Function) -> None:
        """Everything that a function reads and writes."""
        kinds: dict[str, Callable[[str], object]] = {"table": self.table, "stream": self.stream, "queue": self.queue}
        for each in sorted(function.hosted_reads | function.hosted_writes):
            kind, _, name = each.partition(":")
            if kind in kinds:
                kinds[kind](name)
        trigger: Any = function.trigger
        for kind, make in kinds.items():
            if hasattr(trigger, kind):
                make(getattr(trigger, kind))

    def _table(self, name: str) -> None:
        whole = f"{self.name}-{name}"
        self.clients.dynamodb.create_table(
            TableName=whole,
            KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "p", "AttributeType": "S"},
                {"AttributeName": "s", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        self.clients.dynamodb.get_waiter("table_exists").wait(TableName=whole, WaiterConfig={"Delay": 2})
        self._undo.append(lambda: self.clients.dynamodb.delete_table(TableName=whole))

    def _stream(self, name: str) -> None:
        whole = f"{self.name}-{name}"
        self.clients.kinesis.create_stream(StreamName=whole, ShardCount=SHARDS)
        self.clients.kinesis.get_waiter("stream_exists").wait(StreamName=whole, WaiterConfig={"Delay": 2})
        self._undo.append(lambda: self.clients.kinesis.delete_stream(StreamName=whole))

    def _queue(self, name: str) -> str:
        url = self.clients.sqs.create_queue(QueueName=f"{self.name}-{name}")["QueueUrl"]
        self._undo.append(lambda: self.clients.sqs.delete_queue(QueueUrl=url))
        return url

    def _buckets(self) -> None:
        for bucket in (self.bucket, f"{self.bucket}-{FAILED}"):
            configuration: Any = {"LocationConstraint": self.clients.region}
            self.clients.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=configuration)
            self._undo.append(partial(self._remove_bucket, bucket))

    def _remove_bucket(self, bucket: str) -> None:
        pages = self.clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for key in [each["Key"] for page in pages for each in page.get("Contents", ())]:
            self.clients.s3.delete_object(Bucket=bucket, Key=key)
        self.clients.s3.delete_bucket(Bucket=bucket)

    def _secrets(self) -> None:
        fresh = MemorySecrets()
        for name in SECRETS:
            self.set_secret(name, fresh.get(name))

    def set_secret(self, name: str, value: bytes) -> None:
        """Make a secret, or rotate it."""
        manager, whole = self.clients.secretsmanager, f"{self.name}/{name}"
        try:
            manager.create_secret(Name=whole, SecretString=value.decode())
        except manager.exceptions.ResourceExistsException:
            manager.put_secret_value(SecretId=whole, SecretString=value.decode())
        else:
            self._undo.append(partial(manager.delete_secret, SecretId=whole, ForceDeleteWithoutRecovery=True))


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
        account.of(self._function)

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


_numbers = count(1)


@contextmanager
def aws(folder: Path) -> Iterator[Rig]:
    """A rig against moto's server."""
    name = f"g{os.getpid()}-{next(_numbers)}"
    moto = _moto()
    environ = {
        **moto.environ(f"AKIA{token_hex(8).upper()}"),
        "GRANDSTAND_NAME": name,
        "GRANDSTAND_BUCKET": f"{name}-data",
        "GRANDSTAND_MAIL_FROM": f"news@{name}.example.com",
    }
    account = Account(name, environ["GRANDSTAND_BUCKET"], _deployer())
    account.clients.sesv2.create_email_identity(EmailIdentity=environ["GRANDSTAND_MAIL_FROM"])

    def mailbox() -> list[Mail]:
        return _mails(moto, environ["GRANDSTAND_MAIL_FROM"])

    yield _rig(account, environ, MemoryClock(), mailbox, lambda kind: moto.fault(environ["AWS_ACCESS_KEY_ID"], kind))


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


def _mails(moto: Moto, sender: str) -> list[Mail]:
    mails = []
    for each in moto.mails(sender):
        simple = each["Content"]["Simple"]
        html = simple["Body"].get("Html", {}).get("Data")
        (to,) = each["Destination"]["ToAddresses"]
        mails.append(Mail(to, simple["Subject"]["Data"], simple["Body"]["Text"]["Data"], html))
    return mails
