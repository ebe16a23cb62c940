"""Packages indexed and invoked by Microsoft's own worker: HTTP, a batch of events, a queue's message, a timer."""

from pathlib import Path

import pytest

from adapters.packaging.contents import SITE_PACKAGES
from adapters.packaging.target import Cloud as Provider
from tests.e2e import test_azure_runtime as story
from tests.e2e.test_azure_runtime import Cloud, Opens, opening
from tests.packages import unpacked

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("packages"),
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
cloud = story.cloud


@pytest.fixture
def opened(cloud: Cloud) -> Opens:
    """Opens a function's package."""

    def place(function: str) -> tuple[Path, Path]:
        package = unpacked(Provider.azure, function)
        return package, package / SITE_PACKAGES[Provider.azure]

    return opening(cloud, place)


def test_a_body_goes_in_and_its_audience_comes_out(opened: Opens, cloud: Cloud) -> None:
    story.test_a_body_goes_in_and_its_audience_comes_out(opened, cloud)


def test_an_order_in_the_queue_is_carried_out_and_what_is_not_ours_is_kept(opened: Opens, cloud: Cloud) -> None:
    story.test_an_order_in_the_queue_is_carried_out_and_what_is_not_ours_is_kept(opened, cloud)


def test_a_schedule_runs(opened: Opens) -> None:
    story.test_a_schedule_runs(opened)
