"""A suite small enough to see through: one endpoint appends, one function counts, one schedule ticks."""

import asyncio
import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from functions.http.endpoint import Endpoint, Scope
from functions.manifest import Every, Function, Http, OnStream
from shared.errors import Misconfigured, VersionConflict
from shared.ports import ABSENT, Ports
from shared.settings import Settings
from shared.stream import DONE, Answer, BatchHandler, Deadline, NewRecord, Record


def http(ports: Ports, settings: Settings) -> list[Endpoint]:
    async def append(request: Request) -> Response:
        word = await request.body()
        await asyncio.sleep(float(request.query_params.get("slow", "0")))
        record = NewRecord(blake2b(word, digest_size=16).digest(), f"words#{len(word)}", word)
        (failure,) = await asyncio.to_thread(ports.stream("events").append, [record])
        return JSONResponse({"failure": failure}, 202 if failure is None else 503)

    async def counted(_: Request) -> Response:
        item = ports.table("words").get("all", "words")
        return JSONResponse(json.loads(item.value) if item else [])

    async def ticks(_: Request) -> Response:
        return JSONResponse(ports.table("words").get("all", "ticks") is not None)

    return [
        Endpoint(("POST",), "/v1/words", append, Scope.WRITE, "Append a word"),
        Endpoint(("GET",), "/v1/words", counted, Scope.OPERATOR, "The words counted so far"),
        Endpoint(("GET",), "/v1/ticks", ticks, Scope.OPERATOR, "Whether the schedule has run"),
    ]


def count(ports: Ports, settings: Settings) -> BatchHandler:
    def handle(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer]:
        words = {record.body.decode()[:40] for record in records}
        while True:
            item = ports.table("words").get("all", "words")
            known = set(json.loads(item.value)) if item else set()
            try:
                version = item.version if item else ABSENT
                ports.table("words").put(
                    "all", "words", json.dumps(sorted(known | words)).encode(), if_version=version
                )
            except VersionConflict:
                continue
            return [DONE] * len(records)

    return handle


def tick(ports: Ports, settings: Settings) -> Any:
    return lambda deadline: ports.table("words").put("all", "ticks", b"1")


def hopeless(ports: Ports, settings: Settings) -> Any:
    raise Misconfigured("no mail server is set; set GRANDSTAND_SMTP")


FUNCTIONS = (
    Function("words", "tests.e2e.tiny:http", Http()),
    Function("count", "tests.e2e.tiny:count", OnStream("events", 100, 0)),
    Function("tick", "tests.e2e.tiny:tick", Every(1)),
)
WITHOUT_PACKAGE = (*FUNCTIONS, Function("mail", "tests.e2e.no_such_package:make", Every(1)))
HOPELESS = (*FUNCTIONS, Function("mail", "tests.e2e.tiny:hopeless", Every(1)))
