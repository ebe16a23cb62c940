"""Real packages: fetched, pruned and started from their archives (wheels come from the package index)."""

import zipfile
from pathlib import Path

import pytest

from adapters.packaging.building import Built, build
from adapters.packaging.target import LIMITS, Cloud
from functions.manifest import FUNCTIONS
from shared.errors import Unavailable
from tests.packages import job, packaged

pytestmark = [pytest.mark.xdist_group("packages"), pytest.mark.timeout(900)]
HEAVY = frozenset({"numpy", "pyarrow", "deltalake", "duckdb", "arro3-core"})


@pytest.fixture(scope="module")
def started() -> dict[str, Built]:
    """Each was imported whole from its archive, made with its ports, and answered."""
    return {name: packaged(Cloud.aws, name) for name in ("ingest", "aggregate", "commit")}


def test_ingest_carries_nothing_that_only_counting_or_history_needs(started: dict[str, Built]) -> None:
    assert not HEAVY & set(started["ingest"].by_distribution)
    assert not [
        name for name in _names(started["ingest"]) if name.startswith(("functions/aggregate", "shared/history"))
    ]


def test_a_stream_function_carries_no_web_framework_of_ours(started: dict[str, Built]) -> None:
    assert "pydantic" not in started["aggregate"].by_distribution
    assert not [name for name in _names(started["aggregate"]) if name.startswith("functions/http/")]


def test_a_history_function_fits_into_lambda(started: dict[str, Built]) -> None:
    carried = set(started["commit"].by_distribution)
    assert {"deltalake", "pyarrow"} <= carried
    assert not {"numpy", "duckdb"} & carried
    assert started["commit"].unpacked <= LIMITS[Cloud.aws].unpacked


def test_every_source_is_compiled_for_the_runtimes_python(started: dict[str, Built]) -> None:
    tag = f".cpython-{job(Cloud.aws).python.version[0]}{job(Cloud.aws).python.version[1]}.pyc"
    names = set(_names(started["ingest"]))
    for name in names:
        folder, _, file = name.rpartition("/")
        if name.endswith(".py") and file != "__main__.py":
            assert f"{folder}/__pycache__/{file.removesuffix('.py')}{tag}".removeprefix("/") in names


def test_licences_go_along(started: dict[str, Built]) -> None:
    names = _names(started["ingest"])
    for distribution in ("msgspec", "botocore", "cryptography", "starlette"):
        info = [name for name in names if name.startswith(f"{distribution}-")]
        assert [name for name in info if "LICEN" in name.upper()]


def test_from_nothing_the_same_bytes_come_again(started: dict[str, Built], tmp_path: Path) -> None:
    [function] = [each for each in FUNCTIONS if each.name == "ingest"]
    try:
        [again] = build(job(Cloud.aws, tmp_path / "cache"), [function], tmp_path / "out", check=False)
    except Unavailable as error:
        pytest.skip(str(error))
    assert again.path.read_bytes() == started["ingest"].path.read_bytes()


@pytest.mark.parametrize("cloud", [Cloud.azure, Cloud.gcp])
def test_other_clouds_ingest_starts_from_its_archive_too(cloud: Cloud) -> None:
    assert not HEAVY & set(packaged(cloud, "ingest").by_distribution)


def _names(built: Built) -> list[str]:
    with zipfile.ZipFile(built.path) as file:
        return file.namelist()
