"""What a function app tells the Functions host of itself."""

import json

import pytest

from adapters.azure.host import HOST_ATTEMPTS, host_json
from adapters.azure.schedules import cron, invocation_seconds
from functions.manifest import FUNCTIONS, Every, Function, OnQueue, OnStream


def function(name: str) -> Function:
    return next(each for each in FUNCTIONS if each.name == name)


@pytest.mark.parametrize("each", FUNCTIONS, ids=lambda each: each.name)
def test_paths_have_no_prefix_and_time_is_enough(each: Function) -> None:
    told = json.loads(json.dumps(host_json(each)))

    assert told["extensions"]["http"] == {"routePrefix": ""}
    hours, minutes, seconds = map(int, told["functionTimeout"].split(":"))
    assert 3_600 * hours + 60 * minutes + seconds > invocation_seconds(each)


def test_a_stream_is_read_in_the_batches_of_the_manifest_from_its_start() -> None:
    told = host_json(function("aggregate"))["extensions"]["eventHubs"]

    assert told["maxEventBatchSize"] == 1_000
    assert told["prefetchCount"] >= told["maxEventBatchSize"]
    assert told["batchCheckpointFrequency"] == 1
    assert told["initialOffsetOptions"] == {"type": "fromStart"}
    assert "maxWaitTime" not in told


def test_a_window_is_waited_for() -> None:
    told = host_json(function("watch"))["extensions"]["eventHubs"]

    assert (told["minEventBatchSize"], told["maxWaitTime"]) == (1_000, "00:00:10")


def test_a_message_is_given_up_by_us_long_before_the_host_would() -> None:
    (queued,) = [each for each in FUNCTIONS if isinstance(each.trigger, OnQueue)]
    told = host_json(queued)["extensions"]["queues"]

    assert isinstance(queued.trigger, OnQueue)
    assert told["maxDequeueCount"] == HOST_ATTEMPTS > 10 * queued.trigger.max_attempts
    assert told["messageEncoding"] == "base64"


def test_an_app_of_all_functions_has_what_each_needs() -> None:
    told = host_json(None)["extensions"]

    assert told["http"] == {"routePrefix": ""}
    batches = [each.trigger.batch_records for each in FUNCTIONS if isinstance(each.trigger, OnStream)]
    assert told["eventHubs"]["maxEventBatchSize"] == min(batches)
    assert "queues" in told


@pytest.mark.parametrize(
    ("seconds", "expression"),
    [
        (2, "0 * * * * *"),
        (60, "0 * * * * *"),
        (300, "0 */5 * * * *"),
        (3_600, "0 0 */1 * * *"),
        (86_400, "0 0 0 * * *"),
    ],
)
def test_schedules_as_the_host_reads_them(seconds: int, expression: str) -> None:
    assert cron(seconds) == expression


@pytest.mark.parametrize("seconds", [61, 420, 7 * 3_600])
def test_a_schedule_that_no_timer_keeps_is_refused(seconds: int) -> None:
    with pytest.raises(ValueError, match=f"every {seconds} s"):
        cron(seconds)


def test_every_schedule_of_the_manifest_can_be_kept() -> None:
    assert all(cron(each.trigger.seconds) for each in FUNCTIONS if isinstance(each.trigger, Every))


def test_what_repeats_inside_a_minute_has_that_minute() -> None:
    assert invocation_seconds(function("roll")) == 60 + function("roll").timeout_seconds
    assert invocation_seconds(function("compact")) == function("compact").timeout_seconds
