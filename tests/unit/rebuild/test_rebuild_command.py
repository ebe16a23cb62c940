"""`grandstand rebuild` on a data folder."""

import json
from pathlib import Path

from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.local.suite import Suite
from functions.archive.handler import make as make_archive
from functions.commit.handler import make as make_commit
from shared.dead_letters import DeadLetters
from shared.settings import Settings
from shared.stream import NO_DEADLINE, Record
from tests.builders import delivered, event, packed

SETTINGS = Settings()


def a_suite_with_late(folder: Path, *late: Record) -> None:
    """A data folder whose history has a record that came to aggregate too late, beside others that did."""
    suite = Suite(folder, SETTINGS)
    record = delivered(packed([event()]))
    make_archive(suite.ports, SETTINGS)([record], NO_DEADLINE)
    make_commit(suite.ports, SETTINGS)(NO_DEADLINE)
    for each in (record, *late):
        DeadLetters(suite.ports, SETTINGS).put(each, "beyond_horizon", "aggregate")
    suite.close()


def test_it_tells_what_was_counted(tmp_path: Path) -> None:
    a_suite_with_late(tmp_path)
    result = CliRunner().invoke(app, ["rebuild", "--data", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["counted"]) == 1
    again = CliRunner().invoke(app, ["rebuild", "--data", str(tmp_path)])
    assert "0 counted now, 0 had been counted before" in again.output


def test_it_fails_and_says_so_when_nobody_can_tell(tmp_path: Path) -> None:
    a_suite_with_late(tmp_path, delivered(packed([])))
    result = CliRunner().invoke(app, ["rebuild", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "1 counted now" in result.output
    assert "stays where it is" in result.output


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["rebuild", "--data", str(tmp_path / "nowhere")])
    assert result.exit_code == 1
    assert "--data" in result.output
