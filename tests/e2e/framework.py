"""functions-framework itself, with one function of the manifest in a process of its own."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import IO, Final

import pytest

from adapters.packaging.resolving import run_uv
from adapters.packaging.target import Cloud
from lab.bench.served import free_port
from shared.errors import Unavailable
from tests.packages import job

ROOT: Final = Path(__file__).resolve().parents[2]
MAIN: Final = "from adapters.gcp.main import handle\n"
PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Served:
    """A function that answers at `url`."""

    url: str
    process: "subprocess.Popen[str]"

    def kill(self) -> None:
        """End it at once, whatever it is doing, with the workers it has."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def served(
    function: str, environ: Mapping[str, str], *, package: Path | None = None, port: int | None = None
) -> Iterator[Served]:
    """The function, from an unpacked package or else from this checkout, until the block ends."""
    port = port or free_port()
    with TemporaryDirectory() as folder:
        said = Path(folder) / "stderr"
        source = package or checkout(Path(folder))
        with said.open("w") as stderr:
            process = start(function, environ, package=source, port=port, stderr=stderr)
        running = Served(f"http://127.0.0.1:{port}", process)
        try:
            _await(process, port, said)
            yield running
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    running.kill()


def start(
    function: str, environ: Mapping[str, str], *, package: Path, port: int, stderr: IO[str] | int
) -> "subprocess.Popen[str]":
    """The framework's process, as the buildpack starts it: a package sees what its requirements.txt asks for, too."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GRANDSTAND_", "GOOGLE_"))}
    if (package / ".checkout").exists():
        path, alone = os.pathsep.join([str(package), str(ROOT)]), []
    else:
        path, alone = installed((package / "requirements.txt").read_text()), ["-P", "-S"]
    serve = ["-m", "functions_framework", "--target", "handle", "--source", str(package / "main.py")]
    return subprocess.Popen(
        [sys.executable, *alone, *serve],
        cwd=package,
        env={
            **inherited,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "FUNCTION_SIGNATURE_TYPE": "http",
            "PYTHONPATH": path,
            "GRANDSTAND_FUNCTION": function,
            **environ,
        },
        stderr=stderr,
        text=True,
        start_new_session=True,
    )


@cache
def installed(requirements: str) -> str:
    """The folder in which Google's build installs what an archive asks for, and nothing else.

    Skips where the package index cannot be reached.
    """
    folder = mkdtemp(prefix="grandstand-built-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        run_uv(
            ["pip", "install", "--quiet", "--target", folder, "--requirements", "-"],
            job(Cloud.gcp).target,
            requirements,
        )
    except Unavailable as error:
        pytest.skip(str(error))
    return folder


def checkout(folder: Path) -> Path:
    """A folder that is to this checkout what a package would be."""
    (folder / "main.py").write_text(MAIN)
    (folder / ".checkout").touch()
    return folder


def _await(process: "subprocess.Popen[str]", port: int, said: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"functions-framework does not serve: {said.read_text()}")
