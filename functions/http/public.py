"""Answers at publish scope: the same for everyone where a publish key may see all that is in them."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from functions.http.endpoint import Scope
from shared.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Made:
    """An answer and whether a publish key would get the very same."""

    body: bytes
    public: bool


def is_public(request: Request) -> bool:
    """Whether a publish key asks, which opens listed contents only."""
    caller = request.state.caller
    return caller is not None and caller.scope is Scope.PUBLISH


def answered(request: Request, made: Made, kept_seconds: int = 1) -> Response:
    """A CDN may keep what is public for so long. At one address keys of two scopes may be told differently.

    Some CDNs keep nothing that varies by Authorization, so that is said only where the address does not hold the key.
    """
    headers = {}
    if "key" not in request.query_params or "authorization" in request.headers:
        headers["Vary"] = "Authorization"
    if made.public:
        headers["Cache-Control"] = f"public, s-maxage={kept_seconds}"
    return Response(made.body, headers=headers, media_type="application/json")


def unknown_content() -> InvalidInput:
    """Nothing was ever said of it, or a publish key may not know that anything was."""
    return InvalidInput(
        "Nothing has been reported of a content with this id. Check its spelling, "
        "or see /v1/contents/top for what is watched.",
        status=404,
        reason="no-such-content",
    )
