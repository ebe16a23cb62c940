"""Every function's package under Lambda's own runtime client: nothing but its archive and the client on its path."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from adapters.aws.suite import SystemClock
from adapters.local.triggers import Terms
from adapters.packaging.target import Cloud
from functions.manifest import FUNCTIONS, Every, Http, OnQueue, OnStream
from tests.e2e.test_lambda_runtime import OPERATOR, LambdaStage, asked, succeeding
from tests.e2e.test_lambda_runtime import (
    test_an_event_goes_from_a_player_to_the_audience_through_three_functions as _from_a_player_to_the_audience,
)
from tests.emulators.event_source_mapping import QueueMapping
from tests.emulators.lambda_events import schedule_event
from tests.emulators.lambda_runtime import LambdaFunction, lambda_function
from tests.packages import unpacked

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("packages"), pytest.mark.timeout(900)]


@dataclass
class PackagedStage(LambdaStage):
    """A deployment of packages."""

    def start(self, name: str, **environ: str) -> AbstractContextManager[LambdaFunction]:
        self.account.of(name)
        told = {**self.environ, "GRANDSTAND_FUNCTION": name, **environ}
        return lambda_function(unpacked(Cloud.aws, name), told, libraries=self.libraries)


@pytest.fixture
def stage(tmp_path: Path) -> PackagedStage:
    """Beside each package stands what Lambda's runtime client itself imports, as it does at AWS."""
    spec = find_spec("simplejson")
    assert spec is not None and spec.origin is not None
    (tmp_path / "simplejson").symlink_to(Path(spec.origin).parent)
    return PackagedStage(libraries=(tmp_path,))


def test_an_event_goes_from_a_player_to_the_audience_through_three_packages(stage: PackagedStage) -> None:
    _from_a_player_to_the_audience(stage)


@pytest.mark.parametrize("name", [each.name for each in FUNCTIONS if isinstance(each.trigger, Http)])
def test_a_package_answers_http(stage: PackagedStage, name: str) -> None:
    with stage.start(name) as function:
        assert asked(function, "GET", "/openapi.json", OPERATOR)["paths"]


@pytest.mark.parametrize("name", [each.name for each in FUNCTIONS if isinstance(each.trigger, OnStream)])
def test_a_package_takes_records_of_the_stream(stage: PackagedStage, name: str) -> None:
    with stage.start(name) as function:
        mapping = stage.account.mapping(name, SystemClock())
        stage.account.clients.kinesis.put_record(
            StreamName=f"{stage.account.name}-events", Data=b"not ours", PartitionKey="x"
        )
        mapping.poll(succeeding(function), Terms())
        assert mapping.poll(lambda event: pytest.fail("it came again"), Terms()) == 0


@pytest.mark.parametrize("name", [each.name for each in FUNCTIONS if isinstance(each.trigger, OnQueue)])
def test_a_package_takes_messages_of_its_queue(stage: PackagedStage, name: str) -> None:
    stage.account.of(name)
    stage.suite.ports.queue(name).send(b"not ours")
    with stage.start(name) as function:
        mapping = QueueMapping(stage.account.clients.sqs, stage.account.queue(name))
        assert mapping.poll(succeeding(function)) == 1


@pytest.mark.parametrize("name", [each.name for each in FUNCTIONS if isinstance(each.trigger, Every)])
def test_a_package_runs_on_its_schedule(stage: PackagedStage, name: str) -> None:
    with stage.start(name) as function:
        answer = function.invoke(schedule_event())
    assert (answer.payload, answer.error) == (None, None)
