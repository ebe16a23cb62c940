"""Recorded reports as messages to post, in each format that Grandstand takes.

Every message carries an `Idempotency-Key` made of its own bytes and its place in the file, so that posting a file
twice counts nothing twice wherever the format lets the suite tell.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from itertools import chain, count, groupby
from typing import Any, BinaryIO, Final
from urllib.parse import quote, unquote

import orjson

from lab.sender import Message

MAX_EVENTS: Final = 500
MAX_BYTES: Final = 1_000_000
SEGMENT_CALLS: Final = 100
SEGMENT_BYTES: Final = 400_000

_CMCD_QUERY: Final = re.compile(r"(?:^|[?&\s\"'])CMCD=([^&\s\"'#]*)")
_CMCD_HEADERS: Final = ("cmcd-object", "cmcd-request", "cmcd-session", "cmcd-status")
_CID: Final = re.compile(r'(?:^|(?<=,))\s*cid=(?:"(?:[^"\\]|\\.)*"|[^,]*)(?:,|$)')

Document = dict[str, Any]


def native(lines: BinaryIO, content: str | None) -> Iterator[Message]:
    """NDJSON of events, or of bodies as they were posted; or one JSON array, or one body."""
    number = count()
    for posted, documents in groupby(_documents(lines), lambda document: _events_of(document[1]) is not None):
        if posted:
            for _, body in documents:
                events = [_with(event, content_id=content) for event in _events_of(body) or []]
                told = orjson.dumps({**(body or {}), "events": events})
                yield _message("/v1/events", told, "application/json", len(events), next(number))
        else:
            loose = (_text(text, told, content_id=content) for text, told in documents)
            for chunk in _chunks(loose, MAX_EVENTS, MAX_BYTES):
                yield _message("/v1/events", b"\n".join(chunk), "application/x-ndjson", len(chunk), next(number))


def cloudevents(lines: BinaryIO, content: str | None) -> Iterator[Message]:
    """Structured CloudEvents, one a line or a JSON array."""

    def events() -> Iterator[bytes]:
        for text, told in _documents(lines):
            if told is not None and "data" in told:
                told["data"] = _with(told["data"], content_id=content)
            yield _text(text, told, subject=content)

    for number, chunk in enumerate(_chunks(events(), MAX_EVENTS, MAX_BYTES)):
        body = b"[" + b",".join(chunk) + b"]"
        yield _message("/v1/events", body, "application/cloudevents-batch+json", len(chunk), number)


def segment(lines: BinaryIO, content: str | None) -> Iterator[Message]:
    """Segment's calls, one a line or a JSON array, or batches as they were posted."""

    def calls() -> Iterator[bytes]:
        for text, told in _documents(lines):
            if told is None:
                yield text
                continue
            batch = told.get("batch")
            for call in batch if isinstance(batch, list) else [told]:
                if isinstance(call, dict) and content is not None:
                    call["properties"] = _with(call.get("properties") or {}, content_asset_id=content)
                yield orjson.dumps(call)

    for number, chunk in enumerate(_chunks(calls(), SEGMENT_CALLS, SEGMENT_BYTES)):
        body = b'{"batch":[' + b",".join(chunk) + b"]}"
        yield _message("/v1/batch", body, "application/json", len(chunk), number)


def cmcd_query(lines: BinaryIO, content: str | None) -> Iterator[Message]:
    """A log with a URL or query string that holds `CMCD=` on each line; lines without one are passed over."""
    for number, line in enumerate(lines):
        found = _CMCD_QUERY.search(line.decode(errors="replace"))
        if found:
            told = found[1] if content is None else quote(_of_content(unquote(found[1]), content), safe="")
            yield _get(f"/v1/cmcd?CMCD={told}", {}, number)


