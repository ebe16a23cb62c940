"""What AWS' own limits, faults and errors become at the ports; `tests/contract` has what every provider promises."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.stub import Stubber

from adapters.aws.errors import refused
from adapters.aws.mailer import AwsMailer
from adapters.aws.secrets import secrets as secrets_of
from adapters.aws.stream import partition_key
from adapters.aws.suite import Suite
from adapters.aws.table import AwsTable
from adapters.common.kept_secrets import KEPT_SECONDS, TRY_AGAIN_SECONDS
from lab.memory import MemoryClock
from shared.errors import GrandstandError, Misconfigured, Throttled, Unavailable, VersionConflict
from shared.ports import ABSENT, MAX_VALUE_BYTES, Mail, Ports
from shared.settings import Settings
from shared.stream import NewRecord
from tests.emulators.aws_account import Account, moto

Environ = dict[str, str]


def fault(environ: Environ, kind: str) -> Any:
    return moto().fault(environ["AWS_ACCESS_KEY_ID"], kind)


def test_a_write_whose_answer_was_lost_is_no_conflict_with_itself(
    suite: Suite, account: Account, environ: Environ
) -> None:
    account.table("audience")
    table = suite.ports.table("audience")
    first = table.put("p", "s", b"1")

    with fault(environ, "lost"):
        second = table.put("p", "s", b"2", if_version=first)
    with fault(environ, "lost"):
        made = table.put("p", "new", b"3", if_version=ABSENT)
    with fault(environ, "lost"):
        table.delete("p", "new", if_version=made)

    item = table.get("p", "s")
    assert item is not None
    assert (item.value, item.version) == (b"2", second)
    assert table.get("p", "new") is None


def test_a_conflict_is_one_also_when_the_answer_was_lost(suite: Suite, account: Account, environ: Environ) -> None:
    account.table("audience")
    table = suite.ports.table("audience")
    table.put("p", "s", b"1")

    with fault(environ, "lost"), pytest.raises(VersionConflict):
        table.put("p", "s", b"2", if_version="another")
    with fault(environ, "lost"), pytest.raises(VersionConflict):
        table.delete("p", "s", if_version="another")


def test_a_store_that_is_busy_for_a_moment_is_asked_again(suite: Suite, account: Account, environ: Environ) -> None:
    account.table("audience")
    table, objects = suite.ports.table("audience"), suite.ports.objects("staging")
    objects.put("a", b"1")

    with fault(environ, "throttled-2"):
        table.put("p", "s", b"1")
    with fault(environ, "throttled-2"):
        assert objects.get("a") == b"1"

    assert table.get("p", "s") is not None


def test_what_one_batch_cannot_hold_is_asked_for_again(suite: Suite, account: Account) -> None:
    account.table("audience")
    table = suite.ports.table("audience")
    keys = [("p", f"{number:02d}") for number in range(70)]
    for partition, sort in keys:
        table.put(partition, sort, bytes(MAX_VALUE_BYTES))

    assert table.batch_get([*keys, *keys]).keys() == set(keys)


def test_dynamodb_deletes_an_item_no_earlier_than_it_expires_and_at_all(suite: Suite, account: Account) -> None:
    account.table("audience")
    table = suite.ports.table("audience")
    table.put("p", "passing", b"1", expires_at=1_795_200_000_001)
    table.put("p", "lasting", b"1")

    kept = suite.clients.dynamodb.scan(TableName=f"{account.name}-audience")["Items"]

    # its time to live is in seconds, and it takes a number that is years off for one of an item to keep
    assert {each["s"]["S"]: each.get("ttl") for each in kept} == {"passing": {"N": "1795200001"}, "lasting": None}


def test_a_batch_is_read_as_it_was_last_written(suite: Suite, clock: MemoryClock) -> None:
    stub, table = stubbed(suite, clock)
    keys = [{"p": {"S": "p"}, "s": {"S": "s"}}]
    stub.add_response("batch_get_item", READ, {"RequestItems": {"t": {"Keys": keys, "ConsistentRead": True}}})
    stub.add_response("get_item", {}, {"TableName": "t", "Key": keys[0], "ConsistentRead": True})

    with stub:
        assert table.batch_get([("p", "s")])
        assert table.get("p", "s") is None


def stubbed(suite: Suite, clock: MemoryClock) -> tuple[Stubber, AwsTable]:
    client = suite.clients.dynamodb
    return Stubber(client), AwsTable(lambda: client, "t", clock)


UNREAD: Any = {"Responses": {}, "UnprocessedKeys": {"t": {"Keys": [{"p": {"S": "p"}, "s": {"S": "s"}}]}}}
READ: Any = {
    "Responses": {"t": [{"p": {"S": "p"}, "s": {"S": "s"}, "v": {"B": b"1"}, "r": {"S": "1"}}]},
    "UnprocessedKeys": {},
}


def test_keys_that_were_left_unread_are_asked_for_again(suite: Suite, clock: MemoryClock) -> None:
    stub, table = stubbed(suite, clock)
    for answer in (UNREAD, UNREAD, READ):
        stub.add_response("batch_get_item", answer)

    with stub:
        assert table.batch_get([("p", "s")])["p", "s"].value == b"1"


def test_keys_that_stay_unread_are_a_clear_error(suite: Suite, clock: MemoryClock) -> None:
    stub, table = stubbed(suite, clock)
    for _ in range(8):
        stub.add_response("batch_get_item", UNREAD)

    with stub, pytest.raises(Throttled, match="the table t leaves 1 keys unread"):
        table.batch_get([("p", "s")])


MISSING: dict[str, Callable[[Ports], object]] = {
    "the table": lambda ports: ports.table("nowhere").get("p", "s"),
    "the stream": lambda ports: ports.stream("nowhere").append([NewRecord(bytes(16), "k", b"")]),
    "the queue": lambda ports: ports.queue("nowhere").send(b""),
    "the bucket": lambda ports: ports.objects("staging").put("a", b""),
    "the bucket, listed": lambda ports: list(ports.objects("staging").list()),
    "the bucket, read": lambda ports: ports.objects("staging").get("a"),
}


@pytest.mark.parametrize("what", MISSING)
def test_what_was_not_deployed_is_named(environ: Environ, what: str) -> None:
    ports = Suite(Settings(), environ).ports
    named = environ["GRANDSTAND_BUCKET"] if "bucket" in what else f"{environ['GRANDSTAND_NAME']}-nowhere"

    with pytest.raises(Misconfigured, match=rf"{what.partition(',')[0]} {named}.*AWS_REGION and GRANDSTAND_NAME"):
        MISSING[what](ports)


@pytest.mark.parametrize(
    ("left_out", "named"),
    [("GRANDSTAND_BUCKET", "GRANDSTAND_BUCKET is not set. Set it, for example"), ("AWS_REGION", "AWS_REGION is not")],
)
def test_a_missing_variable_is_named_before_anything_is_asked(
    environ: Environ, left_out: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    del environ[left_out]

    with pytest.raises(Misconfigured, match=named):
        Suite(Settings(), environ).ports.objects("staging").put("a", b"")


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (("ProvisionedThroughputExceededException", 400), Throttled, "slow down"),
        (("SlowDown", 503), Throttled, "slow down"),
        (("Oops", 429), Throttled, "slow down"),
        (("InternalServerError", 500), Unavailable, "cannot answer now"),
        (("ExpiredTokenException", 400), Misconfigured, "credential has expired"),
        (("UnrecognizedClientException", 400), Misconfigured, "does not know the credential"),
        (("AccessDeniedException", 400), Misconfigured, "policy does not allow"),
        (("RequestTimeTooSkewed", 403), Misconfigured, "clock is wrong"),
        (("KMS.ThrottlingException", 400), Throttled, "slow down"),
        (("ValidationException", 400), Misconfigured, "refuses what it is asked"),
    ],
)
def test_each_error_of_aws_is_one_of_ours_and_says_what_to_do(
    suite: Suite, clock: MemoryClock, answer: tuple[str, int], kind: type[GrandstandError], told: str
) -> None:
    stub, table = stubbed(suite, clock)
    stub.add_client_error("get_item", answer[0], "because", http_status_code=answer[1])

    with stub, pytest.raises(kind, match=rf"the table t\b.*{told}") as caught:
        table.get("p", "s")

    assert type(caught.value) is kind


def test_a_signature_that_is_out_of_date_is_a_wrong_clock() -> None:
    told = refused(
        "InvalidSignatureException", "Signature expired: 20261120 is now earlier than …", 403, "it", "here"
    )

    assert isinstance(told, Misconfigured)
    assert "clock is wrong" in str(told)


def test_an_endpoint_that_is_no_address_is_named(environ: Environ) -> None:
    environ["AWS_ENDPOINT_URL"] = "localhost:5000"
    ports = Suite(Settings(), environ).ports

    for ask in (lambda: ports.table("audience").get("p", "s"), lambda: ports.objects("staging").get("a")):
        with pytest.raises(Misconfigured, match=r"AWS_ENDPOINT_URL='localhost:5000' is no address"):
            ask()


def test_a_service_may_have_an_endpoint_of_its_own(environ: Environ) -> None:
    environ["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = "https://vpce-1.example"
    clients = Suite(Settings(), environ).clients

    assert clients.endpoint("secretsmanager") == "https://vpce-1.example"
    assert clients.endpoint("sqs") == environ["AWS_ENDPOINT_URL"]


def test_a_secret_that_was_deployed_without_a_value_is_told_how_to_get_one(suite: Suite, account: Account) -> None:
    suite.clients.secretsmanager.create_secret(Name=f"{account.name}/smtp-password")

    with pytest.raises(Misconfigured, match=r"smtp-password', or no value in it\. `grandstand init --cloud aws`"):
        suite.ports.secrets.get("smtp-password")


UNREACHED: dict[str, Callable[[Ports], object]] = {
    "the table": lambda ports: ports.table("audience").get("p", "s"),
    "the stream": lambda ports: ports.stream("events").append([NewRecord(bytes(16), "k", b"")]),
    "the queue": lambda ports: ports.queue("rebuild").send(b""),
    "the secret": lambda ports: ports.secrets.get("viewer-token"),
    "the bucket": lambda ports: ports.objects("staging").get("a"),
    "SES": lambda ports: ports.mailer().send([Mail("ada@viewers.example", "Half time", "…")]),
}


@pytest.mark.parametrize("what", UNREACHED)
def test_what_cannot_be_reached_may_be_later(environ: Environ, what: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{nobody.getsockname()[1]}"

        with pytest.raises(Unavailable, match=rf"^{what}.*reached"):
            UNREACHED[what](Suite(Settings(), environ).ports)


def test_records_go_in_calls_of_what_kinesis_takes(suite: Suite, account: Account, clock: MemoryClock) -> None:
    account.stream("events")
    client = suite.clients.kinesis
    sizes: list[tuple[int, int]] = []

    def count(params: Any, **_: Any) -> None:
        sizes.append((len(params["Records"]), sum(len(each["Data"]) for each in params["Records"])))

    client.meta.events.register("provide-client-params.kinesis.PutRecords", count)
    stream = suite.ports.stream("events")
    small = [NewRecord(number.to_bytes(16, "big"), "k", b"") for number in range(1_200)]
    large = [NewRecord(number.to_bytes(16, "big"), "k", bytes(1_000_000)) for number in range(6)]

    assert set(stream.append([*small, *large])) == {None}

    assert [count for count, _ in sizes] == [500, 500, 205, 1]
    assert all(size <= 5 * 1024 * 1024 for _, size in sizes)


def test_records_that_kinesis_refuses_fail_alone(suite: Suite, account: Account) -> None:
    client = suite.clients.kinesis
    answer: Any = {
        "FailedRecordCount": 1,
        "Records": [
            {"SequenceNumber": "1", "ShardId": "shardId-000000000000"},
            {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"},
        ],
    }
    with Stubber(client) as stub:
        stub.add_response("put_records", answer)
        results = suite.ports.stream("events").append(
            [NewRecord(bytes(16), "a", b""), NewRecord(bytes(16), "b", b"")]
        )

    assert results == [None, "ProvisionedThroughputExceededException: Rate exceeded"]


@pytest.mark.parametrize(
    ("code", "told"),
    [("ProvisionedThroughputExceededException", "slow down"), ("ExpiredTokenException", "has expired")],
)
def test_a_later_call_that_fails_leaves_what_the_first_took(suite: Suite, code: str, told: str) -> None:
    client = suite.clients.kinesis
    taken: Any = {"Records": [{"SequenceNumber": "1", "ShardId": "s"}] * 500}
    records = [NewRecord(number.to_bytes(16, "big"), "k", b"") for number in range(501)]
    with Stubber(client) as stub:
        stub.add_response("put_records", taken)
        stub.add_client_error("put_records", code)
        results = list(suite.ports.stream("events").append(records))

    assert results[:500] == [None] * 500
    assert told in str(results[500])


def test_a_key_that_kinesis_does_not_take_is_hashed() -> None:
    assert partition_key("final#0") == "final#0"
    assert partition_key("x" * 256) == "x" * 256
    assert len(partition_key("x" * 257)) == 32
    assert partition_key("x" * 257) != partition_key("y" * 257)
    assert partition_key("")


def test_a_secret_is_kept_for_a_minute_and_serves_on_while_there_is_no_answer(
    suite: Suite, account: Account, environ: Environ
) -> None:
    now = [0.0]
    secrets = secrets_of(lambda: suite.clients.secretsmanager, account.name, now=lambda: now[0])
    before = secrets.get("viewer-token")
    account.set_secret("viewer-token", b"rotated")

    now[0] = KEPT_SECONDS - 1
    assert secrets.get("viewer-token") == before
    now[0] = KEPT_SECONDS
    with fault(environ, "down"):
        assert secrets.get("viewer-token") == before
    assert secrets.get("viewer-token") == before
    now[0] += TRY_AGAIN_SECONDS
    assert secrets.get("viewer-token") == b"rotated"


def test_a_long_delay_travels_with_the_message(suite: Suite, account: Account, clock: MemoryClock) -> None:
    sent: list[Any] = []
    account.queue("reports")
    suite.clients.sqs.meta.events.register(
        "provide-client-params.sqs.SendMessage", lambda params, **_: sent.append(params)
    )
    queue = suite.ports.queue("reports")

    queue.send(b"soon", delay_seconds=900)
    queue.send(b"later", delay_seconds=3_600)

    assert [each["DelaySeconds"] for each in sent] == [900, 900]
    assert sent[0]["MessageAttributes"] == {}
    assert sent[1]["MessageAttributes"]["due"]["StringValue"] == str(clock.now_ms() + 3_600_000)
    for due, seconds in ((-1, 0), (1, 1), (1_001, 2), (900_001, 900)):
        queue.send_text("e30=", clock.now_ms() + due)  # type: ignore[attr-defined]
        assert (sent[-1]["DelaySeconds"], bool(sent[-1]["MessageAttributes"])) == (seconds, due > 900_000)
    with pytest.raises(ValueError, match="delay_seconds=-1"):
        queue.send(b"", delay_seconds=-1)


@pytest.mark.parametrize(
    ("code", "told"), [("TooManyRequestsException", "slow down"), ("ExpiredTokenException", "has expired")]
)
def test_mails_after_one_that_ses_had_no_answer_to_are_told_why(suite: Suite, code: str, told: str) -> None:
    client = suite.clients.sesv2
    mails = [Mail(f"{name}@viewers.example", "Half time", "…") for name in ("ada", "bea", "cor")]
    with Stubber(client) as stub:
        stub.add_response("send_email", {"MessageId": "1"})
        stub.add_client_error("send_email", code)
        results = AwsMailer(lambda: client, "news@example.com").send(mails)

    assert results[0] is None
    assert told in str(results[1])
    assert told in str(results[2])


def test_a_mail_that_ses_rejects_fails_alone(suite: Suite) -> None:
    client = suite.clients.sesv2
    with Stubber(client) as stub:
        stub.add_client_error("send_email", "MessageRejected", "Address is suppressed")
        results = AwsMailer(lambda: client, "news@example.com").send([Mail("ada@viewers.example", "Half time", "…")])

    assert results == ["MessageRejected: Address is suppressed"]


def test_threads_share_one_client(suite: Suite) -> None:
    with ThreadPoolExecutor(16) as threads:
        clients = set(threads.map(lambda _: id(suite.clients.dynamodb), range(64)))

    assert len(clients) == 1
