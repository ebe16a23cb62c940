"""`doctor`: what is installed, what is missing and how to get it."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.cli.options import AsJson
from adapters.cli.serving import DEFAULT_DATA
from adapters.cli.terminal import print_json, print_table

_OLDEST: Final = (3, 11)
_PACKAGES: Final = {
    "to run the functions": ("msgspec", "zstandard", "orjson", "numpy", "starlette", "pydantic", "pyjwt"),
    "to serve on this machine": ("uvicorn", "httptools", "deltalake", "pyarrow", "sqlglot", "typer", "rich", "httpx"),
    "to run the tests": ("pytest", "hypothesis", "schemathesis", "playwright", "mypy", "ruff"),
}
_TOOLS: Final = {
    "make": ("to run the two commands of the README", "apt-get install make"),
    "node": ("to build the live page, and to test with real players", "make setup"),
    "npm": ("to build the live page, and to test with real players", "make setup"),
    "chromium": ("to test the live page, and with real players", "apt-get install chromium"),
    "ffmpeg": ("to test with real players", "apt-get install ffmpeg"),
    "java": ("to compare with Flink in the benchmarks", "apt-get install default-jdk-headless"),
}
_ENOUGH_BYTES: Final = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `needed` says whether the suite cannot be served without it."""

    what: str
    found: str | None
    use: str
    remedy: str
    needed: bool


def doctor(
    data: Annotated[Path, typer.Option(help="The folder that `serve` is to use.")] = DEFAULT_DATA,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port that `serve` is to use.")] = 8080,
    as_json: AsJson = False,
) -> None:
    """What is installed, what is missing and how to get it. Exit code 1 if the suite cannot be served."""
    findings = [*_python(), *_packages(), *_tools(), _disk(data), _port(port)]
    if as_json:
        print_json([_told(finding) for finding in findings])
    else:
        rows = [(f.what, f.found or "missing", f.use, "" if f.found else f.remedy) for f in findings]
        print_table("What there is", ("what", "found", "for", "how to get it"), rows)
    if any(finding.needed and not finding.found for finding in findings):
        raise typer.Exit(1)


def _told(finding: Finding) -> dict[str, object]:
    return {
        "what": finding.what,
        "found": finding.found,
        "for": finding.use,
        "needed": finding.needed,
        "remedy": None if finding.found else finding.remedy,
    }


def _python() -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3])) if sys.version_info >= _OLDEST else None
    yield Finding("Python ≥ 3.11", found, "everything", "make PYTHON=python3.12 setup", needed=True)


def _packages() -> Iterator[Finding]:
    for use, packages in _PACKAGES.items():
        for package in packages:
            yield Finding(package, _version(package), use, "make setup", needed=use != "to run the tests")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _tools() -> Iterator[Finding]:
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    for tool, (use, remedy) in _TOOLS.items():
        yield Finding(tool, shutil.which(tool, path=places), use, remedy, needed=False)


def _disk(data: Path) -> Finding:
    there = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    found = f"{free / 1024**3:.1f} GiB free" if free >= _ENOUGH_BYTES else None
    remedy = f"only {free / 1024**2:.0f} MiB free: make room, or choose another folder with serve --data"
    return Finding(f"disk for {data}", found, "the stream, the states and the history", remedy, needed=True)


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            found = "free"
        except OSError:
            found = None
    remedy = f"port {port} is taken, perhaps by a suite that runs already: choose another with serve --port"
    return Finding(f"port {port}", found, "HTTP", remedy, needed=False)
