"""The served suite keeps to the document it serves: no 5xx, no answer that is not documented."""

from contextlib import suppress
from typing import Any, TypeAlias

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EVERY_PROMISE = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


Operation: TypeAlias = schemathesis.APIOperation[Any, Any, Any, Any]
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


@pytest.fixture(scope="module")
def document(suite_server: str) -> schemathesis.BaseSchema:
    """The served document, once something is there to answer about."""
    now = requests.get(f"{suite_server}/v1/contents/top", timeout=10).json()["to"]
    event = f'{{"event_type":"heartbeat","event_timestamp":"{now}","content_id":"0","viewer_id":"0"}}'
    headers = {"Content-Type": "application/x-ndjson"}
    requests.post(f"{suite_server}/v1/events", data=event, headers=headers, timeout=10).raise_for_status()
    return schemathesis.openapi.from_url(f"{suite_server}/openapi.json")


@pytest.mark.e2e
def test_the_suite_keeps_to_its_document(document: schemathesis.BaseSchema, subtests: pytest.Subtests) -> None:
    for found in document.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        for mode in MODES:
            with subtests.test(operation.label, mode=mode.value):
                answered_as_documented(operation, mode)


def answered_as_documented(operation: Operation, mode: schemathesis.GenerationMode) -> None:
    """Call an operation as its document allows, or just as it does not."""

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def calls(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=EVERY_PROMISE)

    with suppress(Unsatisfiable):  # what takes nothing cannot be given the wrong thing
        calls()
