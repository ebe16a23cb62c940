"""Lambda's own runtime client runs a function of each kind, its data in moto.

`LambdaStage` takes the folder to run from: here the source tree with its libraries, elsewhere an unpacked package.
"""

import json
import sysconfig
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import zstandard

from adapters.aws.suite import Suite, SystemClock
from adapters.local.triggers import Terms
from shared.dead_letters import DeadLetters
from shared.settings import Settings
from tests.emulators.aws_account import Account, deployed, fresh_environ
from tests.emulators.event_source_mapping import Invoke, QueueMapping
from tests.emulators.lambda_events import http_answer, http_event, schedule_event
from tests.emulators.lambda_runtime import Ended, LambdaFunction, lambda_function

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"write-keys": {"web": "write"}, "operator-keys": {"ops": "operator"}}
WRITE = {"content-type": "application/json", "authorization": "Bearer write"}
OPERATOR = {"authorization": "Bearer operator"}


@dataclass
class LambdaStage:
    """A deployment whose functions run from `folder`; `libraries` is what the folder does not hold."""

    folder: Path = ROOT
    libraries: Sequence[Path] = (Path(sysconfig.get_path("purelib")),)
    environ: dict[str, str] = field(default_factory=fresh_environ)
    account: Account = field(init=False)

    def __post_init__(self) -> None:
        self.account = deployed(self.environ)
        for name, value in KEYS.items():
            self.account.set_secret(name, json.dumps(value).encode())

    def start(self, name: str, **environ: str) -> AbstractContextManager[LambdaFunction]:
        """A fresh instance of a function of the manifest."""
        self.account.of(name)
        told = {**self.environ, "GRANDSTAND_FUNCTION": name, **environ}
        return lambda_function(self.folder, told, libraries=self.libraries)

    @property
    def suite(self) -> Suite:
        return Suite(Settings(), self.environ)


@pytest.fixture
def stage() -> LambdaStage:
    return LambdaStage()


def viewing(batch: str = "kick-off") -> bytes:
    """A viewer who watches the final for ten seconds, now."""
    now = time.time_ns() // 1_000_000
    said = {"viewer_id": "ada", "session_id": "tv", "content_id": "final"}
    kinds = (("join", now - 10_000), ("play", now - 9_000), ("heartbeat", now - 1_000))
    events = [{**said, "event_type": kind, "event_timestamp": at, "event_id": kind} for kind, at in kinds]
    return json.dumps({"batch_id": batch, "events": events}).encode()


def succeeding(function: LambdaFunction) -> Invoke:
    """As an event-source mapping calls it: an error is one."""

    def call(event: Any) -> Any:
        answer = function.invoke(event)
        if answer.error is not None:
            raise RuntimeError(f"{answer.error}: {answer.payload}")
        return answer.payload

    return call


def asked(function: LambdaFunction, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Any:
    status, _, answer = http_answer(succeeding(function)(http_event(method, target, headers, body)))
    assert 200 <= status < 300, answer
    return json.loads(answer)


def metrics(function: LambdaFunction) -> list[dict[str, Any]]:
    return [json.loads(line) for line in function.said().splitlines() if line.startswith('{"_aws"')]


def test_an_event_goes_from_a_player_to_the_audience_through_three_functions(stage: LambdaStage) -> None:
    with stage.start("ingest") as ingest:
        headers = {**WRITE, "content-encoding": "zstd"}
        told = asked(ingest, "POST", "/v1/events", headers, zstandard.compress(viewing()))
        assert told["accepted"] == 3
        assert [each["EventsIn"] for each in metrics(ingest)] == [[3.0]]

    with stage.start("aggregate") as aggregate:
        mapping = stage.account.mapping("aggregate", SystemClock())
        assert mapping.poll(succeeding(aggregate), Terms()) == 1
        (told,) = metrics(aggregate)
        assert told["service"] == "aggregate"
        assert told["Failures"] == [0.0]
        assert told["IteratorAge"][0] >= 0

    with stage.start("audience") as audience:
        windows = asked(audience, "GET", "/v1/contents/final/audience?resolution=5s", OPERATOR)["windows"]

    assert sum(sum(window["events"].values()) for window in windows) == 3


def test_a_message_is_taken_from_its_queue_and_what_is_not_ours_is_kept(stage: LambdaStage) -> None:
    stage.account.of("rebuild")
    stage.suite.ports.queue("rebuild").send(b"not ours")

    with stage.start("rebuild") as rebuild:
        mapping = QueueMapping(stage.account.clients.sqs, stage.account.queue("rebuild"))
        assert mapping.poll(succeeding(rebuild)) == 1

    (letter,) = DeadLetters(stage.suite.ports, Settings()).all()
    assert letter.queue == "rebuild"
    assert mapping.poll(lambda event: pytest.fail("it came again")) == 0


def test_a_schedule_runs(stage: LambdaStage) -> None:
    with stage.start("roll") as roll:
        answer = roll.invoke(schedule_event())

        assert (answer.payload, answer.error) == (None, None)
        assert '"_aws"' in roll.said()


def test_an_event_that_nobody_knows_is_an_error_that_says_so(stage: LambdaStage) -> None:
    with stage.start("roll") as roll:
        answer = roll.invoke({"hello": "world"})

    assert answer.error is not None
    assert "started by an event that it does not know" in answer.payload["errorMessage"]


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"GRANDSTAND_FUNCTION": ""}, "GRANDSTAND_FUNCTION is not set. Set it, for example"),
        ({"GRANDSTAND_FUNCTION": "agregate"}, "is no function of the suite"),
    ],
)
def test_a_start_without_its_settings_says_which_one(stage: LambdaStage, environ: dict[str, str], told: str) -> None:
    with stage.start("roll", **environ) as roll, pytest.raises(Ended, match=told):
        roll.invoke(schedule_event())


def test_a_log_line_is_json_and_names_its_function(stage: LambdaStage) -> None:
    with stage.start("aggregate") as aggregate:
        stage.account.clients.kinesis.put_record(
            StreamName=f"{stage.account.name}-events", Data=b"not ours", PartitionKey="x"
        )
        stage.account.mapping("aggregate", SystemClock()).poll(succeeding(aggregate), Terms())

        lines = [json.loads(line) for line in aggregate.said().splitlines() if '"went' in line or "went to" in line]

    (line,) = lines
    assert (line["level"], line["function"]) == ("ERROR", "aggregate")
    assert line["request_id"]
