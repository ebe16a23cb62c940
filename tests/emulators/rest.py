"""A small HTTP server on a free port for stand-ins of REST services, with faults on request."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl

JSON: Final = "application/json"


@dataclass(frozen=True)
class Request:
    """`path` without its query; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def signed(self) -> bool:
        """Whether it says who asks."""
        return "authorization" in self.headers


@dataclass(frozen=True)
class Answer:
    """`content` travels as JSON."""

    status: int
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def error(status: int, code: str, message: str, **inner: Any) -> Answer:
    """An error as Azure's REST services tell it."""
    return Answer(status, {"error": {"code": code, "message": message, **inner}})


FAULTS: Final = {
    "throttled": Answer(
        429, {"error": {"code": "TooManyRequests", "message": "Slow down."}}, headers={"Retry-After": "1"}
    ),
    "broken": Answer(500, {"error": {"code": "InternalServerError", "message": "Something broke."}}),
    "down": None,
}


class Server:
    """Serves what `answer` says; None closes the connection. `asked` counts the requests, those under a fault too."""

    def __init__(self, answer: Callable[[Request], Answer | None]) -> None:
        self.asked = 0
        self._answer = answer
        self._fault: str | None = None
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()

    @contextmanager
    def fault(self, kind: str) -> Iterator[None]:
        """Every request fails as `FAULTS` says, until the block ends; without any answer when it is `down`."""
        assert kind in FAULTS
        self._fault = kind
        try:
            yield
        finally:
            self._fault = None

    def answer(self, request: Request) -> Answer | None:
        """None closes the connection."""
        self.asked += 1
        return self._answer(request) if self._fault is None else FAULTS[self._fault]

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805  a handler's `self` is another
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                path, _, query = self.path.partition("?")
                answer = server.answer(Request(self.command, path, dict(parse_qsl(query)), headers, body))
                if answer is None:
                    self.close_connection = True
                    return
                content = b"" if answer.content is None else json.dumps(answer.content).encode()
                self.send_response(answer.status)
                for name, value in {"Content-Type": JSON, **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815  http.server's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Nothing."""

        return Handler
