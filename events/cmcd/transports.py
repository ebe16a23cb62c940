"""The ways in which CMCD travels, each into a Body.

A request for media carries one report, in its query or in four headers (request mode); players post events, one
report a line of `application/cmcd` (event mode of version 2); version 1 also has a JSON form.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from events.cmcd.keys import HEADERS, SHARDS
from events.cmcd.mapping import CmcdContext, NotAnEvent, event_of, is_exact
from events.cmcd.parse import Member, members_of, parse
from events.cmcd.report import report_of
from events.crowds import refuse_crowds, refuse_many
from events.event import Body, Event, Rejection
from shared.errors import InvalidInput

PARAMETER: Final = "CMCD"
MEDIA_TYPE: Final = "application/cmcd"
MAX_REPORT_CHARACTERS: Final = 16_384
MAX_QUERY_FIELDS: Final = 100

NOTHING_HERE: Final = (
    "No CMCD in this request. Send it as ?CMCD=…, in the headers CMCD-Object, CMCD-Request, CMCD-Session and"
    " CMCD-Status, or post application/cmcd with one report a line."
)
TOO_LONG: Final = f"a report may have {MAX_REPORT_CHARACTERS} characters: leave out long keys such as nor or url"


def from_query(query_string: str, received_at: int, *, context: CmcdContext) -> Body:
    """One report in the query parameter `CMCD`, URL-encoded. Raises InvalidInput where there is none."""
    text = _parameter(query_string)
    if text is None:
        raise InvalidInput(NOTHING_HERE, reason="no-cmcd")
    reports = _Reports(received_at, context)
    reports.read(0, text)
    return reports.body(text.encode(errors="replace"))


def from_headers(headers: Mapping[str, str], received_at: int, *, context: CmcdContext) -> Body:
    """One report in up to four `CMCD-*` headers, named in any case. Raises InvalidInput where there is none."""
    shards: dict[str, str] = {}
    for name, value in headers.items():
        shard = name.lower()
        if shard in HEADERS:  # a header that comes twice is one list, as anywhere in HTTP
            shards[shard] = f"{shards[shard]},{value}" if shard in shards else value
    if not shards:
        raise InvalidInput(NOTHING_HERE, reason="no-cmcd")
    reports = _Reports(received_at, context)
    text = "\n".join(shards.values())
    if len(text) > MAX_REPORT_CHARACTERS:
        reports.reject(0, "too_long", TOO_LONG)
    else:
        reports.add(0, _merged(shards, reports.broken))
    return reports.body(text.encode(errors="replace"))


def from_json(body: bytes, received_at: int, *, context: CmcdContext) -> Body:
    """Reports as a JSON object, an array of them, or one a line. Raises InvalidInput for what is not JSON."""
    reports = _Reports(received_at, context)
    for index, report in _json_values(body, context.max_reports):
        if isinstance(report, dict):
            reports.add(index, members_of(report, reports.broken))
        else:
            reports.reject(index, "not_an_object", "a report is a JSON object of CMCD keys")
    return reports.body(body)


def from_event_lines(body: bytes, received_at: int, *, context: CmcdContext) -> Body:
    """Reports of event mode, one a line; a bad line is rejected alone. Raises InvalidInput for an empty body.

    A line may also be a logged query (`CMCD=…`), and the body JSON, since players send both.
    """
    if body.lstrip()[:1] in (b"{", b"["):
        return from_json(body, received_at, context=context)
    reports = _Reports(received_at, context)
    for index, line in _lines(body, context.max_reports):
        try:
            text = line.decode()
        except UnicodeDecodeError:
            reports.reject(index, "unreadable", "the line is not UTF-8")
            continue
        reports.read(index, (_parameter(text) or "") if text.startswith(f"{PARAMETER}=") else text)
    return reports.body(body)


class _Reports:
    """The reports of one request on their way to a Body."""

    def __init__(self, received_at: int, context: CmcdContext) -> None:
        self._received_at = received_at
        self._context = context
        self._events: list[Event] = []
        self._indices: list[int] = []
        self._rejected: list[Rejection] = []
        self._exact = True
        self.broken: Counter[str] = Counter()

    def read(self, index: int, text: str) -> None:
        if len(text) > MAX_REPORT_CHARACTERS:
            self.reject(index, "too_long", TOO_LONG)
        else:
            self.add(index, parse(text, self.broken))

    def add(self, index: int, members: Mapping[str, Member]) -> None:
        report = report_of(members, self.broken)
        if not report:
            self.reject(index, "unreadable", "no key of CMCD in it: send key=value pairs parted by commas")
            return
        try:
            event = event_of(report, self._received_at, self._context)
        except NotAnEvent as error:
            self.reject(index, error.code, error.reason)
            return
        self._exact = self._exact and is_exact(report)
        self._events.append(event)
        self._indices.append(index)

    def reject(self, index: int, code: str, reason: str) -> None:
        self._rejected.append(Rejection(index, code, reason))

    def body(self, identity: bytes) -> Body:
        """Reports that all carry their own identity can only come again as a retry: the same bytes are one batch."""
        if not self._events and not self._rejected:
            raise InvalidInput(NOTHING_HERE, reason="no-cmcd")
        is_batch = self._exact and bool(self._events)
        return Body(
            events=self._events,
            indices=self._indices,
            rejected=self._rejected,
            batch_id="cmcd-" + hashlib.blake2b(identity, digest_size=16).hexdigest() if is_batch else None,
            consent=self._context.consent,
            child=self._context.child,
            normalised=dict(+self.broken),
        )


def _parameter(query_string: str) -> str | None:
    try:
        fields = parse_qsl(query_string, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        raise InvalidInput(f"The query may have {MAX_QUERY_FIELDS} fields.", reason="too-many-fields") from None
    return next((value for name, value in fields if name == PARAMETER), None)


def _merged(shards: Mapping[str, str], broken: Counter[str]) -> dict[str, Member]:
    members: dict[str, Member] = {}
    for name, text in shards.items():
        for key, member in parse(text, broken).items():
            broken["key_in_wrong_header"] += SHARDS.get(key, name) != name
            members[key] = member
    return members


def _json_values(body: bytes, max_reports: int) -> Iterator[tuple[int, Any]]:
    refuse_crowds(body, max_reports)
    try:
        value = _decoded(body)
    except InvalidInput:
        reports = [(index, _report(line)) for index, line in _lines(body, max_reports)]
        if not any(report is not None for _, report in reports):  # not NDJSON either
            raise
        yield from reports
        return
    values = value if isinstance(value, list) else [value]
    refuse_many(len(values), max_reports)
    yield from enumerate(values)


def _report(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a line; None where it is none."""
    try:
        report = _decoded(line)
    except InvalidInput:
        return None
    return report if isinstance(report, dict) else None


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"This is not JSON: {error}. Send an object of CMCD keys.", reason="unreadable") from None


def _lines(body: bytes, max_reports: int) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers from 0; blank lines count for nothing."""
    refuse_crowds(body, max_reports)
    lines = [stripped for line in body.splitlines() if (stripped := line.strip())]
    refuse_many(len(lines), max_reports)
    yield from enumerate(lines)
