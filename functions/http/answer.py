"""Answers: JSON by orjson, queries read into pydantic models."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import InvalidInput

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    Model = TypeVar("Model", bound=BaseModel)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value`, which orjson can write, as an `application/json` answer."""
    return Response(orjson.dumps(value), status, headers, "application/json")


def read_query(request: Request, model: "type[Model]") -> "Model":
    """The query string as `model`. Raises InvalidInput (400) that names each parameter and what it takes.

    A parameter given twice is refused rather than half heard; `key` is the credential's, not the query's.
    """
    from pydantic import ValidationError

    pairs = [(name, value) for name, value in request.query_params.multi_items() if name != "key"]
    given = dict(pairs)
    if len(given) < len(pairs):
        twice = sorted({name for name in given if sum(name == other for other, _ in pairs) > 1})
        raise InvalidInput(f"Give {', '.join(twice)} once.", reason="query")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidInput(f"{_all_told(error)}.", reason="query") from None


async def read_body(request: Request, model: "type[Model]", example: str, *, empty: bytes = b"") -> "Model":
    """The JSON body as `model`, `empty` where there is none; no type is guessed at: 0 is not false.

    Raises InvalidInput (400) that names each field and what it takes, and shows the `example`.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate_json(await request.body() or empty, strict=True)
    except ValidationError as error:
        raise InvalidInput(f"{_all_told(error)}. Send JSON such as {example}.", reason="body") from None


def _all_told(error: "ValidationError") -> str:
    return "; ".join(map(_told, error.errors(include_url=False)))


def _told(error: Mapping[str, Any]) -> str:
    where = ".".join(map(str, error["loc"]))
    message = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{where}: {message}" if where else message


def rfc3339(ms: int) -> str:
    """`2026-11-20T18:00:00Z`; with milliseconds only where there are any."""
    moment = EPOCH + timedelta(milliseconds=ms)
    text = moment.isoformat(timespec="milliseconds" if ms % 1_000 else "seconds")
    return text.replace("+00:00", "Z")
