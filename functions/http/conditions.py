"""Conditional requests (RFC 9110, section 13): what a change is allowed to change, by the version that was read."""

import re
from typing import Final

from starlette.requests import Request

from functions.http.problems import Refused
from shared.errors import InvalidInput
from shared.ports import ABSENT

HEADERS: Final = {
    "If-Match": "The `ETag` that was read, so that nobody else's change is lost; `*` where any version will do.",
    "If-None-Match": "`*` where there must be nothing yet.",
}
_TAGS: Final = re.compile(r'\s*(?:(?:W/)?"[^"]*"\s*(?:,\s*)*)+')
_TAG: Final = re.compile(r'(?:W/)?"[^"]*"')


def etag(version: str) -> str:
    """A version as a strong entity tag."""
    return f'"{version}"'


def not_modified(request: Request, version: str) -> bool:
    """Whether the caller holds this version already; what cannot be read is left aside, as for any cache."""
    told = ", ".join(request.headers.getlist("if-none-match"))
    return told.strip() == "*" or etag(version) in {tag.removeprefix("W/") for tag in _TAG.findall(told)}


def expected_version(request: Request, current: str | None) -> str | None:
    """What a write must find, for `Table.put`: a version, ABSENT, or None where the request sets no condition.

    `current` is the version that is there now, None where nothing is. Raises Refused (412) when it is not what the
    request asks for, InvalidInput (400) when that cannot be read.
    """
    wanted, unwanted = _tags(request, "if-match"), _tags(request, "if-none-match")
    if wanted is None and unwanted is None:
        return None
    if wanted is not None and (current is None or not ({"*", etag(current)} & wanted)):
        raise changed()
    if unwanted is not None and current is not None and {"*", etag(current)} & unwanted:
        raise changed()
    return ABSENT if current is None else current


def changed() -> Refused:
    """Another version is there than the request expects."""
    return Refused(
        "What is stored here is not the version that the request asks for. Read it again, and decide anew.",
        status=412,
        reason="version",
    )


def _tags(request: Request, name: str) -> set[str] | None:
    """The tags of a header; None where it is not there."""
    given = request.headers.getlist(name)
    if not given:
        return None
    told = ", ".join(given).strip()
    if told == "*":
        return {"*"}
    if not _TAGS.fullmatch(told):
        raise InvalidInput(f"{name}: give the `ETag` as it was answered, quotes included, or *.", reason="header")
    return {*_TAG.findall(told)}
