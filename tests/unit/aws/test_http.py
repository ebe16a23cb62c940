"""Lambda's HTTP events as requests, and answers as Lambda's."""

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.aws.http import serve
from tests.emulators.lambda_events import http_answer, http_event
from tests.unit.aws.conftest import vector


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells what it was asked."""
    request = Request(scope, receive)
    told = {
        "method": request.method,
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": dict(request.headers),
        "body": (await request.body()).hex(),
    }
    await Response(json.dumps(told), media_type="application/json")(scope, receive, send)


def asked(event: Any) -> Any:
    return json.loads(http_answer(serve(echo)(event, None))[2])


def test_a_post_of_api_gateway_arrives_as_it_was_sent() -> None:
    told = asked(vector("apiGatewayProxyV2Event.json"))

    assert (told["method"], told["path"]) == ("POST", "/my/path")
    assert told["query"] == "parameter1=value1&parameter1=value2&parameter2=value"
    assert told["headers"]["header2"] == "value1,value2"
    assert told["headers"]["cookie"] == "cookie1; cookie2"
    assert bytes.fromhex(told["body"]) == b'{"message": "hello world", "username": "tom"}'


@pytest.mark.parametrize("name", ["apiGatewayProxyV2Event_GET.json", "lambdaFunctionUrlEvent.json"])
def test_a_get_of_api_gateway_or_a_function_url_arrives(name: str) -> None:
    told = asked(vector(name))

    assert told["method"] == "GET"
    assert told["path"] == vector(name)["rawPath"]
    assert told["body"] == ""


def test_a_slash_inside_an_id_stays_apart_from_one_between_parts() -> None:
    told = asked(http_event("GET", "/v1/contents/caf%C3%A9%2Fnight%20%26%20day/audience?a=1", {}, b""))

    assert told["path"] == "/v1/contents/café/night & day/audience"
    assert told["raw_path"] == "/v1/contents/caf%C3%A9%2Fnight%20%26%20day/audience"


def test_a_path_that_the_gateway_decoded_is_encoded_again() -> None:
    event = http_event("GET", "/v1/contents/café", {}, b"")

    assert asked(event)["raw_path"] == "/v1/contents/caf%C3%A9"


@pytest.mark.parametrize(
    ("raw", "stage", "path"),
    [
        ("/live/v1/events", "live", "/v1/events"),
        ("/live", "live", "/"),
        ("/liver/v1", "live", "/liver/v1"),
        ("/v1/events", "$default", "/v1/events"),
    ],
)
def test_the_stage_of_an_api_is_no_part_of_the_path(raw: str, stage: str, path: str) -> None:
    event = http_event("GET", raw, {}, b"")
    event["requestContext"]["stage"] = stage

    assert asked(event)["path"] == path


def test_bytes_come_and_go_as_base64() -> None:
    async def turn(scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        await Response(body[::-1], media_type="application/octet-stream")(scope, receive, send)

    answer = serve(turn)(http_event("POST", "/", {}, b"\x00\xfe\xff"), None)

    assert (answer["isBase64Encoded"], b64decode(answer["body"])) == (True, b"\xff\xfe\x00")


def test_problems_are_readable_and_compressed_answers_are_bytes() -> None:
    async def problem(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(b'{"detail": "no"}', 404, media_type="application/problem+json")(scope, receive, send)

    async def compressed(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"content-encoding": "gzip"}
        await Response(b"\x1f\x8b\x08\x00", media_type="application/json", headers=headers)(scope, receive, send)

    told = serve(problem)(http_event("GET", "/", {}, b""), None)
    packed = serve(compressed)(http_event("GET", "/", {}, b""), None)

    assert (told["statusCode"], told["body"], told["isBase64Encoded"]) == (404, '{"detail": "no"}', False)
    assert (packed["body"], packed["isBase64Encoded"]) == (b64encode(b"\x1f\x8b\x08\x00").decode(), True)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_no_type_either(status: int) -> None:
    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(status_code=status, headers={"etag": '"1"'})(scope, receive, send)

    answer = serve(nothing)(http_event("GET", "/", {}, b""), None)

    assert (answer["statusCode"], answer["headers"], answer["body"]) == (status, {"etag": '"1"'}, "")


def test_no_path_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        asked(http_event("GET", "/v1/viewers/ada@example.com", {}, b""))

    assert "ada" not in caplog.text
