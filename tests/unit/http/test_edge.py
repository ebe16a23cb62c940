"""The edge: routing, problem documents, limits, loopback's rules, CORS."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from functions.http.app import Routes, build_app
from functions.http.endpoint import Endpoint, Scope
from functions.http.problems import problem
from shared.errors import CorruptData, InvalidInput, Throttled, Unavailable
from shared.settings import Settings
from tests.asgi import Client, chunked, speak
from tests.unit.http.stage import KEYS, Safe, client, endpoint, local, ports


def failing(error: Exception) -> Endpoint:
    async def fail(_: Request) -> Response:
        raise error

    return Endpoint(("GET",), "/fails", fail, Scope.OPEN, "Fails")


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (InvalidInput("Say less."), 400, "invalid"),
        (InvalidInput("Say less.", status=413, reason="too-large"), 413, "too-large"),
        (Unavailable("The stream refuses. Try again.", retry_after_seconds=7), 503, "unavailable"),
        (Throttled("Slow down."), 503, "unavailable"),
        (ClientDisconnect(), 400, "incomplete"),
        (CorruptData("secret path /var/lib"), 500, "internal"),
        (ZeroDivisionError("secret detail"), 500, "internal"),
    ],
)
def test_an_error_is_told_as_a_problem_document(error: Exception, status: int, reason: str) -> None:
    answer = local(failing(error)).get("/fails")
    told = answer.json()
    assert (answer.status_code, told["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["type"] == f"/docs#problem-{reason}"
    assert set(told) == {"type", "title", "status", "detail", "instance"}
    assert "secret" not in answer.text
    if isinstance(error, Unavailable):
        assert answer.headers["retry-after"] == str(error.retry_after_seconds)


def test_an_unexpected_error_is_logged_under_the_name_that_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "grandstand.http"):
        answer = local(failing(ZeroDivisionError("why"))).get("/fails?viewer=ada")
    assert answer.json()["instance"] in caplog.text
    assert "ZeroDivisionError: why" in caplog.text
    assert "ada" not in caplog.text


def test_a_problem_may_carry_members_of_its_own() -> None:
    told = problem(422, "Nothing is valid.", reason="nothing-valid", extensions={"rejected": [{"index": 0}]})
    assert b'"rejected":[{"index":0}]' in told.body


@pytest.mark.parametrize("path", ["/", "/nothing", "/v1/completeness/", "/v1/contents//audience/now", "/v1/viewers"])
def test_an_unknown_address_says_where_to_look(path: str) -> None:
    answer = local().get(path)
    assert (answer.status_code, "/docs" in answer.json()["detail"]) == (404, True)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "QUERY"])
def test_a_wrong_method_says_which_do(method: str) -> None:
    answer = local().request(method, "/v1/completeness")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_head_answers_where_get_does() -> None:
    assert local().request("HEAD", "/v1/completeness").status_code == 200


@pytest.mark.parametrize(
    ("path", "content_id"),
    [
        ("/v1/contents/derby/audience/now", "derby"),
        ("/v1/contents/a%2Fb/audience/now", "a/b"),
        ("/v1/contents/a/b/audience/now", "a/b"),
        ("/v1/contents/%0A%23%3F%25/audience/now", "\n#?%"),
        ("/v1/contents/caf%C3%A9%0A/audience/now", "café\n"),
        ("/v1/contents/x%2Faudience/audience/now", "x/audience"),
        ("/v1/contents/x%2Faudience%2Fnow/audience/now", "x/audience/now"),
    ],
)
def test_an_id_may_hold_any_character(path: str, content_id: str) -> None:
    answer = local().get(path)
    assert (answer.status_code, answer.json()["id"]) == (200, content_id)


NESTED = (
    endpoint("/v1/contents/{id}", Scope.OPEN, "GET", "PUT"),
    endpoint("/v1/contents/{id}/audience", Scope.OPEN),
    endpoint("/v1/contents/{id}/marks", Scope.OPEN, "GET", "POST"),
    endpoint("/v1/contents/{id}/marks/{mark_id}", Scope.OPEN, "DELETE"),
    endpoint("/v1/contents/top", Scope.OPEN),
)


@pytest.mark.parametrize("endpoints", [NESTED, NESTED[::-1]])
@pytest.mark.parametrize(
    ("path", "content_id", "allowed"),
    [
        ("/v1/contents/derby", "derby", "GET, HEAD, PUT"),
        ("/v1/contents/derby/audience", "derby", "GET, HEAD"),
        ("/v1/contents/derby/marks", "derby", "GET, HEAD, POST"),
        ("/v1/contents/derby/marks/goal", "derby", "DELETE"),
        ("/v1/contents/top", None, "GET, HEAD"),
        ("/v1/contents/derby%2Faudience", "derby/audience", "GET, HEAD, PUT"),
        ("/v1/contents/derby%2Fmarks%2Fgoal", "derby/marks/goal", "GET, HEAD, PUT"),
        ("/v1/contents/a/b", "a/b", "GET, HEAD, PUT"),
        ("/v1/contents/a/b/audience", "a/b", "GET, HEAD"),
        ("/v1/contents/a/marks/b/marks", "a/marks/b", "GET, HEAD, POST"),
    ],
)
def test_the_most_specific_pattern_answers_whatever_the_order(
    endpoints: tuple[Endpoint, ...], path: str, content_id: str | None, allowed: str
) -> None:
    stage = local(*endpoints)
    refused = stage.request("PATCH", path)
    assert (refused.status_code, refused.headers["allow"]) == (405, allowed)
    if "GET" in allowed:
        assert stage.get(path).json()["id"] == content_id


def test_a_host_that_tells_only_the_decoded_path_is_routed_too() -> None:
    routes = Routes(NESTED)
    assert routes.find("/v1/contents/a/b/marks/goal", "")[1] == {"id": "a/b", "mark_id": "goal"}
    assert routes.find("/v1/contents/derby/audience", "")[1] == {"id": "derby"}


def test_a_suite_may_be_mounted_below_a_path() -> None:
    app = build_app([endpoint("/here", Scope.OPEN)], ports(Safe()), Settings(), loopback=False)
    assert Client(app, root_path="/stage").get("/stage/here").status_code == 200


def test_two_endpoints_at_one_place_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="GET /x is there twice"):
        local(endpoint("/x", Scope.OPEN), endpoint("/x", Scope.OPEN))


def test_an_endpoint_for_viewers_must_say_for_which() -> None:
    with pytest.raises(ValueError, match=r"needs an .id. that"):
        local(endpoint("/v1/me", Scope.VIEWER))


def test_a_body_past_the_limit_is_refused_by_its_stated_length() -> None:
    stage = local(settings=Settings(max_body_bytes=10))
    assert stage.post("/v1/events", content=b"x" * 10).json()["bytes"] == 10
    answer = stage.post("/v1/events", content=b"x" * 11)
    assert (answer.status_code, "10 bytes" in answer.json()["detail"]) == (413, True)


def test_a_body_past_the_limit_is_refused_as_it_comes() -> None:
    stage = local(settings=Settings(max_body_bytes=10))
    assert stage.post("/v1/events", content=chunked([b"xxxx"] * 2)).json()["bytes"] == 8
    assert stage.post("/v1/events", content=chunked([b"xxxx"] * 3)).status_code == 413


def test_a_stated_length_that_is_no_number_is_refused() -> None:
    assert local().post("/v1/events", content=b"", headers={"Content-Length": "-1"}).status_code == 413


def test_every_answer_is_private_unless_it_says_otherwise_and_never_sniffed() -> None:
    async def public(_: Request) -> Response:
        return Response(headers={"Cache-Control": "public, s-maxage=1"})

    stage = local(Endpoint(("GET",), "/public", public, Scope.OPEN, "Public"), endpoint("/x", Scope.OPEN))
    assert stage.get("/x").headers["cache-control"] == "private, no-store"
    assert stage.get("/nothing").headers["cache-control"] == "private, no-store"
    assert stage.get("/public").headers["cache-control"] == "public, s-maxage=1"
    assert stage.get("/nothing").headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "127.9.9.9"])
def test_loopback_answers_to_its_own_names(host: str) -> None:
    assert local().get("/v1/completeness", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "[", "localhost.evil"])
def test_loopback_refuses_a_rebound_name(host: str) -> None:
    answer = local().get("/v1/completeness", headers={"Host": host})
    assert (answer.status_code, answer.json()["type"]) == (403, "/docs#problem-host")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "file://"])
def test_loopback_refuses_pages_of_other_sites(origin: str) -> None:
    answer = local().post("/v1/events", headers={"Origin": origin})
    assert (answer.status_code, answer.json()["type"]) == (403, "/docs#problem-origin")


def test_loopback_serves_local_pages_and_those_that_are_named() -> None:
    assert local().post("/v1/events", headers={"Origin": "http://localhost:5173"}).status_code == 200
    named = Settings(allowed_origins=("https://dev.example",))
    assert local(settings=named).post("/v1/events", headers={"Origin": "https://dev.example"}).status_code == 200
    assert local(settings=named).post("/v1/events", headers={"Origin": "http://localhost:1"}).status_code == 200


def test_elsewhere_any_host_is_answered() -> None:
    assert client().get("/healthz", headers={"Host": "tv.example"}).status_code == 200


KEYED = {"X-Write-Key": "write-secret"}


def test_a_players_page_may_post_and_read_the_answer_errors_too() -> None:
    for headers, status in ((KEYED, 200), ({}, 401)):
        answer = client().post("/v1/events", headers={"Origin": "https://tv.example", **headers})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "https://tv.example"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["vary"] == "origin"
        assert answer.headers["access-control-expose-headers"] == "retry-after, date"


def test_a_post_from_no_page_needs_no_sharing() -> None:
    assert "access-control-allow-origin" not in client().post("/v1/events", headers=KEYED).headers


def test_only_named_origins_may_post_once_origins_are_named() -> None:
    stage = client(settings=Settings(allowed_origins=("https://tv.example",)))
    assert stage.post("/v1/events", headers={"Origin": "https://tv.example", **KEYED}).status_code == 200
    refused = stage.post("/v1/events", headers={"Origin": "https://evil.example", **KEYED})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


def test_a_preflight_needs_no_credential() -> None:
    asked = {
        "Origin": "https://tv.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-write-key",
    }
    answer = client().request("OPTIONS", "/v1/events", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://tv.example"
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "content-type,x-write-key"


def test_a_preflight_for_headers_that_are_none_gets_none() -> None:
    asked = {"Origin": "https://tv.example", "Access-Control-Request-Method": "POST"}
    for requested in ("a\x01b", "x" * 2000):
        answer = client().request(
            "OPTIONS", "/v1/events", headers={**asked, "Access-Control-Request-Headers": requested}
        )
        assert (answer.status_code, "access-control-allow-headers" in answer.headers) == (204, False)
    assert "access-control-allow-headers" not in client().request("OPTIONS", "/v1/events", headers=asked).headers


def test_what_pages_of_other_sites_may_not_call_has_no_preflight() -> None:
    asked = {"Origin": "https://tv.example", "Access-Control-Request-Method": "GET"}
    answer = client().request("OPTIONS", "/v1/completeness", headers=asked)
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (405, False)


def test_public_reads_are_the_same_for_every_page() -> None:
    answer = client().get("/v1/contents/top?key=publish-secret", headers={"Origin": "https://tv.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "vary" not in answer.headers


def test_healthz_tells_what_it_waits_for() -> None:
    waiting: list[str | None] = ["the consumers are starting", None]
    app = build_app([], ports(Safe(**KEYS)), Settings(), loopback=False, ready=lambda: waiting.pop(0))
    first = Client(app).get("/healthz")
    assert (first.status_code, "consumers" in first.json()["detail"]) == (503, True)
    assert Client(app).get("/healthz").json() == {"status": "ok"}


SHUTDOWN = ({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})


def test_the_lifespan_surrounds_the_serving() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        seen.append("begin")
        yield
        seen.append("end")

    app = build_app([], ports(Safe()), Settings(), loopback=False, lifespan=lifespan)
    sent = asyncio.run(speak(app, "lifespan", *SHUTDOWN))
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert seen == ["begin", "end"]


def test_a_host_that_cannot_begin_says_so() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        if not seen:
            raise RuntimeError("no room")
        yield

    app = build_app([], ports(Safe()), Settings(), loopback=False, lifespan=lifespan)
    assert asyncio.run(speak(app, "lifespan", *SHUTDOWN)) == [
        {"type": "lifespan.startup.failed", "message": "no room"}
    ]


def test_a_host_that_cannot_end_says_so() -> None:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        yield
        raise RuntimeError("stuck")

    app = build_app([], ports(Safe()), Settings(), loopback=False, lifespan=lifespan)
    assert asyncio.run(speak(app, "lifespan", *SHUTDOWN))[-1] == {
        "type": "lifespan.shutdown.failed",
        "message": "stuck",
    }


def test_websockets_are_closed() -> None:
    app = build_app([], ports(Safe()), Settings(), loopback=False)
    assert asyncio.run(speak(app, "websocket")) == [{"type": "websocket.close", "code": 1000}]
