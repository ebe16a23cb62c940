"""Buckets and objects in memory."""

import hashlib
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from tests.emulators.google_rpc import Instants

MAX_NAME_BYTES: Final = 1_024
ANY: Final = None


class Failure(Exception):
    """An HTTP status with the service's code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Blob:
    """One object. `generation` is never used twice."""

    name: str
    data: bytes
    generation: int
    content_type: str

    @property
    def md5(self) -> bytes:
        return hashlib.md5(self.data, usedforsecurity=False).digest()

    @property
    def written_at(self) -> float:
        """In seconds since epoch."""
        return self.generation / 1_000_000


@dataclass(frozen=True)
class Page:
    """What a list answers; `next` is the last name (or prefix) that it holds, where more follow."""

    blobs: list[Blob]
    prefixes: list[str]
    next: str | None


@dataclass
class Upload:
    """One in parts; `parts` by number."""

    name: str
    content_type: str
    precondition: int | None
    parts: dict[int, bytes] = field(default_factory=dict)


class Buckets:
    """Every bucket, each made when `make` is called or, where `makes_any`, when first asked for."""

    def __init__(self, *, makes_any: bool) -> None:
        self.uploads: dict[str, Upload] = {}
        self._makes_any = makes_any
        self._buckets: dict[str, dict[str, Blob]] = {}
        self._instants = Instants()
        self._lock = threading.RLock()

    def make(self, bucket: str) -> None:
        with self._lock:
            self._buckets.setdefault(bucket, {})

    def get(self, bucket: str, name: str) -> Blob:
        with self._lock:
            blob = self._bucket(bucket).get(name)
        if blob is None:
            raise Failure(404, "NoSuchKey", "The specified key does not exist.")
        return blob

    def put(self, bucket: str, name: str, data: bytes, content_type: str, precondition: int | None = ANY) -> Blob:
        """Write where the generation there is `precondition` (0: nothing is there)."""
        _check_name(name)
        with self._lock:
            blobs = self._bucket(bucket)
            self._check(blobs, name, precondition)
            blobs[name] = Blob(name, data, self._instants.next(), content_type)
            return blobs[name]

    def delete(self, bucket: str, name: str, precondition: int | None = ANY) -> None:
        with self._lock:
            blobs = self._bucket(bucket)
            self._check(blobs, name, precondition)
            if blobs.pop(name, None) is None:
                raise Failure(404, "NoSuchKey", "The specified key does not exist.")

    def page(self, bucket: str, prefix: str = "", after: str = "", delimiter: str = "", limit: int = 1_000) -> Page:
        """Names above `after`, in order; those with the delimiter behind the prefix as one prefix each."""
        with self._lock:
            blobs = dict(self._bucket(bucket))
        names = sorted((name for name in blobs if name.startswith(prefix)), key=str.encode)
        page = Page([], [], None)
        last = ""
        for name in names[bisect_right(names, after.encode(), key=str.encode) :]:
            rest = name.removeprefix(prefix)
            folder = (
                prefix + rest[: rest.index(delimiter) + len(delimiter)] if delimiter and delimiter in rest else ""
            )
            if folder and folder in (last, after):
                continue
            if len(page.blobs) + len(page.prefixes) == limit:
                return Page(page.blobs, page.prefixes, last)
            if folder:
                page.prefixes.append(folder)
            else:
                page.blobs.append(blobs[name])
            last = folder or name
        return page

    def begin(self, name: str, content_type: str, precondition: int | None = ANY) -> str:
        """An upload in parts; its id."""
        _check_name(name)
        with self._lock:
            id_ = uuid4().hex
            self.uploads[id_] = Upload(name, content_type, precondition)
            return id_

    def upload(self, id_: str) -> Upload:
        with self._lock:
            if id_ not in self.uploads:
                raise Failure(404, "NoSuchUpload", "The requested upload was not found.")
            return self.uploads[id_]

    def finish(self, bucket: str, id_: str, numbers: list[int] | None = None) -> Blob:
        """Put the parts together, in order."""
        upload = self.upload(id_)
        wanted = sorted(upload.parts) if numbers is None else numbers
        if any(number not in upload.parts for number in wanted):
            raise Failure(400, "InvalidPart", "One or more of the specified parts could not be found.")
        data = b"".join(upload.parts[number] for number in wanted)
        blob = self.put(bucket, upload.name, data, upload.content_type, upload.precondition)
        self.uploads.pop(id_, None)
        return blob

    def _bucket(self, bucket: str) -> dict[str, Blob]:
        if bucket not in self._buckets:
            if not self._makes_any:
                raise Failure(404, "NoSuchBucket", "The specified bucket does not exist.")
            self._buckets[bucket] = {}
        return self._buckets[bucket]

    @staticmethod
    def _check(blobs: dict[str, Blob], name: str, precondition: int | None) -> None:
        there = blobs[name].generation if name in blobs else 0
        if precondition is not ANY and precondition != there:
            raise Failure(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")


@dataclass
class _Fault:
    method: str
    status: int
    left: int
    after: bool


@dataclass
class HttpFaults:
    """What goes wrong, by HTTP method; and every request that came, as "METHOD path"."""

    requests: list[str] = field(default_factory=list)
    _planned: list[_Fault] = field(default_factory=list)
    _down: bool = False

    def fail(self, method: str, status: int, times: int = 1, *, after: bool = False) -> None:
        """The next requests fail; `after` lets them have their effect and loses the answer."""
        self._planned.append(_Fault(method, status, times, after))

    @contextmanager
    def down(self) -> Iterator[None]:
        """Every request is answered with 503 until the block ends."""
        self._down = True
        try:
            yield
        finally:
            self._down = False

    def clear(self) -> None:
        self._planned.clear()
        self.requests.clear()

    def meet(self, method: str, path: str) -> int | None:
        """Called before the work: raises what fails at once, returns the status that replaces the answer."""
        self.requests.append(f"{method} {path}")
        if self._down:
            raise Failure(503, "ServiceUnavailable", "The service is down.")
        for fault in self._planned:
            if fault.left > 0 and fault.method == method:
                fault.left -= 1
                if fault.after:
                    return fault.status
                raise Failure(fault.status, "Fault", "a fault of the test's")
        return None


def _check_name(name: str) -> None:
    """cloud.google.com/storage/docs/objects#naming"""
    size = len(name.encode())
    if not 1 <= size <= MAX_NAME_BYTES:
        raise Failure(400, "KeyTooLong", "The specified key is too long.")
    if name in (".", "..") or set(name) & {"\r", "\n"} or name.startswith(".well-known/acme-challenge/"):
        raise Failure(400, "InvalidObjectName", "The specified object name is not valid.")


def http_date(at: float) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(at))


def iso_date(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(at)) + f"{int(at * 1_000) % 1_000:03d}Z"
