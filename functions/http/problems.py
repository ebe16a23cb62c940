"""Errors as RFC 9457 problem documents: `type`, `title`, `status`, `detail` (what to do) and `instance`."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from uuid import uuid4

import orjson
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from shared.errors import InvalidInput, Unavailable

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/docs#problem-"
"""A problem's `type` is this and its stable code; it resolves against the address that was asked."""

log = logging.getLogger("grandstand.http")


class Refused(InvalidInput):
    """An InvalidInput that the protocol asks to tell with headers of its own (`WWW-Authenticate`, `Allow`)."""

    def __init__(self, detail: str, *, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, status=status, reason=reason)
        self.headers = headers


def problem(
    status: int,
    detail: str,
    *,
    reason: str,
    headers: Mapping[str, str] | None = None,
    extensions: Mapping[str, object] | None = None,
    instance: str | None = None,
) -> Response:
    """A problem document; `extensions` become members of their own, as RFC 9457, section 3.2 allows."""
    members = {
        "type": TYPE_PREFIX + reason,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance or new_instance(),
        **(extensions or {}),
    }
    return Response(orjson.dumps(members), status, headers, MEDIA_TYPE)


def new_instance() -> str:
    """A name for this one occurrence, which the log carries as well."""
    return f"urn:uuid:{uuid4()}"


def problem_of(error: Exception, where: str) -> Response:
    """What an exception is told as. `where` (a path template, never a path: ids are personal) goes to the log."""
    match error:
        case Refused():
            return problem(error.status, error.detail, reason=error.reason, headers=error.headers)
        case InvalidInput():
            return problem(error.status, error.detail, reason=error.reason)
        case Unavailable():
            headers = {"Retry-After": str(error.retry_after_seconds)}
            return problem(503, error.detail, reason="unavailable", headers=headers)
        case ClientDisconnect():
            return problem(400, "The request ended before its body did. Send it again.", reason="incomplete")
        case _:
            return _unexpected(error, where)


def _unexpected(error: Exception, where: str) -> Response:
    instance = new_instance()
    log.error("%s failed: %s", where, instance, exc_info=error)
    detail = (
        "Something went wrong on our side; nothing is known to be wrong with the request. "
        f"Try again; if it stays so, tell the operator the instance, which is in the log: {instance}"
    )
    return problem(500, detail, reason="internal", instance=instance)
