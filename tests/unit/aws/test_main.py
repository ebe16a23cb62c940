"""Lambda's entry: which event goes where, what is loaded when, and what an invocation tells of itself."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest

from adapters.aws.main import Deployment, _deployed, handler
from adapters.aws.suite import Suite
from adapters.aws.telemetry import Telemetry
from adapters.common.hosting import Hosted
from lab.memory import MemoryClock
from shared.errors import Misconfigured
from shared.health.meter import Meters
from shared.settings import Settings
from tests.emulators.aws_account import Account
from tests.emulators.lambda_events import context, http_event, schedule_event
from tests.unit.aws.conftest import vector

HTTP = http_event("GET", "/healthz", {}, b"")


def deployment(environ: dict[str, str], account: Account, name: str) -> Deployment:
    account.of(name)
    return Deployment({**environ, "GRANDSTAND_FUNCTION": name}, clock=MemoryClock(), sleep=lambda _: None)


@pytest.mark.parametrize(
    "event", [{}, {"hello": "world"}, {"Records": []}, {"Records": [{"eventSource": "aws:sns"}]}]
)
def test_an_event_that_nobody_knows_is_an_error(environ: dict[str, str], account: Account, event: Any) -> None:
    function = deployment(environ, account, "roll")

    with pytest.raises(Misconfigured, match="The function roll was started by an event that it does not know"):
        function.handle(event, context(MemoryClock()), {})


def test_an_event_of_another_service_is_no_schedule(environ: dict[str, str], account: Account) -> None:
    with pytest.raises(Misconfigured, match="detail-type"):
        deployment(environ, account, "roll").handle(vector("eventBridgeEvent.json"), context(MemoryClock()), {})


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("roll", HTTP),
        ("ingest", schedule_event()),
        ("aggregate", schedule_event("aws.events")),
        ("aggregate", HTTP),
        ("aggregate", {"Records": [{"eventSource": "aws:sqs"}]}),
    ],
)
def test_an_event_of_another_trigger_is_an_error_that_names_both(
    environ: dict[str, str], account: Account, name: str, event: Any
) -> None:
    with pytest.raises(Misconfigured, match=rf"{name} is .*GRANDSTAND_FUNCTION"):
        deployment(environ, account, name).handle(event, context(MemoryClock()), {})


def test_the_documented_records_that_are_not_ours_reach_the_dead_letters(
    environ: dict[str, str], account: Account
) -> None:
    function = deployment(environ, account, "aggregate")
    times: dict[str, int] = {}

    answer = function.handle(vector("kinesisStreamEvent.json"), context(MemoryClock()), times)

    assert answer == {"batchItemFailures": []}
    assert times["IteratorAge"] > 0


def test_each_instance_has_a_name_of_its_own_also_after_a_snapshot(environ: dict[str, str], account: Account) -> None:
    # a snapshot is taken before the first call, and `_deployed` makes the ports at that
    instances = {deployment(environ, account, "roll").suite.ports.meter.instance for _ in range(2)}

    assert len(instances) == 2


def loaded(code: str, **environ: str) -> set[str]:
    """What a fresh process has imported after `code`."""
    told = f"{code}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    process = subprocess.run(
        [sys.executable, "-c", told], env={**os.environ, **environ}, capture_output=True, text=True, check=True
    )
    return set(json.loads(process.stdout))


def test_nothing_of_aws_is_imported_until_it_is_needed() -> None:
    modules = loaded("import adapters.aws.main")

    assert not {"boto3", "botocore", "libcloud", "mangum", "aws_lambda_powertools"} & modules


def test_a_start_on_lambda_imports_what_its_first_call_needs_and_no_more() -> None:
    surroundings = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9", "GRANDSTAND_FUNCTION": "aggregate"}

    modules = loaded("import adapters.aws.main", **surroundings)

    assert {"boto3", "aws_lambda_powertools", "functions.aggregate.handler"} <= modules
    assert not {"mangum", "awscrt", "pydantic", "deltalake", "pyarrow", "functions.http.app"} & modules


def test_an_invocation_tells_what_it_did_as_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    meter = Meters()("aggregate")
    telemetry = Telemetry("aggregate", meter)
    meter.count(events_in=5)

    with telemetry.invocation(context(MemoryClock())) as times:
        meter.count(events_in=7, events_out=6)
        times["IteratorAge"] = 120
    with pytest.raises(ZeroDivisionError), telemetry.invocation(context(MemoryClock())):
        raise ZeroDivisionError

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line)
    assert (first["EventsIn"], first["EventsOut"], first["Failures"]) == ([7.0], [6.0], [0.0])
    assert (first["IteratorAge"], first["service"]) == ([120.0], "aggregate")
    assert (second["EventsIn"], second["Failures"]) == ([0.0], [1.0])
    names = {each["Name"] for each in first["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert names == {"EventsIn", "EventsOut", "Failures", "IteratorAge"}


@pytest.mark.parametrize("event", [schedule_event(), {"hello": "world"}])
def test_health_is_told_at_the_end_of_every_call_also_of_one_that_failed(
    environ: dict[str, str], account: Account, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**environ, "GRANDSTAND_FUNCTION": "compact"}.items():
        monkeypatch.setenv(name, value)
    account.of("compact")
    rested: list[str] = []
    monkeypatch.setattr(Hosted, "rest", lambda hosted: rested.append(hosted.function.name))
    _deployed.cache_clear()

    with suppress(Misconfigured):
        handler(event, context(MemoryClock(), 1))

    _deployed.cache_clear()
    assert rested == ["compact"]


def test_the_history_lies_in_the_bucket_and_its_credential_is_the_environments(environ: dict[str, str]) -> None:
    uri, options = Suite(Settings(), environ).ports.history_uri()

    assert uri == f"s3://{environ['GRANDSTAND_BUCKET']}/history"
    assert options["aws_access_key_id"] == environ["AWS_ACCESS_KEY_ID"]
    assert options["aws_endpoint"] == environ["AWS_ENDPOINT_URL"]


def test_a_roles_credential_is_left_to_delta_rs_which_renews_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAROLE")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("GRANDSTAND_BUCKET", "data")

    _, options = Suite(Settings(), os.environ).ports.history_uri()

    assert options == {"aws_region": "eu-west-1", "aws_conditional_put": "etag"}
