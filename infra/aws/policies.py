"""What each function may do in AWS: what the manifest says it reads and writes, and nothing more.

Statements name resources as CloudFormation's `Fn::Sub` does: `${AWS::Partition}` and the like, and `${Bucket}`,
`${Key}`, `${Failed}`, `${Undelivered}`, `${Secret:name}`, `${Consumer:function}` for what AWS names itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from infra.aws.reading import has_fan_out

Statement = dict[str, Any]

TABLE_READS: Final = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query")
TABLE_WRITES: Final = ("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem")
"""With GetItem: whether a write whose answer was lost was done is read back."""
OBJECT_READS: Final = ("s3:GetObject",)
OBJECT_WRITES: Final = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject")
QUEUE_SENDS: Final = ("sqs:GetQueueUrl", "sqs:SendMessage")
QUEUE_TAKES: Final = (
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
)
STREAM_TAKES: Final = (
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)
CONSUMER_TAKES: Final = ("kinesis:DescribeStreamConsumer", "kinesis:SubscribeToShard")
LOG_WRITES: Final = ("logs:CreateLogStream", "logs:PutLogEvents")
KEY_USES: Final = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
SERVICES: Final = ("dynamodb", "kinesis", "lambda", "s3", "secretsmanager", "sqs")
"""Through which a function may use the key, and never by itself."""

FAILED_PREFIX: Final = "aws/lambda/"
"""Where Lambda puts the batches that it gave up; it takes no other."""
OF_ACCOUNT: Final = "${AWS::Region}:${AWS::AccountId}"


@dataclass(frozen=True, slots=True)
class Named:
    """How the suite's resources are called. `mail_from` is the address that mail comes from, where any is sent."""

    name: str
    mail_from: str | None = None

    def table(self, table: str) -> str:
        return f"arn:${{AWS::Partition}}:dynamodb:{OF_ACCOUNT}:table/{self.name}-{table}"

    def stream(self, stream: str) -> str:
        return f"arn:${{AWS::Partition}}:kinesis:{OF_ACCOUNT}:stream/{self.name}-{stream}"

    def queue(self, queue: str) -> str:
        return f"arn:${{AWS::Partition}}:sqs:{OF_ACCOUNT}:{self.name}-{queue}"

    def log_group(self, function: str) -> str:
        return f"arn:${{AWS::Partition}}:logs:{OF_ACCOUNT}:log-group:/aws/lambda/{self.name}-{function}"

    def identity(self, identity: str) -> str:
        return f"arn:${{AWS::Partition}}:ses:{OF_ACCOUNT}:identity/{identity}"


def statements(function: Mapping[str, Any], named: Named) -> list[Statement]:
    """The whole policy of one function of the manifest's JSON, in an order that keeps."""
    reads, writes = function["reads"], function["writes"]
    return [
        *_tables(reads, writes, named),
        *_objects(reads, writes),
        *_messages(writes, named),
        *_secrets(reads),
        *_mail(writes, named),
        *_trigger(function, named),
        allow(LOG_WRITES, [f"{named.log_group(function['name'])}:log-stream:*"]),
        _key(),
    ]


def allow(actions: Sequence[str], resources: Sequence[str], condition: Any = None) -> Statement:
    """One statement of a policy."""
    statement: Statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": sorted(resources)}
    return statement | ({"Condition": condition} if condition else {})


def _tables(reads: Sequence[str], writes: Sequence[str], named: Named) -> Iterator[Statement]:
    for actions, used in ((TABLE_READS, reads), (TABLE_WRITES, writes)):
        tables = [named.table(table) for table in _of("table", used)]
        if tables:
            yield allow(actions, tables)


def _objects(reads: Sequence[str], writes: Sequence[str]) -> Iterator[Statement]:
    for actions, used in ((OBJECT_READS, reads), (OBJECT_WRITES, writes)):
        folders = _folders(used)
        if folders:
            yield allow(actions, [f"arn:${{AWS::Partition}}:s3:::${{Bucket}}/{folder}/*" for folder in folders])
    listed = [f"{folder}/*" for folder in _folders([*reads, *writes])]
    if listed:
        # "if exists", so that a get of what is not there, which names no prefix, is answered 404 rather than 403
        prefixes = {"StringLikeIfExists": {"s3:prefix": listed}}
        yield allow(["s3:ListBucket"], ["arn:${AWS::Partition}:s3:::${Bucket}"], prefixes)


def _folders(used: Sequence[str]) -> list[str]:
    folders = {f"objects/{store}" for store in _of("objects", used)}
    return sorted(folders | ({"history"} if "history" in used else set()))


def _messages(writes: Sequence[str], named: Named) -> Iterator[Statement]:
    streams = [named.stream(stream) for stream in _of("stream", writes)]
    if streams:
        yield allow(["kinesis:PutRecords"], streams)
    queues = [named.queue(queue) for queue in _of("queue", writes)]
    if queues:
        yield allow(QUEUE_SENDS, queues)


def _secrets(reads: Sequence[str]) -> Iterator[Statement]:
    secrets = [f"${{Secret:{secret}}}" for secret in _of("secret", reads)]
    if secrets:
        yield allow(["secretsmanager:GetSecretValue"], secrets)


def _mail(writes: Sequence[str], named: Named) -> Iterator[Statement]:
    """An address is verified by itself or by its domain: whichever it is, only this address sends."""
    if "mail" in writes and named.mail_from:
        identities = {named.mail_from, named.mail_from.rpartition("@")[2]}
        sender = {"StringEquals": {"ses:FromAddress": named.mail_from}}
        yield allow(["ses:SendEmail"], [named.identity(each) for each in identities], sender)


def _trigger(function: Mapping[str, Any], named: Named) -> Iterator[Statement]:
    """What Lambda does in the function's name: take from a stream or a queue, and put away what it gave up."""
    trigger = function["trigger"]
    if trigger["kind"] == "stream":
        yield allow(STREAM_TAKES, [named.stream(trigger["stream"])])
        if has_fan_out(function):
            yield allow(CONSUMER_TAKES, [f"${{Consumer:{function['name']}}}"])
        failed = f"arn:${{AWS::Partition}}:s3:::${{Failed}}/{FAILED_PREFIX}*"
        yield allow(["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [failed])
        yield allow(["s3:ListBucket"], ["arn:${AWS::Partition}:s3:::${Failed}"])
        yield allow(["sqs:SendMessage"], ["${Undelivered}"])
    elif trigger["kind"] == "queue":
        # a long delay is waited for in pieces, so the message is sent again
        yield allow([*QUEUE_TAKES, *QUEUE_SENDS], [named.queue(trigger["queue"])])


def _key() -> Statement:
    via = [f"{service}.${{AWS::Region}}.amazonaws.com" for service in SERVICES]
    return allow(KEY_USES, ["${Key}"], {"StringEquals": {"kms:ViaService": via}})


def _of(kind: str, used: Sequence[str]) -> list[str]:
    return sorted(each.partition(":")[2] for each in used if each.startswith(f"{kind}:"))
