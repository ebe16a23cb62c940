"""The command line as a whole: what it offers, what it costs to start, what it knows of the machine."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.cli import doctor
from tests.unit.cli.fake_suite import grandstand

COMMANDS = (
    "serve",
    "demo",
    "simulate",
    "replay",
    "audience",
    "top",
    "completeness",
    "dead-letters",
    "schema",
    "doctor",
)
HEAVY = ("numpy", "httpx", "pydantic", "duckdb", "deltalake", "pyarrow", "starlette", "uvicorn", "lab", "orjson")


def test_help_names_every_command() -> None:
    shown = grandstand("--help")
    assert shown.exit_code == 0
    assert all(command in shown.output for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    assert grandstand(command, "--help").exit_code == 0


def test_starting_up_imports_nothing_heavy() -> None:
    program = f"import adapters.cli.main, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_the_schema_of_an_event_is_printed() -> None:
    assert "event_type" in json.loads(grandstand("schema").output)["properties"]
    assert json.loads(grandstand("schema", "asyncapi").output)["asyncapi"].startswith("3.")


def test_the_doctor_finds_what_is_there(tmp_path: Path) -> None:
    shown = grandstand("doctor", "--json", "--data", str(tmp_path / "new" / "folder"))
    assert shown.exit_code == 0, shown.output
    found = {finding["what"]: finding for finding in json.loads(shown.output)}
    assert found["msgspec"]["found"]
    assert found["Python ≥ 3.11"]["found"] == ".".join(map(str, sys.version_info[:3]))
    assert "GiB free" in found[f"disk for {tmp_path / 'new' / 'folder'}"]["found"]


def test_the_doctor_says_how_to_get_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_TOOLS", {"no-such-player": ("to test with", "apt-get install it")})
    monkeypatch.setattr(doctor, "_PACKAGES", {"to run the functions": ("no-such-package",)})
    monkeypatch.setattr(doctor, "_ENOUGH_BYTES", 2**62)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        shown = grandstand("doctor", "--port", str(taken.getsockname()[1]))
    assert shown.exit_code == 1
    for told in ("apt-get install it", "make setup", "serve --data", "serve --port"):
        assert told in shown.output


def test_serve_is_given_what_was_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from adapters.local import serve

    given: list[object] = []

    def served(*arguments: object) -> int:
        given.extend(arguments)
        return 4

    monkeypatch.setattr(serve, "serve", served)
    ended = grandstand("serve", "--data", str(tmp_path), "--port", "0", "--workers", "2")
    assert ended.exit_code == 4
    assert given[:4] == [tmp_path, "127.0.0.1", 0, 2]


def test_a_setting_that_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRANDSTAND_CHUNK_EVENTS", "many")
    ended = grandstand("serve", "--data", str(tmp_path))
    assert ended.exit_code == 1
    assert "GRANDSTAND_CHUNK_EVENTS" in ended.output
