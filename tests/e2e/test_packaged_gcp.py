"""Packages served by functions-framework itself, fed by Pub/Sub's push, a task and a schedule."""

from collections.abc import Iterator

import pytest

from adapters.packaging.target import Cloud as Provider
from tests.e2e import test_functions_framework as story
from tests.e2e.test_functions_framework import Cloud, deployed
from tests.packages import unpacked

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("packages"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """A project whose functions are packages."""
    with deployed(lambda name: unpacked(Provider.gcp, name)) as running:
        yield running


def test_what_players_post_is_counted_once_pubsub_has_pushed_it(cloud: Cloud) -> None:
    story.test_what_players_post_is_counted_once_pubsub_has_pushed_it(cloud)


def test_a_schedule_is_run_by_the_schedulers_post(cloud: Cloud) -> None:
    story.test_a_schedule_is_run_by_the_schedulers_post(cloud)


def test_a_task_is_posted_until_its_order_is_carried_out(cloud: Cloud) -> None:
    story.test_a_task_is_posted_until_its_order_is_carried_out(cloud)
