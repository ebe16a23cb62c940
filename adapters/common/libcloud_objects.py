"""Objects by Apache Libcloud, for every cloud whose identity Libcloud can sign in with.

Libcloud's own calls look up the container and the object before each download, and upload in parts. These go straight
to its signed connection: one request an object, timeouts, and an answer whose status is looked at here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar
from urllib.parse import quote, unquote_plus
from xml.etree import ElementTree

from libcloud.common.base import RawResponse
from libcloud.http import LibcloudConnection
from libcloud.storage.base import StorageDriver
from requests import Request, RequestException

from adapters.common.backoff import retry
from adapters.common.limits import name_bytes
from shared.errors import GrandstandError, Unavailable

Identity = TypeVar("Identity", bound=Hashable)

CONNECT_SECONDS: Final = 2.0
READ_SECONDS: Final = 10.0
ATTEMPTS: Final = 4
PAGE: Final = 1_000
TYPE: Final = "application/octet-stream"
MAX_STORED_BYTES: Final = 1_024
"""What clouds take of a name, the store's own prefix with it."""
MARK: Final = "!"
_LAST_MARKED: Final = ord(MARK)
_SHIFT: Final = 0x40
AFTER_DOT: Final = "="


@dataclass(frozen=True, slots=True)
class Answer:
    """A cloud's answer. `code` and `message` are what its XML says of an error."""

    status: int
    body: bytes
    code: str = ""
    message: str = ""


class Trouble(Protocol):
    """How a cloud's error answer is told, as one of `shared.errors`: Unavailable where trying again may help."""

    def __call__(self, answer: Answer) -> GrandstandError: ...


class Drivers(Generic[Identity]):
    """Libcloud drivers of a rotating identity, each for one request at a time; made when there is none to lend.

    `identity` is asked before every request: what it returns signs that request, so that it is renewed in time.
    """

    def __init__(self, identity: Callable[[], Identity], make: Callable[[Identity], StorageDriver]) -> None:
        self._identity = identity
        self._make = make
        self._resting: deque[tuple[Identity, StorageDriver]] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def lend(self) -> Iterator[Any]:
        """A connection that nobody else uses. One that failed is not used again."""
        identity = self._identity()
        driver = self._take(identity) or self._made(identity)
        yield driver.connection
        with self._lock:
            self._resting.append((identity, driver))

    def _take(self, identity: Identity) -> StorageDriver | None:
        with self._lock:
            while self._resting:
                known, driver = self._resting.pop()
                if known == identity:
                    return driver
        return None

    def _made(self, identity: Identity) -> StorageDriver:
        driver = self._make(identity)
        connection: Any = driver.connection
        connection.conn_class = _Timed
        connection.rawResponseCls = _Unjudged
        connection.morph_action_hook = lambda action: connection.request_path + action  # a name may hold `//`
        connection.connect()  # again: the driver has done so with Libcloud's own class
        return driver


