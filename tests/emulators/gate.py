"""A gate in front of an HTTP server: it lets everything through, until it is told to fail.

For emulators that know no faults themselves. Bytes are passed on as they come; a fault closes what is open, so that
every request after it meets the fault.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

CHUNK: Final = 64 * 1024
PATIENCE_SECONDS: Final = 30
HEAD_END: Final = b"\r\n\r\n"


class Gate:
    """Listens on `port`. `answer` is what every request gets instead of the server's, `b""` a closed connection."""

    def __init__(self, target_port: int) -> None:
        self.answer: bytes | None = None
        self.target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    @contextmanager
    def failing(self, answer: bytes) -> Iterator[None]:
        """Every request gets this answer, until the block ends."""
        self.answer = answer
        self._cut()
        try:
            yield
        finally:
            self.answer = None

    def close(self) -> None:
        """Listen no more, and close what is open."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()

    def _listen(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        answer = self.answer
        if answer is not None:
            with client, suppress(OSError):
                _refuse(client, answer)
            return
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self.target_port)) as server:
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._kept(client, server):
                if self._fails():  # told so meanwhile, and what was open is closed already
                    return
                back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
                back.start()
                _pass_on(client, server)
                back.join()

    def _fails(self) -> bool:
        return self.answer is not None

    @contextmanager
    def _kept(self, *pair: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.update(pair)
        try:
            yield
        finally:
            with self._lock:
                self._open.difference_update(pair)

    def _cut(self) -> None:
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)


def http_answer(status: str, headers: dict[str, str], body: bytes) -> bytes:
    """An HTTP/1.1 answer after which the connection closes."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join(lines).encode() + HEAD_END + body


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            sink.sendall(chunk)
    for each in (source, sink):  # either side's end is both sides' end
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _refuse(client: socket.socket, answer: bytes) -> None:
    """Answer after the whole request, since who closes before makes the other side's write fail."""
    if not answer:
        return
    client.settimeout(PATIENCE_SECONDS)
    received = b""
    while HEAD_END not in received:
        chunk = client.recv(CHUNK)
        if not chunk:
            return
        received += chunk
    head, _, body = received.partition(HEAD_END)
    left = _content_length(head) - len(body)
    while left > 0 and (chunk := client.recv(CHUNK)):
        left -= len(chunk)
    client.sendall(answer)


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
