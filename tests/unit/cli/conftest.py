"""Fixtures of the command line's tests."""

from collections.abc import Iterator

import pytest

from tests.unit.cli.fake_suite import FakeSuite, fake_suite


@pytest.fixture
def suite() -> Iterator[FakeSuite]:
    with fake_suite() as fake:
        yield fake
