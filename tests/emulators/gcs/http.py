"""A request and its answer, apart from any server."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from tests.emulators.gcs.store import Blob, Failure, http_date

RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Request:
    """`path` is the raw one; `query` holds one value for each name; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def parse(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> "Request":
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        return cls(method, parts.path, query, {name.lower(): value for name, value in headers.items()}, body)

    def segments(self, count: int) -> list[str]:
        """The path's first segments, decoded; the last holds the rest, slashes and all."""
        found = [unquote(part) for part in self.path.lstrip("/").split("/", count - 1)]
        return found + [""] * (count - len(found))

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "application/octet-stream")


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def media(blob: Blob, request: Request) -> Answer:
    """An object's bytes, or those of a range."""
    headers = blob_headers(blob)
    wanted = RANGE.fullmatch(request.headers.get("range", ""))
    if wanted is None:
        return Answer(200, blob.data, headers)
    size = len(blob.data)
    first, last = wanted.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1 if first and last else size, size)
    if start >= size:
        raise Failure(416, "InvalidRange", "The requested range cannot be satisfied.")
    return Answer(206, blob.data[start:end], {**headers, "Content-Range": f"bytes {start}-{end - 1}/{size}"})


def blob_headers(blob: Blob) -> dict[str, str]:
    return {
        "ETag": f'"{blob.md5.hex()}"',
        "Content-Type": blob.content_type,
        "Last-Modified": http_date(blob.written_at),
        "x-goog-generation": str(blob.generation),
        "x-goog-metageneration": "1",
        "x-goog-hash": f"md5={b64encode(blob.md5).decode()}",
        "x-goog-stored-content-length": str(len(blob.data)),
    }
