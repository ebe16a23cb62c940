"""The suite on what the synthesised stack makes in moto's account."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.aws.clients import Clients
from functions.manifest import FUNCTIONS
from lab.memory import START_MS
from tests.contract.rig import HttpAnswer, Rig
from tests.contract.test_functions import ask, body_of, deliver, expected, played, post, with_keys
from tests.emulators.moto_server import moto_server
from tests.infra.conftest import PLAIN, Assembly
from tests.infra.deployed import Account, Entry, deploy, rig
from tests.infra.permissions import Permissions

pytestmark = [pytest.mark.xdist_group("aws_stack"), pytest.mark.timeout(600)]


@dataclass
class Run:
    """A deployed stack whose every function has run, what came of it, and all that was asked of AWS for it."""

    account: Account
    rig: Rig
    permissions: Permissions
    played: dict[str, Any]
    answers: dict[str, HttpAnswer]
    rebuilt: int


@pytest.fixture(scope="module")
def run(assembly: Assembly) -> Iterator[Run]:
    """The stack, with the contract suite's batch played through it."""
    with moto_server() as moto:
        account = deploy(assembly.template(PLAIN), assembly.folder, moto)
        permissions = Permissions()
        made = with_keys(rig(account, permissions))
        measured = played(made)
        deliver(made, "watch")
        for name in ("merge_watch", "roll", "plan_fan_out", "compact", "dimensions"):
            made.entry(name).tick()
        answers = {
            "rebuild": ask(made, "operations", "POST", "/v1/rebuild"),
            "content": ask(made, "contents", "PUT", "/v1/contents/final", {"title": "Final"}),
            "watch time": ask(made, "viewers", "GET", "/v1/viewers/viewer-0/watch-time"),
            "preferences": ask(made, "preferences", "GET", "/v1/contents/final/also-watched"),
        }
        yield Run(account, made, permissions, measured, answers, made.entry("rebuild").work())


def test_the_same_batch_leaves_the_same_measures_and_history_as_everywhere(run: Run) -> None:
    assert len(run.played["rows"]) == 240
    for part, value in expected().items():
        assert run.played[part] == value


def test_every_other_function_answers_too(run: Run) -> None:
    assert {name: answer.status for name, answer in run.answers.items()} == {
        "rebuild": 202,
        "content": 201,
        "watch time": 200,
        "preferences": 200,
    }
    assert run.rebuilt == 1


def test_a_schedule_below_a_minute_repeats_within_the_time_it_was_given(run: Run) -> None:
    plan_fan_out = Entry(run.account, run.rig.clock, "plan_fan_out", run.permissions)
    plan_fan_out.tick()
    assert plan_fan_out.pauses in range(10, 13)  # every five seconds of a minute


def test_every_functions_role_allows_what_it_asked_of_aws(run: Run) -> None:
    assert set(run.permissions.watched) == {function.name for function in FUNCTIONS}
    assert run.permissions.refused == []


def test_what_a_role_does_not_allow_would_be_noticed(run: Run) -> None:
    elsewhere = Permissions()
    clients = Clients(run.account.environ("contents"))
    elsewhere.watch("contents", clients.session, run.account.policy("archive"))
    clients.dynamodb.get_item(TableName="grandstand-contents", Key={"p": {"S": "x"}, "s": {"S": "x"}})
    assert [(function, action) for function, action, _ in elsewhere.refused] == [("contents", "dynamodb:GetItem")]


def test_a_batch_that_lambda_gave_up_comes_back_by_its_rule_and_is_buried(run: Run) -> None:
    mapping = run.account.mapping("archive")
    failed = mapping["DestinationConfig"]["OnFailure"]["Destination"].rpartition(":")[2]
    key = f"aws/lambda/{mapping['UUID']}/shardId-000000000000/2026/11/20/batch"
    s3 = run.account.client("s3")
    s3.put_object(Bucket=failed, Key=key, Body=json.dumps(given_up(run)).encode())

    Entry(run.account, run.rig.clock, "archive", run.permissions).call(told_by_rule(run.account, failed, key))

    (letter,) = run.rig.dead_letters.all()
    assert letter.function == "archive"
    assert "gave up after 100 attempts" in letter.reason
    assert not s3.list_objects_v2(Bucket=failed, Prefix="aws/").get("KeyCount")
    assert run.permissions.refused == []


def given_up(run: Run) -> dict[str, Any]:
    """What Lambda writes of a batch: why, and the event it could not hand over."""
    post(run.rig, body_of(run.rig).replace(b"match-1", b"match-2"))
    kinesis, events = run.account.client("kinesis"), []
    for shard in kinesis.list_shards(StreamName="grandstand-events")["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName="grandstand-events", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )
        events += kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    newest = max(events, key=lambda each: int(each["SequenceNumber"]))
    return {
        "requestContext": {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 100},
        "payload": json.dumps({"Records": [as_lambda_has_it(newest)]}),
    }


def as_lambda_has_it(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "eventSource": "aws:kinesis",
        "eventID": f"shardId-000000000000:{record['SequenceNumber']}",
        "kinesis": {
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "data": b64encode(record["Data"]).decode(),
            "approximateArrivalTimestamp": START_MS / 1_000,
        },
    }


def told_by_rule(account: Account, bucket: str, key: str) -> Any:
    """What EventBridge makes of S3's event by the rule that the key fits."""
    events = account.client("events")
    for rule in events.list_rules()["Rules"]:
        (prefix,) = json.loads(rule["EventPattern"])["detail"]["object"]["key"]
        if key.startswith(prefix["prefix"]):
            (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            template: str = target["InputTransformer"]["InputTemplate"]
            assert target["InputTransformer"]["InputPathsMap"]["key"] == "$.detail.object.key"
            return json.loads(template.replace("<bucket>", bucket).replace("<key>", key))
    raise AssertionError(f"no rule tells anybody of {key}")
