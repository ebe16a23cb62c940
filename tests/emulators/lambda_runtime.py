"""Lambda's Runtime API (2018-06-01), so that its own runtime client, awslambdaric, runs a function from a folder.

The folder is a package's or the source tree. Nothing else is on the function's path but `libraries` and the client,
so that a package that lacks something fails here as it would at AWS.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

HANDLER: Final = "adapters.aws.main.handler"
NEXT: Final = "/2018-06-01/runtime/invocation/next"
INIT_ERROR: Final = "/2018-06-01/runtime/init/error"
CLIENT: Final = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
"""The modules of the runtime client, which a function's package does not bring."""
START: Final = "import sys; from awslambdaric.__main__ import main; main(['bootstrap', sys.argv[1]])"
TIMEOUT_SECONDS: Final = 60
WAIT_SECONDS: Final = 90


class Ended(Exception):
    """The function's process ended, or could not start; the message says what it said."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function answered; `error` is its type where it failed."""

    payload: Any
    error: str | None


class _Invocation:
    def __init__(self, number: int, event: Any) -> None:
        self.id = f"00000000-0000-4000-8000-{number:012d}"
        self.body = json.dumps(event).encode()
        self.answers: queue.Queue[Answer] = queue.Queue()


class LambdaFunction:
    """One instance. Not for use by two threads at once, as Lambda's are not."""

    def __init__(self, process: "subprocess.Popen[bytes]", calls: "queue.Queue[_Invocation]", output: Path) -> None:
        self._process = process
        self._calls = calls
        self._output = output
        self._numbers = count(1)

    def invoke(self, event: Any) -> Answer:
        """Hand an event over and wait for the answer. Raises Ended."""
        call = _Invocation(next(self._numbers), event)
        self._calls.put(call)
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            try:
                return call.answers.get(timeout=0.1)
            except queue.Empty:
                if self._process.poll() is not None:
                    break
        raise Ended(f"the function ended or does not answer. It said:\n{self.said()}")

    def said(self) -> str:
        """What it has written to stdout and stderr."""
        return self._output.read_text(errors="replace")


@contextmanager
def lambda_function(
    folder: Path, environ: Mapping[str, str], *, handler: str = HANDLER, libraries: Sequence[Path] = ()
) -> Iterator[LambdaFunction]:
    """A fresh instance of the function in `folder`, until the block ends."""
    calls: queue.Queue[_Invocation] = queue.Queue()
    with TemporaryDirectory() as beside, _api(calls) as port:
        for name in CLIENT:
            _link(name, Path(beside))
        paths = [str(folder), *map(str, libraries), beside]
        output = Path(beside) / "output.log"
        with (
            output.open("wb") as log,
            subprocess.Popen(
                [sys.executable, "-S", "-c", START, handler],
                cwd=folder,
                env=_surroundings(environ, folder, port) | {"PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            try:
                yield LambdaFunction(process, calls, output)
            finally:
                process.kill()
                calls.put(_Invocation(0, None))  # whoever waits for a call goes home


def _surroundings(environ: Mapping[str, str], folder: Path, port: int) -> dict[str, str]:
    return {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_LAMBDA_FUNCTION_NAME": "grandstand-test",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/grandstand-test",
        "AWS_LAMBDA_LOG_STREAM_NAME": "test",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "LAMBDA_TASK_ROOT": str(folder),
        "PATH": os.environ.get("PATH", ""),
        "TZ": ":UTC",
        **environ,
    }


def _link(name: str, folder: Path) -> None:
    """The module alone, without what is installed beside it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise Ended(f"{name} is not installed; `make setup` installs it")
    origin = Path(spec.origin)
    target = origin.parent if spec.submodule_search_locations else origin
    (folder / target.name).symlink_to(target)


@contextmanager
def _api(calls: "queue.Queue[_Invocation]") -> Iterator[int]:
    handed: dict[str, _Invocation] = {}

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 65_536

        def do_GET(self) -> None:
            if self.path != NEXT:
                self._answer(404)
                return
            call = calls.get()
            handed[call.id] = call
            self._answer(
                200,
                call.body,
                {
                    "Lambda-Runtime-Aws-Request-Id": call.id,
                    "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1_000) + 1_000 * TIMEOUT_SECONDS),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:test",
                    "Lambda-Runtime-Trace-Id": "Root=1-0-0",
                    "Content-Type": "application/json",
                },
            )

        def do_POST(self) -> None:
            body = self._body()
            if self.path == INIT_ERROR:  # the process ends by itself, and has said why
                self._answer(202)
                return
            request, kind = self.path.rsplit("/", 2)[1:]
            payload = json.loads(body) if body else None
            failed = self.headers.get("Lambda-Runtime-Function-Error-Type", "Unhandled") if kind == "error" else None
            handed.pop(request).answers.put(Answer(payload, failed))
            self._answer(202)

        def _body(self) -> bytes:
            if "chunked" not in (self.headers.get("Transfer-Encoding") or ""):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Nothing: the tests tell what they saw."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """The function's process was ended in the midst of a call."""

    with Server(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
