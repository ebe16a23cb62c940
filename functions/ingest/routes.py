"""Ingest over HTTP: native events, CloudEvents, CMCD, and Segment's API."""

import asyncio
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from events import cloudevents, cmcd, segment
from events.event import Body
from functions.http.answer import json_answer
from functions.http.endpoint import Endpoint, Scope
from functions.http.problems import problem
from functions.ingest import documents
from functions.ingest.handler import Ingest, Receipt, Sent
from functions.ingest.packing import Packing
from functions.ingest.unpack import unpack
from shared.errors import InvalidInput
from shared.ports import Ports
from shared.privacy.pseudonym import pseudonym
from shared.settings import Settings
from shared.units import WINDOW_MS
from shared.viewing.attributes import put_attributes

INLINE_BYTES: Final = 256 * 1024
"""Larger bodies are decoded in a worker thread, so that they hold up nobody else's."""
EXPANSION: Final = 8
"""How much larger a compressed body is taken to be."""
JSON_TYPES: Final = ("application/json", "text/json")
LINE_TYPES: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
FLAGS: Final = {None: None, "true": True, "1": True, "false": False, "0": False}

Headers = Mapping[str, str]
Answer = TypeVar("Answer")


def make(ports: Ports, settings: Settings) -> list[Endpoint]:
    """The endpoints of ingest."""
    routes = Routes(ports, settings)
    write = partial(Endpoint, scope=Scope.WRITE, cors=True)
    return [
        write(("POST",), "/v1/events", routes.take_events, summary="Report events", document=documents.events),
        write(("GET", "POST"), "/v1/cmcd", routes.take_cmcd, summary="Report CMCD", document=documents.cmcd),
        *(
            write(
                ("POST",),
                f"/v1/{kind}",
                partial(routes.take_segment, kind),
                summary=f"Segment's {kind} call",
                document=documents.segment,
                key_in_body=routes.segment_key,
            )
            for kind in segment.KINDS
        ),
    ]


class Routes:
    """The handlers, and the instance of ingest that they share."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._ports = ports
        self._ingest = Ingest(ports, settings)
        self._extra_fields = frozenset(settings.extra_fields)
        self._max_events = settings.max_events_per_body

    async def take_events(self, request: Request) -> Response:
        """Events in Grandstand's own format or in CloudEvents."""
        decode = self._decoder(request.headers)
        sent = await _sent(request)

        def work() -> tuple[Packing, Receipt]:
            data = self._ingest.unpack(sent)
            return self._ingest.pack(decode(data), data, sent, "sent_at")

        packing, receipt = await _apart(sent, work)
        await self._ingest.append(packing)
        return _answer(receipt)

    async def take_cmcd(self, request: Request) -> Response:
        """One report in the query or in headers, or several in the body."""
        sent = await _sent(request)

        def work() -> tuple[Packing, Receipt]:
            data = self._ingest.unpack(sent)
            return self._ingest.pack(self._cmcd_body(request, data), data, sent)

        packing, receipt = await _apart(sent, work)
        await self._ingest.append(packing)
        return Response(status_code=204) if receipt.accepted else nothing_valid(receipt)

    async def take_segment(self, kind: str, request: Request) -> Response:
        """A call of Segment's; attributes first, for they may be told twice."""
        sent = await _sent(request)

        def work() -> tuple[segment.SegmentCall, Packing]:
            data = self._ingest.unpack(sent)
            call = segment.decode(kind, data, self._ingest.now_ms(), extra_fields=self._extra_fields)
            packing, _ = self._ingest.pack(call.body, data, sent, "sentAt")
            return call, packing

        call, packing = await _apart(sent, work)
        if call.identifies:
            await asyncio.to_thread(self._put_attributes, call)
        await self._ingest.append(packing)
        return json_answer({"success": True})

    def segment_key(self, body: bytes, headers: Headers) -> str | None:
        """The write key that a call of Segment's carries."""
        try:
            plain = unpack(body, headers.get("content-encoding", ""), segment.MAX_BATCH_BYTES)
        except InvalidInput:
            return None
        return segment.write_key_of(plain)

    def _decoder(self, headers: Headers) -> Callable[[bytes], Body]:
        native = self._ingest.native
        if cloudevents.is_cloudevent(headers):
            return partial(cloudevents.decode, headers, native=native, max_events=self._max_events)
        match _media_type(headers):
            case media_type if media_type in JSON_TYPES:
                return native.decode
            case media_type if media_type in LINE_TYPES:
                return native.decode_lines
            case "text/plain" | "":
                return native.decode_text
            case other:
                raise InvalidInput(
                    f"Content-Type {other[:80]!r} is not known; send application/json, application/x-ndjson, "
                    "text/plain or CloudEvents",
                    status=415,
                    reason="media-type",
                )

    def _cmcd_body(self, request: Request, data: bytes) -> Body:
        query, now = request.query_params, self._ingest.now_ms()
        context = cmcd.CmcdContext(
            content_id=query.get("content"),
            user_agent=request.headers.get("user-agent"),
            consent=query.get("consent"),
            child=_flag(query.get("child")),
            report_every_seconds=_seconds(query.get("report_every_seconds")),
            extra_fields=self._extra_fields,
            max_reports=self._max_events,
        )
        if data.strip():
            return cmcd.from_event_lines(data, now, context=context)
        if "CMCD" in query:
            return cmcd.from_query(request.url.query, now, context=context)
        return cmcd.from_headers(request.headers, now, context=context)

    def _put_attributes(self, call: segment.SegmentCall) -> None:
        """What identify calls say, under the pseudonym that holds at their own time."""
        now, table = self._ingest.now_ms(), self._ports.table("viewers")
        ahead = call.body.sent_at - now if call.body.sent_at is not None else 0
        for each in call.identifies:
            moment = min(each.timestamp - ahead, now)
            key = self._ingest.key_ring().at(moment // WINDOW_MS)
            viewer = pseudonym(key.secret, each.viewer_id)
            put_attributes(table, viewer, each.attributes, moment, each.consent, child=each.child)


def nothing_valid(receipt: Receipt) -> Response:
    """Every event was rejected, or there was none."""
    told = receipt.as_json()
    said = "no event of the body was taken; `rejected` says why, event by event"
    return problem(
        422,
        said if receipt.rejected else "there is no event in the body; send one at least",
        reason="nothing-valid",
        extensions={name: told[name] for name in ("accepted", "rejected", "report_every_seconds")},
    )


def _answer(receipt: Receipt) -> Response:
    return json_answer(receipt.as_json(), 202) if receipt.accepted else nothing_valid(receipt)


async def _sent(request: Request) -> Sent:
    headers = request.headers
    return Sent(
        data=await request.body(),
        source=request.state.source,
        encoding=headers.get("content-encoding", ""),
        idempotency_key=headers.get("idempotency-key"),
    )


async def _apart(sent: Sent, work: Callable[[], Answer]) -> Answer:
    """Do the work here when it is small, else in a worker thread."""
    expected = len(sent.data) * (EXPANSION if sent.encoding else 1)
    return work() if expected <= INLINE_BYTES else await asyncio.to_thread(work)


def _flag(said: str | None) -> bool | None:
    """What a query says of a yes or no. Raises InvalidInput for what is neither: a child must not be overlooked."""
    if said not in FLAGS:
        raise InvalidInput("child must be true or false", reason="query")
    return FLAGS[said]


def _seconds(said: str | None) -> int | None:
    if said is not None and not re.fullmatch("[0-9]{1,9}", said):
        raise InvalidInput("report_every_seconds must be a whole number of seconds", reason="query")
    return None if said is None else int(said)


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
