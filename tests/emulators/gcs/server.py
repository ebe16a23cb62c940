"""The server: reads a request and answers it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.emulators.gcs.http import Answer, Request
from tests.emulators.gcs.store import Buckets, Failure, HttpFaults
from tests.emulators.gcs.xml_api import answer_xml, error_xml

BEARER: Final = "Bearer "


@dataclass
class Storage:
    """Where it listens, what it holds and what goes wrong there. `tokens` None lets everybody in."""

    url: str
    buckets: Buckets
    faults: HttpFaults = field(default_factory=HttpFaults)
    tokens: set[str] | None = None

    @property
    def environ(self) -> dict[str, str]:
        return {"STORAGE_EMULATOR_HOST": self.url}

    def answer(self, request: Request) -> Answer:
        try:
            lost = self.faults.meet(request.method, request.path)
            self._let_in(request)
            answer = answer_xml(self.buckets, request)
            if lost is not None:
                raise Failure(lost, "Fault", "a fault of the test's")
            return answer
        except Failure as failure:
            return error_xml(failure)

    def _let_in(self, request: Request) -> None:
        said = request.headers.get("authorization", "")
        if self.tokens is not None and said.removeprefix(BEARER) not in self.tokens:
            raise Failure(401, "AuthenticationRequired", "Authentication required.")


@contextmanager
def gcs(*, makes_any_bucket: bool = True) -> Iterator[Storage]:
    """An empty Cloud Storage on a free port until the block ends."""
    storage = Storage("", Buckets(makes_any=makes_any_bucket))
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"storage": storage}))
    storage.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield storage
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    storage: Storage

    def _serve(self) -> None:
        request = Request.parse(self.command, self.path, dict(self.headers), self._body())
        answer = self.storage.answer(request)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: tests count requests themselves."""
