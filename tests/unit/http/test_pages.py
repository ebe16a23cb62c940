"""The OpenAPI document and its page."""

import re
import sys
from subprocess import run
from typing import Any

import pytest
from pydantic import BaseModel, Field

from functions.http.endpoint import Doc, Endpoint, Scope
from functions.http.openapi import openapi
from shared.settings import Settings
from tests.unit.http.stage import EVERY_SCOPE, client, echo, local


class Inner(BaseModel):
    count: int


class Answer(BaseModel):
    inner: list[Inner]


class Query(BaseModel):
    since: int = Field(alias="from", description="When it begins")
    limit: int = 10


def document() -> Doc:
    report = {"type": "object", "properties": {"one": {"$ref": "#/$defs/One"}}, "$defs": {"One": {"type": "string"}}}
    listed = {"type": "array", "items": {"$ref": "#/$defs/Two"}, "$defs": {"Two": {}}}
    return Doc(
        query=Query,
        headers={"Idempotency-Key": "Names the body"},
        request={"application/json": Inner, "application/x-report": report},
        answers={200: Answer, 202: listed, 204: None},
        problems=(422,),
    )


REPORT = Endpoint(("GET", "POST"), "/v1/things/{id}/report", echo, Scope.WRITE, "Reports", document)


def spec(*, loopback: bool = False) -> dict[str, Any]:
    return openapi([REPORT, *EVERY_SCOPE], Settings(), loopback=loopback)


def test_a_query_model_becomes_parameters_beside_those_of_path_and_headers() -> None:
    parameters = spec()["paths"]["/v1/things/{id}/report"]["get"]["parameters"]
    told = [(one["name"], one["in"], one["required"]) for one in parameters]
    assert told == [
        ("id", "path", True),
        ("Idempotency-Key", "header", False),
        ("from", "query", True),
        ("limit", "query", False),
    ]


def test_bodies_and_answers_refer_to_components_that_are_there() -> None:
    said = spec()
    operations = said["paths"]["/v1/things/{id}/report"]
    assert set(operations["post"]["requestBody"]["content"]) == {"application/json", "application/x-report"}
    assert "requestBody" not in operations["get"]
    assert operations["post"]["responses"]["204"] == {"description": "No Content"}
    named = set(re.findall(r"'#/components/schemas/(\w+)'", str(said)))
    assert named == {"Problem", "Inner", "Answer", "One", "Two"} <= set(said["components"]["schemas"])
    assert "$defs" not in str(said)


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_the_edge_may_answer_is_documented_everywhere(method: str) -> None:
    responses = spec()["paths"]["/v1/things/{id}/report"][method]["responses"]
    assert set(responses) == {"200", "202", "204", "400", "401", "403", "404", "413", "422", "500", "503"}
    assert set(responses["401"]["headers"]) == {"WWW-Authenticate"}
    assert set(responses["503"]["headers"]) == {"Retry-After"}


def test_each_scope_names_the_credentials_that_open_it() -> None:
    paths = spec()["paths"]
    schemes = spec()["components"]["securitySchemes"]

    def opened_by(path: str, method: str = "get") -> set[str]:
        names = {name for one in paths[path][method]["security"] for name in one}
        assert names <= set(schemes)
        return names

    assert opened_by("/v1/events", "post") == {"writeKey", "writeKeyHeader", "writeKeyQuery", "writeKeyBasic"}
    assert opened_by("/v1/contents/top") == {"publishKey", "publishKeyQuery", "operatorKey"}
    assert opened_by("/v1/viewers/{id}/watch-time") == {"viewerToken", "operatorKey"}
    assert opened_by("/v1/completeness") == {"operatorKey"}


def test_on_loopback_credentials_are_optional() -> None:
    assert {} in spec(loopback=True)["paths"]["/v1/completeness"]["get"]["security"]
    assert {} not in spec()["paths"]["/v1/completeness"]["get"]["security"]


def test_the_served_document_lists_itself_and_its_neighbours() -> None:
    answer = client().get("/openapi.json")
    assert answer.json()["openapi"] == "3.1.0"
    assert {"/healthz", "/openapi.json", "/docs", "/v1/completeness"} <= set(answer.json()["paths"])


def test_the_page_asks_nothing_of_any_other_host() -> None:
    answer = client().get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert re.findall(r"script-src 'sha256-[^']+'; style-src 'sha256-[^']+'", policy)
    assert not re.search(r"(src|href)=\"(https?:)?//", answer.text)


def test_serving_loads_neither_models_nor_tokens_before_they_are_needed() -> None:
    code = "import functions.http.app, sys; print(*sys.modules)"
    loaded = run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "functions.http.app" in loaded
    assert not {"pydantic", "jwt", "numpy", "cryptography", "httpx"} & set(loaded)


def test_a_query_is_read_whole_or_refused_with_each_reason() -> None:
    from functions.http.answer import json_answer, read_query

    async def read(request: Any) -> Any:
        query = read_query(request, Query)
        return json_answer({"from": query.since, "limit": query.limit})

    stage = local(Endpoint(("GET",), "/q", read, Scope.OPEN, "Reads"))
    assert stage.get("/q?from=3&key=k").json() == {"from": 3, "limit": 10}
    refused = stage.get("/q?limit=many")
    assert refused.status_code == 400
    assert "from: Field required" in refused.json()["detail"]
    assert "limit: Input should be a valid integer" in refused.json()["detail"]
    assert stage.get("/q?from=1&from=2").json()["detail"] == "Give from once."
