"""moto's server in a process of its own on a free port, and faults on request.

A fault is for the requests signed with one access key, so that tests beside it notice nothing:
`PUT /-/faults/{access key}/{kind}` sets it, `DELETE` ends it. Kinds: `throttled`, `broken` (answers 500), `down`
(closes the connection), `lost` (closes it after the request was carried out, once), `throttled-2` (two requests).

moto keeps half of a mail that has both text and HTML. `GET /-/mails/{sender}` tells what SES was asked to send.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from os import environ
from pathlib import Path
from socket import SHUT_RDWR
from threading import Lock, Thread
from typing import Any, Final
from urllib.request import Request, urlopen

REGION: Final = "eu-west-1"
ROOT: Final = Path(__file__).resolve().parents[2]
CONTROL: Final = "/-/faults/"
MAILS: Final = "/-/mails/"
SENDING: Final = "/v2/email/outbound-emails"
SIGNED_BY: Final = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/")
THROTTLED: Final = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "kinesis": "ProvisionedThroughputExceededException",
    "secretsmanager": "ThrottlingException",
    "ses": "TooManyRequestsException",
    "sqs": "RequestThrottled",
}

StartResponse = Callable[..., object]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


@dataclass(frozen=True)
class Moto:
    """A server that runs."""

    url: str

    def environ(self, access_key: str) -> dict[str, str]:
        """What an AWS client needs to talk to it. Data is one account's, whatever the key."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": "secret",
        }

    @contextmanager
    def fault(self, access_key: str, kind: str) -> Iterator[None]:
        """What is asked with the key fails, until the block ends."""
        self._control("PUT", f"{access_key}/{kind}")
        try:
            yield
        finally:
            self._control("DELETE", access_key)

    def mails(self, sender: str) -> list[dict[str, Any]]:
        """The SendEmail requests of one sender that were taken, in order."""
        with urlopen(f"{self.url}{MAILS}{sender}", timeout=10) as answer:
            told: list[dict[str, Any]] = json.loads(answer.read())
        return told

    def _control(self, method: str, what: str) -> None:
        with urlopen(Request(f"{self.url}{CONTROL}{what}", method=method), timeout=10):
            pass


@contextmanager
def moto_server() -> Iterator[Moto]:
    """A server without data, until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.emulators.moto_server"],
        cwd=ROOT,
        env={**environ, "COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            port = process.stdout.readline().strip()
            if not port:
                raise RuntimeError("moto's server did not start; run: python -m tests.emulators.moto_server")
            yield Moto(f"http://127.0.0.1:{port}")
        finally:
            process.kill()


class Faulty:
    """A WSGI app in front of moto's."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._faults: dict[str, str] = {}
        self._one_at_a_time = Lock()
        self._mails: list[dict[str, Any]] = []

    def __call__(self, environment: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        path = str(environment["PATH_INFO"])
        if path.startswith(CONTROL):
            key, _, kind = path.removeprefix(CONTROL).partition("/")
            self._faults.pop(key, None)
            if environment["REQUEST_METHOD"] == "PUT":
                self._faults[key] = kind
            start("204 No Content", [])
            return []
        if path.startswith(MAILS):
            sender = path.removeprefix(MAILS)
            start("200 OK", [("Content-Type", "application/json")])
            return [json.dumps([mail for mail in self._mails if mail["FromEmailAddress"] == sender]).encode()]
        signed = SIGNED_BY.search(environment.get("HTTP_AUTHORIZATION", ""))
        kind = self._faults.get(signed[1], "") if signed else ""
        if signed is None or not kind:
            return self._pass(environment, start)
        kind, _, times = kind.partition("-")
        if kind == "lost" or times == "1":
            del self._faults[signed[1]]
        elif times:
            self._faults[signed[1]] = f"{kind}-{int(times) - 1}"
        if kind == "lost":
            list(self._pass(environment, start))
        else:
            environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH") or 0))
        if kind in ("down", "lost"):
            environment["werkzeug.socket"].shutdown(SHUT_RDWR)
            raise ConnectionAbortedError("this is the fault that was asked for")
        return _refusal(signed[2], kind, start)

    def _pass(self, environment: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        with self._one_at_a_time:  # moto's conditional writes and sequence numbers race in its own threads
            sends = environment["PATH_INFO"] == SENDING
            return self._send(environment, start) if sends else self._app(environment, start)

    def _send(self, environment: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        asked = environment["wsgi.input"].read(int(environment["CONTENT_LENGTH"]))

        def told(status: str, headers: list[tuple[str, str]], *more: Any) -> object:
            if status.startswith("200"):
                self._mails.append(json.loads(asked))
            return start(status, headers, *more)

        return self._app({**environment, "wsgi.input": BytesIO(asked)}, told)


def _refusal(service: str, kind: str, start: StartResponse) -> Iterable[bytes]:
    if service == "s3":
        code, status = ("SlowDown", "503 Slow Down") if kind == "throttled" else ("InternalError", "500 Oops")
        start(status, [("Content-Type", "application/xml")])
        return [f"<Error><Code>{code}</Code><Message>a fault</Message></Error>".encode()]
    code = THROTTLED.get(service, "ThrottlingException") if kind == "throttled" else "InternalServerError"
    status = "400 Bad Request" if kind == "throttled" else "500 Oops"
    start(status, [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)])
    return [json.dumps({"__type": code, "message": "a fault"}).encode()]


def serve() -> None:
    """Serve until the other end of stdin goes away; the port is told on stdout."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    MotoRequestHandler.protocol_version = "HTTP/1.1"  # or each request would open a connection
    MotoRequestHandler.disable_nagle_algorithm = True
    app: Any = Faulty(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    serve()
