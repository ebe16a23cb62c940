"""The packages of five functions under the real functions-framework, with nothing of this checkout on their path."""

from collections.abc import Iterator

import pytest

from adapters.packaging.target import Cloud as Provider
from tests.e2e.test_functions_framework import (
    Cloud,
    deployed,
)
from tests.e2e.test_functions_framework import (
    test_a_schedule_is_run_by_the_schedulers_post as _a_schedule,
)
from tests.e2e.test_functions_framework import (
    test_a_task_is_posted_until_its_order_is_carried_out as _a_task,
)
from tests.e2e.test_functions_framework import (
    test_what_players_post_is_counted_once_pubsub_has_pushed_it as _what_players_post,
)
from tests.packages import unpacked

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("packages"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def packages() -> Iterator[Cloud]:
    with deployed(lambda function: unpacked(Provider.gcp, function)) as running:
        yield running


def test_what_players_post_is_counted_once_pubsub_has_pushed_it(packages: Cloud) -> None:
    _what_players_post(packages)


def test_a_schedule_is_run_by_the_schedulers_post(packages: Cloud) -> None:
    _a_schedule(packages)


def test_a_task_is_posted_until_its_order_is_carried_out(packages: Cloud) -> None:
    _a_task(packages)
