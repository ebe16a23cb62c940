"""The OpenAPI 3.1 document, made from the endpoints and their models; imported only when it is asked for."""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.http.endpoint import Doc, Endpoint, Scope
from functions.http.problems import MEDIA_TYPE
from shared.settings import Settings

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]
REF: Final = "#/components/schemas/{model}"

PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "RFC 9457. `detail` says what to do; `type` names the kind of problem and does not change.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
    },
    "required": ["type", "title", "status", "detail", "instance"],
}
SCHEMES: Final[Schema] = {
    "writeKey": {"type": "http", "scheme": "bearer", "description": "A write key as a Bearer token."},
    "writeKeyHeader": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Write-Key",
        "description": "A write key in `X-Write-Key`.",
    },
    "writeKeyQuery": {
        "type": "apiKey",
        "in": "query",
        "name": "key",
        "description": "A write key as `?key=`, for `sendBeacon`, which sets no headers.",
    },
    "writeKeyBasic": {"type": "http", "scheme": "basic", "description": "A write key as Basic's user name."},
    "publishKey": {"type": "http", "scheme": "bearer", "description": "A publish key as a Bearer token."},
    "publishKeyQuery": {"type": "apiKey", "in": "query", "name": "key", "description": "A publish key as `?key=`."},
    "viewerToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The platform's own sign-in, a JWT whose `sub` is the viewer's id.",
    },
    "operatorKey": {"type": "http", "scheme": "bearer", "description": "An operator key as a Bearer token."},
}
OPENED_BY: Final = {
    Scope.OPEN: (),
    Scope.WRITE: ("writeKey", "writeKeyHeader", "writeKeyQuery", "writeKeyBasic"),
    Scope.PUBLISH: ("publishKey", "publishKeyQuery", "operatorKey"),
    Scope.VIEWER: ("viewerToken", "operatorKey"),
    Scope.OPERATOR: ("operatorKey",),
}


def openapi(endpoints: Sequence[Endpoint], settings: Settings, *, loopback: bool) -> Schema:
    """The document of `endpoints`. On loopback the credentials are optional, and so the document says."""
    docs = [(endpoint, endpoint.document()) for endpoint in endpoints if endpoint.document]
    models = Models(docs)
    paths: Schema = {}
    for endpoint, doc in docs:
        operations = paths.setdefault(re.sub(r":path\}", "}", endpoint.path), {})
        for method in endpoint.methods:
            operations[method.lower()] = {
                **_operation(method, endpoint, doc, models),
                **_body(method, doc, models, settings),
                "security": _security(endpoint.scope, loopback),
            }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Grandstand",
            "version": _version(),
            "description": "Players report what viewers do; operators see the audience within two seconds.",
        },
        "paths": paths,
        "components": {"schemas": {"Problem": PROBLEM, **models.components}, "securitySchemes": SCHEMES},
    }


class Models:
    """The JSON Schemas of every model that the endpoints speak of, under one set of names."""

    def __init__(self, docs: Sequence[tuple[Endpoint, Doc]]) -> None:
        wanted = list(dict.fromkeys(pair for _, doc in docs for pair in _models(doc)))
        refs, document = models_json_schema(wanted, ref_template=REF)
        self._refs: Mapping[tuple[Any, Mode], Schema] = refs
        self.components: Schema = dict(document.get("$defs", {}))

    def schema(self, spoken: Any, mode: Mode) -> Schema:
        """The schema of a model (by reference) or of a JSON Schema, whose own definitions become components."""
        if not isinstance(spoken, dict):
            return self._refs[spoken, mode]
        self.components.update({name: _rehung(inner) for name, inner in spoken.get("$defs", {}).items()})
        schema: Schema = _rehung(
            {name: member for name, member in spoken.items() if name not in {"$defs", "$schema"}}
        )
        return schema

    def parameters(self, query: Any) -> list[Schema]:
        """One query parameter for each field of a model."""
        schema: Schema = self.components[self._refs[query, "validation"]["$ref"].rpartition("/")[2]]
        return [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "description": member.get("description", ""),
                "schema": member,
            }
            for name, member in schema.get("properties", {}).items()
        ]


