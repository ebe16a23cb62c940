"""A client that costs next to nothing, so that the server is what is measured; and bodies whose time is now."""

import re
import socket
from collections.abc import Iterator
from itertools import count
from time import time

from lab.bench.workload import array, bodies

HEAD = (
    "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    "Idempotency-Key: {key}\r\nContent-Length: {length}\r\n\r\n"
)
TIMESTAMP = re.compile(rb'(?<="event_timestamp":)\d+')
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
ACCEPTED = 202
_keys = count()


class Connection:
    """One kept-alive HTTP/1.1 connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, body: bytes) -> int:
        """Post events under a key of their own; the answer's status."""
        head = HEAD.format(port=self._port, key=f"{id(self):x}-{next(_keys)}", length=len(body))
        self._socket.sendall(head.encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        start, _, rest = answer.partition(b"\r\n\r\n")
        length = CONTENT_LENGTH.search(start)
        while len(rest) < (int(length[1]) if length else 0):
            rest += self._more()
        return int(start.split(b" ", 2)[1])

    def _more(self) -> bytes:
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionError("the server closed the connection")
        return received

    def close(self) -> None:
        self._socket.close()


class LiveBodies:
    """Bodies of `events` events by `viewers` viewers that are stamped with the time at which they are asked for."""

    def __init__(self, events: int, viewers: int, contents: int, different: int = 50) -> None:
        made = bodies(different, start_ms=0, events=events, viewers=viewers, contents=contents)
        self._pieces = [TIMESTAMP.split(array(body)) for body in made]

    def __iter__(self) -> Iterator[bytes]:
        for number in count():
            yield str(int(time() * 1000)).encode().join(self._pieces[number % len(self._pieces)])