def cmcd_headers(lines: BinaryIO, content: str | None) -> Iterator[Message]:
    """Each request's headers: a JSON object a line, or lines of headers with a blank line between requests."""
    for number, headers in enumerate(_header_blocks(lines)):
        told = {name: value for name, value in headers.items() if name.lower() in _CMCD_HEADERS}
        if not told:
            continue
        if content is not None:
            told = {name: _CID.sub("", value).strip(",") for name, value in told.items()}
            session = next((name for name in told if name.lower() == "cmcd-session"), "CMCD-Session")
            told[session] = _of_content(told.get(session, ""), content)
        yield _get("/v1/cmcd", {name: value for name, value in told.items() if value}, number)


FORMATS: Final[dict[str, Callable[[BinaryIO, str | None], Iterator[Message]]]] = {
    "native": native,
    "cmcd-query": cmcd_query,
    "cmcd-headers": cmcd_headers,
    "segment": segment,
    "cloudevents": cloudevents,
}


def _documents(lines: BinaryIO) -> Iterator[tuple[bytes, Document | None]]:
    """Each JSON document and, where it is an object, what it says. What is no JSON is left for the suite to judge."""
    first = next((line for line in lines if line.strip()), b"")
    told = _parsed(first)
    if first.lstrip()[:1] in (b"[", b"{") and not isinstance(told, dict):
        whole = first + lines.read()
        told = _parsed(whole)
        if isinstance(told, list | dict):
            for element in told if isinstance(told, list) else [told]:
                yield orjson.dumps(element), element if isinstance(element, dict) else None
            return
        lines_left: Iterable[bytes] = whole.splitlines()
    else:
        lines_left = chain([first], lines)
    for line in lines_left:
        text = line.strip()
        if text:
            told = _parsed(text)
            yield text, told if isinstance(told, dict) else None


def _events_of(told: Document | None) -> list[Any] | None:
    """A posted body's events; None for what is no such body."""
    events = told.get("events") if told is not None else None
    return events if isinstance(events, list) else None


def _with(told: Any, **members: str | None) -> Any:
    """An object with these members, those that are None left as they are; anything but an object as it is."""
    if not isinstance(told, dict):
        return told
    return {**told, **{name: value for name, value in members.items() if value is not None}}


def _text(text: bytes, told: Document | None, **members: str | None) -> bytes:
    """A document's JSON with these members; its own bytes where nothing is asked for."""
    unchanged = told is None or not any(members.values())
    return text if unchanged else orjson.dumps(_with(told, **members))


def _parsed(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _chunks(items: Iterable[bytes], most: int, most_bytes: int) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    size = 0
    for item in items:
        if chunk and (len(chunk) == most or size + len(item) > most_bytes):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += len(item) + 1
    if chunk:
        yield chunk


def _header_blocks(lines: BinaryIO) -> Iterator[dict[str, str]]:
    block: dict[str, str] = {}
    for line in lines:
        text = line.decode(errors="replace").strip()
        if text.startswith("{"):
            told = _parsed(text.encode())
            if isinstance(told, dict):
                yield {str(name): str(value) for name, value in told.items()}
        elif ":" in text:
            name, _, value = text.partition(":")
            block[name.strip()] = value.strip()
        elif block:
            yield block
            block = {}
    if block:
        yield block


def _of_content(told: str, content: str) -> str:
    """CMCD that names this content and no other."""
    escaped = content.replace("\\", "\\\\").replace('"', '\\"')
    rest = _CID.sub("", told).strip(",")
    return f'cid="{escaped}"' + (f",{rest}" if rest else "")


def _message(path: str, body: bytes, media_type: str, events: int, number: int) -> Message:
    headers = {"content-type": media_type, "idempotency-key": _key(body, number)}
    return Message(path, body, headers=headers, events=events)


def _get(path: str, headers: dict[str, str], number: int) -> Message:
    key = _key(repr((path, sorted(headers.items()))).encode(), number)
    return Message(path, headers={**headers, "idempotency-key": key}, method="GET")


def _key(told: bytes, number: int) -> str:
    return f"replay-{number}-{blake2b(told, digest_size=16).hexdigest()}"