class LibcloudObjects:
    """`shared.ports.ObjectStore` under a prefix of one container (`prefix` ends with `/`).

    Names are stored readably and in their order: see `stored_name`.
    """

    def __init__(
        self, drivers: Drivers[Any], container: str, prefix: str, trouble: Trouble, *, page: int = PAGE
    ) -> None:
        self._drivers = drivers
        self._container = container
        self._prefix = prefix
        self._trouble = trouble
        self._page = page

    def get(self, name: str) -> bytes | None:
        answer = self._ask("GET", self._path(name), missing="NoSuchKey")
        return None if answer.status == 404 else answer.body

    def put(self, name: str, data: bytes) -> None:
        self._ask("PUT", self._path(name), data=bytes(data))

    def list(self, prefix: str = "") -> Iterator[str]:
        start = self._prefix + stored_name(prefix)
        after = ""
        while True:
            parameters = {"prefix": start, "max-keys": str(self._page), "encoding-type": "url"}
            answer = self._ask(
                "GET", f"/{self._container}", parameters=parameters | ({"marker": after} if after else {})
            )
            keys, more = _listed(answer.body)
            yield from filter(None, (own_name(key.removeprefix(self._prefix)) for key in keys))
            if not more or not keys:
                return
            after = keys[-1]

    def delete(self, name: str) -> None:
        self._ask("DELETE", self._path(name), missing="NoSuchKey")

    def _path(self, name: str) -> str:
        name_bytes(name)
        key = self._prefix + stored_name(name)
        if len(key.encode()) > MAX_STORED_BYTES:
            raise ValueError(f"this object's name has too many unusual characters to be stored: {name[:40]!r}…")
        return f"/{self._container}/{quote(key, safe='/~')}"

    def _ask(
        self,
        method: str,
        path: str,
        *,
        parameters: dict[str, str] | None = None,
        data: bytes | None = None,
        missing: str | None = None,
    ) -> Answer:
        """One answer that means yes, or 404 for what may be `missing`. Raises what `trouble` makes of any other."""

        def ask() -> Answer:
            answer = self._once(method, path, parameters, data)
            absent = answer.status == 404 and missing is not None and answer.code in (missing, "")
            if 200 <= answer.status < 300 or absent:
                return answer
            raise self._trouble(answer)

        return retry(ask, Unavailable, attempts=ATTEMPTS)

    def _once(self, method: str, path: str, parameters: dict[str, str] | None, data: bytes | None) -> Answer:
        headers = {} if data is None else {"Content-Type": TYPE, "Content-Length": str(len(data))}
        try:
            with self._drivers.lend() as connection:
                response = connection.request(
                    path, params=parameters, data=data, headers=headers, method=method, raw=True
                )
                return _answer(int(response.status), response.body)
        except RequestException as error:
            raise Unavailable(
                f"the bucket {self._container} does not answer: {error}. Try again; see whether it can be reached."
            ) from error


def stored_name(name: str) -> str:
    """A name as a cloud stores it: with nothing that XML, a URL or Google refuses, in the same order as before.

    Characters up to `!` become `!` and a letter. A dot that begins a part is followed by `=`, so that no part is `.`
    or `..`. A prefix of a name becomes a prefix of what is stored.
    """
    parts = (f".{AFTER_DOT}{part[1:]}" if part.startswith(".") else part for part in name.split("/"))
    return "".join(_marked(character) for character in "/".join(parts))


def own_name(stored: str) -> str | None:
    """The name that is stored as this; None where it was not we who stored it."""
    first, *marked = stored.split(MARK)
    plain = first + "".join(_unmarked(piece) for piece in marked)
    name = "/".join("." + part[2:] if part.startswith(".") else part for part in plain.split("/"))
    return name if stored_name(name) == stored else None


def _unmarked(piece: str) -> str:
    return chr(max(0, ord(piece[0]) - _SHIFT)) + piece[1:] if piece else ""


def _marked(character: str) -> str:
    code = ord(character)
    return MARK + chr(code + _SHIFT) if code <= _LAST_MARKED else character


def _listed(body: bytes) -> tuple[list[str], bool]:
    """The keys of one page of a listing, and whether there is another page."""
    root = ElementTree.fromstring(body)  # noqa: S314 - the cloud's own answer, over TLS
    keys = [unquote_plus(element.text or "") for element in root.iterfind("{*}Contents/{*}Key")]
    return keys, (root.findtext("{*}IsTruncated") or "").strip().lower() == "true"


def _answer(status: int, body: bytes) -> Answer:
    if status < 300 or not body.lstrip().startswith(b"<"):
        return Answer(status, body)
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - the cloud's own answer, over TLS
    except ElementTree.ParseError:
        return Answer(status, body)
    return Answer(status, body, (root.findtext("{*}Code") or "").strip(), (root.findtext("{*}Message") or "").strip())


class _Unjudged(RawResponse):
    """An answer whose status is looked at by whoever asked."""

    def success(self) -> bool:
        return True


class _Timed(LibcloudConnection):
    """Libcloud's connection without its endless patience, and without following redirects to another region."""

    def prepared_request(  # noqa: PLR0917  as Libcloud calls it
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        raw: bool = False,  # noqa: ARG002
        stream: bool = False,
    ) -> None:
        session: Any = self.session
        request = Request(method, f"{self.host}{url}", data=body, headers=headers)
        self.response = session.send(
            session.prepare_request(request),
            stream=stream,
            verify=self.verification,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
        )
