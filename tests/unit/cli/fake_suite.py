"""A suite that answers from a script and remembers what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from typer.testing import CliRunner, Result

from adapters.cli.main import app


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeSuite:
    """`answers` maps a path to a status and JSON; posts are taken unless it says otherwise."""

    url: str
    answers: dict[str, tuple[int, Any]] = field(default_factory=lambda: {"/healthz": (200, {"status": "ok"})})
    asked: list[Asked] = field(default_factory=list)

    def posts(self) -> list[Asked]:
        return [each for each in self.asked if each.method == "POST"]


@contextmanager
def fake_suite() -> Iterator[FakeSuite]:
    """Served on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(fake.answers.get(urlsplit(self.path).path, (204, None)))

        def do_POST(self) -> None:
            self._answer(fake.answers.get(urlsplit(self.path).path))

        def _answer(self, told: tuple[int, Any] | None) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            fake.asked.append(Asked(self.command, unquote(address.path), query, headers, body))
            status, answer = told or (202, {"accepted": body.count(b'"event_type"'), "rejected": []})
            payload = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake = FakeSuite(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()


def grandstand(*arguments: str) -> Result:
    """What the command line does with these arguments."""
    return CliRunner().invoke(app, list(arguments))
