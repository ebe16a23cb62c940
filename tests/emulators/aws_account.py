"""An AWS account on moto's server, as a deployment of the suite would have filled it."""

import os
from atexit import register
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import count
from secrets import token_hex
from threading import RLock
from typing import Any, Final, TypeVar

from adapters.aws.clients import Clients
from functions.manifest import FUNCTIONS
from lab.memory import MemorySecrets
from shared.ports import Clock
from shared.stream import EVENT_STREAM
from tests.emulators.event_source_mapping import KinesisShards, S3Destination, StreamMapping
from tests.emulators.moto_server import Moto, moto_server

T = TypeVar("T")

SHARDS: Final = 4
SECRETS: Final = ("pseudonym-keys", "dead-letter-key", "viewer-token", "write-keys", "publish-keys", "operator-keys")
FAILED: Final = "failed"


@cache
def moto() -> Moto:
    """The process's server, which ends with it."""
    stack = ExitStack()
    register(stack.close)
    return stack.enter_context(moto_server())


@cache
def deployer() -> Clients:
    """Those of whoever deploys, whom no fault meets."""
    return Clients(moto().environ("AKIADEPLOYMENT"))


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

    def make(self) -> None:
        """What is there from the start: buckets and secrets."""
        self._buckets()
        self._secrets()

    def mapping(self, function: str, clock: Clock) -> StreamMapping:
        """A function's event-source mapping, which outlives the function's instances."""
        self.stream(EVENT_STREAM)
        if function not in self._mappings:
            self._mappings[function] = StreamMapping(
                KinesisShards(self.clients.kinesis, f"{self.name}-{EVENT_STREAM}"),
                S3Destination(self.clients.s3, f"{self.bucket}-{FAILED}"),
                clock,
            )
        return self._mappings[function]

    def of(self, name: str) -> None:
        """Everything that a function of the manifest reads and writes."""
        function = next(each for each in FUNCTIONS if each.name == name)
        kinds: dict[str, Callable[[str], object]] = {"table": self.table, "stream": self.stream, "queue": self.queue}
        for each in sorted(function.hosted_reads | function.hosted_writes):
            kind, _, resource = each.partition(":")
            if kind in kinds:
                kinds[kind](resource)
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
            elsewhere: Any = {"CreateBucketConfiguration": {"LocationConstraint": self.clients.region}}
            self.clients.s3.create_bucket(Bucket=bucket, **({} if self.clients.region == "us-east-1" else elsewhere))
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


_numbers = count(1)


def fresh_environ() -> dict[str, str]:
    """The environment of a new deployment, under a name and with a key of its own."""
    name = f"g{os.getpid()}-{next(_numbers)}"
    return {
        **moto().environ(f"AKIA{token_hex(8).upper()}"),
        "GRANDSTAND_NAME": name,
        "GRANDSTAND_BUCKET": f"{name}-data",
        "GRANDSTAND_MAIL_FROM": f"news@{name}.example.com",
    }


def deployed(environ: dict[str, str]) -> Account:
    """The account in which it lies."""
    account = Account(environ["GRANDSTAND_NAME"], environ["GRANDSTAND_BUCKET"], deployer())
    account.make()
    account.clients.sesv2.create_email_identity(EmailIdentity=environ["GRANDSTAND_MAIL_FROM"])
    return account