def _models(doc: Doc) -> Iterator[tuple[type[BaseModel], Mode]]:
    spoken: list[tuple[Any, Mode]] = [(doc.query, "validation")]
    spoken += [(model, "validation") for model in doc.request.values()]
    for answer in doc.answers.values():
        spoken += [(model, "serialization") for model in _by_media_type(answer).values()]
    for model, mode in spoken:
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield model, mode


def _by_media_type(answer: Any) -> Mapping[str, Any]:
    if answer is None:
        return {}
    if isinstance(answer, Mapping) and any("/" in name for name in answer):
        return answer
    return {"application/json": answer}


def _rehung(schema: Any) -> Any:
    """A JSON Schema whose references into its own `$defs` point to the document's components."""
    if isinstance(schema, dict):
        return {
            name: member.replace("#/$defs/", "#/components/schemas/") if name == "$ref" else _rehung(member)
            for name, member in schema.items()
        }
    return [_rehung(member) for member in schema] if isinstance(schema, list) else schema


def _operation(method: str, endpoint: Endpoint, doc: Doc, models: Models) -> Schema:
    return {
        "operationId": _operation_id(method, endpoint.path),
        "summary": endpoint.summary,
        "tags": [doc.tag or _tag(endpoint.path)],
        "parameters": [*_parameters(endpoint.path, doc), *(models.parameters(doc.query) if doc.query else ())],
        "responses": _responses(method, endpoint, doc, models),
    }


def _body(method: str, doc: Doc, models: Models, settings: Settings) -> Schema:
    if not doc.request or method in {"GET", "DELETE"}:
        return {}
    content = {media: {"schema": models.schema(spoken, "validation")} for media, spoken in doc.request.items()}
    told = f"At most {settings.max_body_bytes:,} bytes as sent."
    return {"requestBody": {"required": doc.body_required, "description": told, "content": content}}


def _tag(path: str) -> str:
    word = path.split("/")[2] if path.startswith("/v1/") else "suite"
    return word.replace("-", " ").capitalize()


def _operation_id(method: str, path: str) -> str:
    return "_".join([method.lower(), *re.findall(r"\w+", path.replace(":path", ""))])


def _security(scope: Scope, loopback: bool) -> list[Schema]:
    schemes: list[Schema] = [{name: []} for name in OPENED_BY[scope]]
    return [{}, *schemes] if loopback and schemes else schemes


def _parameters(path: str, doc: Doc) -> list[Schema]:
    inside: list[Schema] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": "Any characters, percent-encoded; `/` too.",
            "schema": {"type": "string", "minLength": 1},
        }
        for name in re.findall(r"\{(\w+)", path)
    ]
    return inside + [
        {"name": name, "in": "header", "required": False, "description": told, "schema": {"type": "string"}}
        for name, told in doc.headers.items()
    ]


def _responses(method: str, endpoint: Endpoint, doc: Doc, models: Models) -> Schema:
    responses: Schema = {}
    for status, answer in sorted(doc.answers.items()):
        content = {m: {"schema": models.schema(s, "serialization")} for m, s in _by_media_type(answer).items()}
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            **({"content": content} if content else {}),
        }
    for status in sorted({*doc.problems, *_edge_problems(method, endpoint, doc)}):
        responses[str(status)] = _problem(status)
    return responses


def _edge_problems(method: str, endpoint: Endpoint, doc: Doc) -> set[int]:
    """What the edge itself may answer with."""
    statuses = {403, 413, 500}
    if endpoint.scope is not Scope.OPEN:
        statuses |= {400, 401, 503}
    if "{" in endpoint.path:
        statuses.add(404)
    if method != "GET" or doc.query:
        statuses.add(400)
    return statuses


def _problem(status: int) -> Schema:
    told: Schema = {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    header = {429: "Retry-After", 503: "Retry-After", 401: "WWW-Authenticate"}.get(status)
    if header:
        told["headers"] = {header: {"schema": {"type": "string"}}}
    return told


def _version() -> str:
    try:
        return version("grandstand")
    except PackageNotFoundError:
        return "0"
