"""The OpenAPI document of every HTTP function in the manifest."""

import re
from functools import cache
from typing import Any

from functions.http.endpoint import Endpoint, Scope
from functions.http.openapi import openapi
from functions.manifest import FUNCTIONS, Http
from lab.memory import memory_ports
from shared.settings import Settings


@cache
def endpoints() -> list[Endpoint]:
    served = [one for one in FUNCTIONS if isinstance(one.trigger, Http)]
    return [endpoint for one in served for endpoint in one.load()(memory_ports(), Settings())]


@cache
def document() -> dict[str, Any]:
    return openapi(endpoints(), Settings(), loopback=False)


def operations() -> list[dict[str, Any]]:
    return [operation for methods in document()["paths"].values() for operation in methods.values()]


def test_every_reference_leads_somewhere() -> None:
    referred = set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(document())))
    assert referred - set(document()["components"]["schemas"]) == set()
    assert "'$ref': '#/$defs" not in str(document())


def test_every_operation_has_a_name_of_its_own_a_summary_and_an_answer() -> None:
    names = [operation["operationId"] for operation in operations()]
    assert len(set(names)) == len(names) == sum(len(endpoint.methods) for endpoint in endpoints())
    for operation in operations():
        assert operation["summary"]
        assert any(status.startswith("2") for status in operation["responses"])


def test_nothing_that_the_manifest_serves_is_open_to_all() -> None:
    assert [endpoint.path for endpoint in endpoints() if endpoint.scope is Scope.OPEN] == []
    assert all(operation["security"] for operation in operations())


def test_only_what_players_and_widgets_call_is_shared_with_pages_of_other_sites() -> None:
    assert {endpoint.scope for endpoint in endpoints() if endpoint.cors} <= {Scope.WRITE, Scope.PUBLISH, Scope.VIEWER}


def test_every_address_of_the_interface_is_there() -> None:
    assert {
        "/v1/events",
        "/v1/cmcd",
        "/v1/batch",
        "/v1/track",
        "/v1/identify",
        "/v1/page",
        "/v1/screen",
        "/v1/contents/{id}/audience",
        "/v1/contents/{id}/audience/now",
        "/v1/contents/top",
        "/v1/viewers/{id}/watch-time",
        "/v1/viewers/{id}/attributes",
        "/v1/completeness",
        "/v1/dead-letters",
        "/v1/dead-letters/replay",
    } <= set(document()["paths"])
