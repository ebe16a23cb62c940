"""A deployment in moto, and events as AWS documents them."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.aws.suite import Suite
from lab.memory import MemoryClock
from shared.settings import Settings
from tests.emulators.aws_account import Account, deployed, fresh_environ

GOLDEN = Path(__file__).parent / "golden"
VECTORS = Path(__file__).resolve().parents[4] / "shared/vectors/aws"


def golden(name: str) -> Any:
    """A sample of our own."""
    return json.loads((GOLDEN / name).read_text())


def vector(name: str) -> Any:
    """A sample of powertools'; skips where the shared material does not lie beside the checkout."""
    path = VECTORS / name
    if not path.exists():
        pytest.skip(f"{path} is not there: the samples lie beside the checkout on the project's own machines only")
    return json.loads(path.read_text())


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture
def environ() -> dict[str, str]:
    return fresh_environ()


@pytest.fixture
def account(environ: dict[str, str]) -> Account:
    return deployed(environ)


@pytest.fixture
def suite(account: Account, environ: dict[str, str], clock: MemoryClock) -> Suite:
    return Suite(Settings(), environ, clock=clock)
