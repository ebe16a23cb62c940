"""A suite that is served by processes of its own, and how the benchmarks talk to it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import httpx
import psutil

from lab.bench.client import Connection

START_SECONDS = 60
STOP_SECONDS = 60
GRANDSTAND = Path(sys.executable).with_name("grandstand")


@dataclass(frozen=True)
class Served:
    """A server on a port of 127.0.0.1, and the process that leads it."""

    port: int
    process: psutil.Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> Connection:
        return Connection(self.port)

    def resident_mb(self) -> float:
        """Resident memory of the process and its children, what they share counted in each."""
        return sum(each.memory_info().rss for each in self._processes()) / 2**20

    def cpu_seconds(self) -> float:
        """CPU time that the process and its children have used."""
        times = [each.cpu_times() for each in self._processes()]
        return sum(each.user + each.system for each in times)

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def suite() -> Iterator[Served]:
    """`grandstand serve` with a data folder of its own."""
    with TemporaryDirectory(prefix="grandstand-bench-") as folder:
        port = free_port()
        command = [str(GRANDSTAND), "serve", "--data", str(Path(folder) / "data"), "--port", str(port)]
        with running(command, port, "/healthz") as served:
            yield served


@contextmanager
def uvicorn(app: str, *more: str) -> Iterator[Served]:
    """An ASGI app, `module:name`, served as the suite's are."""
    port = free_port()
    options = [
        "--port",
        str(port),
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--log-level",
        "warning",
        "--no-access-log",
    ]
    with running([sys.executable, "-m", "uvicorn", app, *options, *more], port, "/") as served:
        yield served


@contextmanager
def running(command: Sequence[str], port: int, path: str) -> Iterator[Served]:
    """A server from its first answer to `path` until it has stopped. Raises RuntimeError when it does not start."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}{path}", server)
            yield Served(port, psutil.Process(server.pid))
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.communicate(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()


def wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = monotonic() + START_SECONDS
    while monotonic() < deadline and server.poll() is None:
        try:
            httpx.get(url)
        except httpx.TransportError:
            sleep(0.1)
        else:
            return
    server.kill()
    raise RuntimeError(f"{server.args!r} did not start: {server.communicate()[1].decode(errors='replace')[-500:]}")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
