"""Fixtures for tests that talk to a running suite."""

import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.bench.served import free_port

START_SECONDS = 60
STOP_SECONDS = 30
GRANDSTAND = Path(sys.executable).with_name("grandstand")


def wait_until_healthy(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return when `/healthz` answers; fail with the server's output when it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"grandstand serve did not become healthy; its output:\n{log.read_text()}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--live",
        choices=("aws", "azure", "gcp"),
        help="run the contract suite in a real account of this cloud; tests/contract/rigs/ says what each needs",
    )


@pytest.fixture(scope="module")
def suite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of `grandstand serve` on a free port, with a data folder of its own; stopped by SIGTERM at the end."""
    folder = tmp_path_factory.mktemp("suite")
    port = free_port()
    log = folder / "serve.txt"
    command = [str(GRANDSTAND), "serve", "--data", str(folder / "data"), "--port", str(port)]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_healthy(url, server, log)
            yield url
        finally:
            stop(server)
            shutil.rmtree(folder / "data", ignore_errors=True)


def stop(server: "subprocess.Popen[bytes]") -> None:
    """Ask the server to stop, and make it when it does not."""
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
