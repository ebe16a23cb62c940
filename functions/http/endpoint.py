"""What an HTTP function offers: its endpoints, with all that the OpenAPI document says of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from starlette.requests import Request
from starlette.responses import Response


class Scope(Enum):
    """Which credential opens an endpoint (design, section 6)."""

    OPEN = "open"
    WRITE = "write"
    PUBLISH = "publish"
    VIEWER = "viewer"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Doc:
    """An endpoint's part of the OpenAPI document; made only when that document is.

    `query` is a pydantic model, one field a parameter. `request` maps media types to a pydantic model or a JSON
    Schema. `answers` maps statuses to a model or a JSON Schema (both mean `application/json`), to a mapping of media
    types to those, or to None where there is no body. Problem documents are listed in `problems` by status, beyond
    those that the edge itself can answer with.
    """

    query: type[Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[int, Any] = field(default_factory=dict)
    problems: tuple[int, ...] = ()
    tag: str | None = None
    """What the document lists the endpoint under; the word after `/v1/` where it says nothing."""
    body_required: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path and its methods. `handle` raises `shared.errors`; the app answers with a problem document."""

    methods: tuple[str, ...]
    path: str
    handle: Callable[[Request], Awaitable[Response]]
    scope: Scope
    summary: str
    document: Callable[[], Doc] | None = Doc
    """None leaves it out of the OpenAPI document, as a file of a page is."""
    cors: bool = False
    """Whether a page of another origin may call it (players with a write key, widgets with a publish key)."""
    key_in_body: Callable[[bytes, Mapping[str, str]], str | None] | None = None
    """Reads a write key off the body and the headers (by lower-case name), where the protocol has it there."""
