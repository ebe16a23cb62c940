"""`grandstand package` as it is called; what it makes is tried in test_building.py."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import adapters
from adapters.cli.main import app
from functions import manifest
from tests.unit.packaging.house import PAGE, TALLY, House

RUNNER = CliRunner()


@pytest.fixture
def small(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """The small checkout in place of this one."""
    monkeypatch.setattr(adapters, "__file__", str(house.folder / "adapters/__init__.py"))
    monkeypatch.setattr(manifest, "FUNCTIONS", (TALLY, PAGE))
    return house


def package(house: House, *arguments: str) -> list[str]:
    return ["package", "--cache", str(house.cache), "--python", sys.executable, "--glibc", "2.17", *arguments]


def test_it_says_what_it_does_and_how_large_each_became(small: House, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = RUNNER.invoke(app, package(small, "--cloud", "aws", "--arch", "x86_64", "--out", str(out)))
    assert said.exit_code == 0, said.output
    assert "[2/2] page" in said.stderr
    assert "tally" in said.stdout
    assert sorted(path.name for path in out.iterdir()) == ["package.json", "page.zip", "tally.zip"]


def test_a_program_reads_sizes_as_json(small: House, tmp_path: Path) -> None:
    asked = package(small, "--cloud", "gcp", "--function", "tally", "--out", str(tmp_path / "out"), "--json")
    said = RUNNER.invoke(app, asked)
    [told] = json.loads(said.stdout)
    assert told["function"] == "tally"
    assert told["unpacked_bytes"] == sum(told["unpacked_bytes_by_distribution"].values())
    assert {"grandstand", "numpy"} <= told["unpacked_bytes_by_distribution"].keys()


def test_it_explains_what_brings_a_package_along(small: House) -> None:
    said = RUNNER.invoke(app, package(small, "--cloud", "aws", "--why", "numpy"))
    assert "tally:\n  functions.tally.handler line 1 imports shared.counting\n" in said.stdout
    assert "page: numpy is not in it." in said.stdout


@pytest.mark.parametrize(
    ("arguments", "told", "code"),
    [
        (["--cloud", "azure", "--arch", "arm64", "--out", "x"], "Flex Consumption runs on x86_64 only", 1),
        (["--cloud", "gcp", "--arch", "arm64", "--out", "x"], "Cloud Functions runs on x86_64 only", 1),
        (
            ["--cloud", "aws", "--function", "talli", "--out", "x"],
            "there is no function talli; there are tally, page",
            2,
        ),
        (["--cloud", "aws"], "say where the archives are to go: --out DIR", 2),
        (["--cloud", "aws", "--glibc", "new", "--out", "x"], "is no version of two numbers", 1),
        (["--cloud", "aws", "--python", "/no/python", "--out", "x"], "does not run as a Python", 1),
        (["--cloud", "aws", "--python", "3.99", "--out", "x"], "uv python install 3.99", 1),
    ],
)
def test_a_mistake_is_told_in_one_line(small: House, arguments: list[str], told: str, code: int) -> None:
    said = RUNNER.invoke(app, ["package", "--cache", str(small.cache), *arguments])
    assert said.exit_code == code
    assert told in said.stderr
    assert "Traceback" not in said.output
