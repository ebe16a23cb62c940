"""What each function may do in AWS, against what the manifest says."""

import json
from typing import Any

import pytest

from infra.aws.policies import FAILED_PREFIX, Named, statements
from infra.manifest import PATH

FUNCTIONS = {one["name"]: one for one in json.loads(PATH.read_bytes())["functions"]}
NAMED = Named("grandstand", "match@example.com")


def policy(name: str) -> list[dict[str, Any]]:
    return statements(FUNCTIONS[name], NAMED)


def resources(made: list[dict[str, Any]], action: str) -> set[str]:
    """The ends of what an action is allowed on."""
    return {resource.rpartition(":")[2] for one in made if action in one["Action"] for resource in one["Resource"]}


def objects(made: list[dict[str, Any]], action: str) -> set[str]:
    """The objects that an action is allowed on."""
    return {resource.partition(":::")[2] for one in made if action in one["Action"] for resource in one["Resource"]}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_reads_and_writes_its_own_tables_and_no_other(name: str) -> None:
    function, made = FUNCTIONS[name], policy(name)
    read = {f"table/grandstand-{one[6:]}" for one in function["reads"] if one.startswith("table:")}
    written = {f"table/grandstand-{one[6:]}" for one in function["writes"] if one.startswith("table:")}
    assert resources(made, "dynamodb:Query") == read
    assert resources(made, "dynamodb:PutItem") == written
    assert resources(made, "dynamodb:GetItem") == read | written


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_reads_and_writes_its_own_folders_and_no_other(name: str) -> None:
    function, made = FUNCTIONS[name], policy(name)

    def folders(used: list[str]) -> set[str]:
        stores = {f"${{Bucket}}/objects/{one[8:]}/*" for one in used if one.startswith("objects:")}
        return stores | ({"${Bucket}/history/*"} if "history" in used else set())

    consumes = function["trigger"]["kind"] == "stream"
    put_away = {f"${{Failed}}/{FAILED_PREFIX}*"} if consumes else set()
    assert objects(made, "s3:GetObject") == folders(function["reads"]) | put_away
    assert objects(made, "s3:PutObject") == folders(function["writes"]) | put_away


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_reads_its_own_secrets_and_no_other(name: str) -> None:
    read = {f"{one[7:]}}}" for one in FUNCTIONS[name]["reads"] if one.startswith("secret:")}
    assert resources(policy(name), "secretsmanager:GetSecretValue") == read


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_is_allowed_on_everything_and_no_action_is_a_pattern(name: str) -> None:
    for statement in policy(name):
        assert statement["Effect"] == "Allow"
        assert "*" not in statement["Resource"]
        assert not any("*" in action for action in statement["Action"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_writes_its_own_log_and_uses_the_key_through_services_only(name: str) -> None:
    made = policy(name)
    (log,) = [one for one in made if "logs:PutLogEvents" in one["Action"]]
    assert log["Resource"] == [f"{NAMED.log_group(name)}:log-stream:*"]
    (key,) = [one for one in made if "kms:Decrypt" in one["Action"]]
    assert key["Resource"] == ["${Key}"]
    assert set(key["Condition"]["StringEquals"]) == {"kms:ViaService"}


def test_only_what_appends_may_put_records_and_only_consumers_may_read_them() -> None:
    appends = {name for name in FUNCTIONS if resources(policy(name), "kinesis:PutRecords")}
    takes = {name for name in FUNCTIONS if resources(policy(name), "kinesis:GetRecords")}
    assert appends == {name for name, one in FUNCTIONS.items() if "stream:events" in one["writes"]}
    assert takes == {name for name, one in FUNCTIONS.items() if one["trigger"]["kind"] == "stream"}


def test_only_what_waits_for_nothing_has_a_pipe_of_its_own() -> None:
    piped = {name for name in FUNCTIONS if resources(policy(name), "kinesis:SubscribeToShard")}
    assert piped == {"aggregate"}


def test_a_queues_consumer_takes_from_it_and_may_send_what_is_not_due_again() -> None:
    made = policy("rebuild")
    assert resources(made, "sqs:ReceiveMessage") == resources(made, "sqs:SendMessage") == {"grandstand-rebuild"}
    assert resources(policy("operations"), "sqs:SendMessage") == {"grandstand-rebuild"}
    assert not resources(policy("operations"), "sqs:ReceiveMessage")


def test_what_sends_mail_sends_from_one_address_only() -> None:
    sender = {**FUNCTIONS["operations"], "writes": ["mail"]}
    (statement,) = [one for one in statements(sender, NAMED) if "ses:SendEmail" in one["Action"]]
    assert {each.rpartition("/")[2] for each in statement["Resource"]} == {"example.com", "match@example.com"}
    assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": "match@example.com"}}
    assert not any("ses:SendEmail" in one["Action"] for one in statements(sender, Named("grandstand")))
