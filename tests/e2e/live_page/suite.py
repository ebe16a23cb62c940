"""A suite that can be stopped and started under those who look at it."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from adapters.local.page import is_built
from adapters.local.suite import Suite as Ports
from lab.bench.served import free_port
from shared.settings import Settings
from tests.conftest import GRANDSTAND, stop, wait_until_healthy

WRITE, PUBLISH, OPERATOR = "write-key-1", "publish-key-1", "operator-key-1"


@dataclass
class Suite:
    """`grandstand serve` on one folder and one port."""

    folder: Path
    keyed: bool = False
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "serve.txt"

    @property
    def client(self) -> httpx.Client:
        """As an operator; with no key where none is needed."""
        headers = {"authorization": f"Bearer {OPERATOR}"} if self.keyed else {}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)

    def start(self) -> None:
        if self.keyed:
            self._choose_keys()
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(self._command(), stdout=output, stderr=subprocess.STDOUT)
        wait_until_healthy(self.url, self.process, self.log)

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process)
            self.process = None

    def _command(self) -> list[str]:
        host = "0.0.0.0" if self.keyed else "127.0.0.1"
        return [
            *(str(GRANDSTAND), "serve", "--data", str(self.folder / "data")),
            *("--host", host, "--port", str(self.port)),
        ]

    def _choose_keys(self) -> None:
        """What an operator does before others may reach the suite: the first start makes the file, and refuses."""
        path = self.folder / "data" / "secrets.json"
        if not path.exists():
            subprocess.run(self._command(), check=False, capture_output=True, timeout=60)
        keys = {"write-keys": {"site": WRITE}, "publish-keys": {"page": PUBLISH}, "operator-keys": {"ops": OPERATOR}}
        path.write_text(json.dumps(json.loads(path.read_text()) | keys))

    @contextmanager
    def ports(self) -> Iterator[Ports]:
        """The suite's own stores, for what no address of its API does."""
        ports = Ports(self.folder / "data", Settings())
        try:
            yield ports
        finally:
            ports.close()


@contextmanager
def serving(folder: Path, *, keyed: bool = False) -> Iterator[Suite]:
    """A suite with a data folder of its own that serves the built page."""
    assert is_built(), "the page is not built: make web"
    suite = Suite(folder, keyed)
    try:
        suite.start()
        yield suite
    finally:
        suite.stop()
        shutil.rmtree(folder / "data", ignore_errors=True)
