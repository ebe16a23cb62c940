"""What stands beside every HTTP function: `/healthz`, `/openapi.json` and `/docs`."""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from functions.http.answer import json_answer
from functions.http.endpoint import Doc, Endpoint, Scope
from shared.errors import Unavailable
from shared.settings import Settings

HEALTHY = {
    "type": "object",
    "properties": {"status": {"const": "ok"}},
    "required": ["status"],
    "additionalProperties": False,
}


def make(
    endpoints: Sequence[Endpoint], settings: Settings, *, loopback: bool, ready: Callable[[], str | None]
) -> list[Endpoint]:
    """The pages for these endpoints; the document is made when it is first asked for."""

    @cache
    def document() -> bytes:
        from functions.http.openapi import openapi

        return orjson.dumps(openapi([*endpoints, *pages], settings, loopback=loopback))

    async def healthz(_: Request) -> Response:
        waiting_for = ready()
        if waiting_for is not None:
            raise Unavailable(f"Not ready: {waiting_for}. Ask again shortly.")
        return json_answer({"status": "ok"})

    async def openapi_json(_: Request) -> Response:
        return Response(await run_in_threadpool(document), media_type="application/json")

    pages = [
        Endpoint(("GET",), "/healthz", healthz, Scope.OPEN, "Whether the suite can serve", _health_doc),
        Endpoint(("GET",), "/openapi.json", openapi_json, Scope.OPEN, "This document", _document_doc),
        Endpoint(("GET",), "/docs", docs, Scope.OPEN, "This document as a page", _page_doc),
    ]
    return pages


async def docs(_: Request) -> Response:
    """A page that draws `/openapi.json` and asks nothing of any other host."""
    page, policy = _page()
    return Response(page, headers={"Content-Security-Policy": policy}, media_type="text/html")


@cache
def _page() -> tuple[bytes, str]:
    page = Path(__file__).with_name("docs.html").read_bytes()
    policy = "; ".join(
        [
            "default-src 'none'",
            "connect-src 'self'",
            f"script-src {_hash_of(b'script', page)}",
            f"style-src {_hash_of(b'style', page)}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
    return page, policy


def _hash_of(tag: bytes, page: bytes) -> str:
    match = re.search(rb"<%s>(.*?)</%s>" % (tag, tag), page, re.DOTALL)
    if match is None:
        raise AssertionError(f"docs.html has no <{tag.decode()}>")
    return f"'sha256-{b64encode(sha256(match[1]).digest()).decode()}'"


def _health_doc() -> Doc:
    return Doc(answers={200: HEALTHY}, problems=(503,))


def _document_doc() -> Doc:
    answer: dict[str, Any] = {"type": "object", "required": ["openapi", "info", "paths"]}
    return Doc(answers={200: answer})


def _page_doc() -> Doc:
    return Doc(answers={200: {"text/html": {"type": "string"}}})
