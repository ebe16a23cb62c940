"""Ingest over HTTP: every way in, and every way to be turned away."""

import asyncio
import base64
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import zstandard

from events.event import EVENT_TYPES
from functions.http.app import build_app
from functions.ingest.routes import make
from shared.privacy.pseudonym import pseudonym
from shared.settings import Settings
from shared.viewing.attributes import read_attributes
from tests.unit.ingest.doubles import NOW, Desk, as_json, told

KEY = bytes.fromhex("11" * 32)
CMCD = f'cid="match",sid="s-1",sf=h,st=l,br=2500,ts={NOW},v=2,e=t,sn=1'


class Venue:
    """Ingest behind the HTTP edge; the one key is `k`, and on loopback none is needed."""

    def __init__(self, *, loopback: bool = True, **settings: Any) -> None:
        self.desk = Desk()
        made = Settings(**settings)
        app = build_app(make(self.desk.ports, made), self.desk.ports, made, loopback=loopback)
        self.transport = httpx.ASGITransport(app)

    def get(self, path: str, **sent: Any) -> httpx.Response:
        return asyncio.run(self._ask("GET", path, **sent))

    def post(self, path: str, content: bytes | str = b"", **headers: str) -> httpx.Response:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return asyncio.run(self._ask("POST", path, content=content, headers=told))

    async def _ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=self.transport, base_url="http://127.0.0.1:8080") as client:
            return await client.request(method, path, **sent)

    def kinds(self) -> list[str]:
        return [EVENT_TYPES[code] for each in self.desk.stream.columns() for code in each.type]


@pytest.fixture
def venue() -> Iterator[Venue]:
    yield Venue()


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["status"] == status
    return told


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (as_json(told(3)), "application/json; charset=utf-8"),
        (as_json(told(3), batch_id="b", sent_at=NOW), "application/json"),
        (b"\n".join(json.dumps(each).encode() for each in told(3)), "application/x-ndjson"),
        (as_json(told(3)), "text/plain;charset=UTF-8"),
        (as_json(told(3)), ""),
    ],
)
def test_events_are_taken_in_each_form(venue: Venue, body: bytes, media_type: str) -> None:
    answer = venue.post("/v1/events", body, content_type=media_type)
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"accepted": 3, "rejected": [], "report_every_seconds": 10}
    assert venue.kinds() == ["heartbeat"] * 3


def test_a_rejected_event_is_told_with_its_place_and_reason(venue: Venue) -> None:
    answer = venue.post("/v1/events", as_json([*told(1), *told(1, watched_ms=-1)]), content_type="application/json")
    assert answer.status_code == 202
    (rejected,) = answer.json()["rejected"]
    assert rejected["index"] == 1
    assert "watched_ms" in rejected["reason"]


def test_nothing_valid_is_a_422_that_says_why_and_is_counted(venue: Venue) -> None:
    told_back = problem(venue.post("/v1/events", as_json(told(2, watched_ms=-1))), 422)
    assert [each["index"] for each in told_back["rejected"]] == [0, 1]
    (columns,) = venue.desk.stream.columns()
    assert columns.header.rejected == {"out_of_range": 2}
    assert "no event in the body" in problem(venue.post("/v1/events", b"[]"), 422)["detail"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "word"),
    [
        (b"", {"content_type": "application/json"}, 400, "empty"),
        (b"{", {"content_type": "application/json"}, 400, "JSON"),
        (b"[" * 50_000, {"content_type": "application/json"}, 400, "nested"),
        (b'[{"watched_ms": NaN}]', {}, 400, "JSON"),
        (b"\xff\xfe", {"content_type": "application/json"}, 400, "JSON"),
        (b"x", {"content_type": "image/png"}, 415, "application/json"),
        (b"x", {"content_encoding": "br"}, 415, "gzip"),
        (b"x", {"content_encoding": "gzip"}, 400, "gzip"),
        (gzip.compress(bytes(40_000_000), mtime=0), {"content_encoding": "gzip"}, 413, "decompressed"),
        (zstandard.compress(bytes(40_000_000)), {"content_encoding": "zstd"}, 413, "decompressed"),
        (bytes(3_000_000), {}, 413, "bytes"),
        (as_json([{}] * 10_001), {"content_type": "application/json"}, 413, "10000 events"),
    ],
)
def test_a_body_that_cannot_be_taken_is_refused(
    venue: Venue, body: bytes, headers: dict[str, str], status: int, word: str
) -> None:
    assert word in problem(venue.post("/v1/events", body, **headers), status)["detail"]
    assert venue.desk.stream.records == []


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("count", [3, 3_000])
def test_compressed_bodies_small_and_large_are_taken(venue: Venue, encoding: str, count: int) -> None:
    plain = as_json(told(count, event_timestamp=NOW), batch_id="b")
    body = gzip.compress(plain) if encoding == "gzip" else zstandard.compress(plain)
    assert venue.post("/v1/events", body, content_encoding=encoding).json()["accepted"] == count
    assert len(venue.kinds()) == count


def test_a_large_body_is_taken(venue: Venue) -> None:
    assert venue.post("/v1/events", as_json(told(3_000, event_timestamp=NOW))).json()["accepted"] == 3_000


def test_a_retry_by_idempotency_key_makes_the_same_records(venue: Venue) -> None:
    for _ in range(2):
        venue.post("/v1/events", as_json(told(3)), idempotency_key="k-1")
    first, second = venue.desk.stream.columns()
    assert first.header.record_id == second.header.record_id
    assert first.header.reception != second.header.reception


def test_a_refusing_stream_is_a_503_that_says_when_to_come_back(venue: Venue) -> None:
    venue.desk.stream.refuse = lambda record: "disk full"
    answer = venue.post("/v1/events", as_json(told(1)))
    assert "disk full" in problem(answer, 503)["detail"]
    assert int(answer.headers["retry-after"]) >= 1


def test_a_spike_is_told_in_the_answers_and_beyond_all_bounds_refused() -> None:
    venue = Venue(comfortable_events_per_second=10, sampling_events_per_second=20, shed_events_per_second=200)
    answer = venue.post("/v1/events", as_json(told(50))).json()
    assert (answer["report_every_seconds"], answer["sample_rate"]) == (60, 0.125)
    venue.post("/v1/events", as_json(told(200)))
    answer = venue.post("/v1/events", as_json(told(1)))
    assert problem(answer, 429)["detail"]
    assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    ("venue", "origin"),
    [
        (Venue(loopback=False), "https://tv.example"),
        (Venue(loopback=False), "null"),
        (Venue(), "http://localhost:5173"),
    ],
)
def test_a_page_of_another_origin_reports_by_send_beacon(venue: Venue, origin: str) -> None:
    answer = venue.post("/v1/events?key=k", as_json(told(1)), content_type="text/plain;charset=UTF-8", origin=origin)
    assert answer.status_code == 202
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert venue.desk.stream.columns()[0].header.source == "web"


@pytest.mark.parametrize("origin", ["https://tv.example", "null"])
def test_on_loopback_pages_of_other_sites_report_nothing(venue: Venue, origin: str) -> None:
    problem(venue.post("/v1/events?key=k", as_json(told(1)), content_type="text/plain", origin=origin), 403)
    assert venue.desk.stream.records == []


def test_what_was_mended_is_told(venue: Venue) -> None:
    answer = venue.post("/v1/events", as_json(told(2, watched_ms=1_000.0))).json()
    assert (answer["accepted"], answer["normalised"]) == (2, {"whole_decimal": 2})


def test_the_document_speaks_of_every_way_in(venue: Venue) -> None:
    document = venue.get("/openapi.json").json()
    events = document["paths"]["/v1/events"]["post"]
    assert {"application/json", "application/x-ndjson", "text/plain"} <= set(events["requestBody"]["content"])
    assert {"202", "400", "413", "415", "422", "429", "503"} <= set(events["responses"])
    fields = document["components"]["schemas"]["Event"]["properties"]
    assert {"event_id", "viewer_id", "content_id", "event_timestamp", "watched_ms"} <= set(fields)
    assert set(document["paths"]["/v1/cmcd"]) == {"get", "post"}
    assert not document["paths"]["/v1/cmcd"]["post"]["requestBody"]["required"]
    tags = {tag for operations in document["paths"].values() for one in operations.values() for tag in one["tags"]}
    assert tags == {"Events", "CMCD", "Segment", "Suite"}
    assert {f"/v1/{kind}" for kind in ("batch", "track", "identify", "page", "screen")} <= set(document["paths"])


# CloudEvents


def test_cloudevents_are_taken_structured_binary_and_batched(venue: Venue) -> None:
    attributes = {"specversion": "1.0", "id": "1", "source": "tv", "type": "example.heartbeat"}
    event = told(1)[0]
    structured = json.dumps({**attributes, "data": event})
    batch = json.dumps([{**attributes, "id": str(i), "data": event} for i in range(2)])
    ce = {f"ce_{name}": value for name, value in attributes.items()}
    answers = [
        venue.post("/v1/events", structured, content_type="application/cloudevents+json"),
        venue.post("/v1/events", batch, content_type="application/cloudevents-batch+json"),
        venue.post("/v1/events", json.dumps(event), content_type="application/json", **ce),
    ]
    assert [answer.json().get("accepted") for answer in answers] == [1, 2, 1]


# CMCD


def test_cmcd_is_taken_from_query_headers_and_lines(venue: Venue) -> None:
    answers = [
        venue.get("/v1/cmcd", params={"CMCD": CMCD}),
        venue.get("/v1/cmcd?content=match", headers={"CMCD-Session": 'sid="s-1"', "CMCD-Object": "br=900"}),
        venue.post("/v1/cmcd", f"{CMCD}\n{CMCD.replace('sn=1', 'sn=2')}", content_type="application/cmcd"),
        venue.post(
            "/v1/cmcd", json.dumps({"cid": "match", "sid": "s-1", "br": 800}), content_type="application/json"
        ),
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 4
    assert len(venue.kinds()) == 5
    assert {each.header.content_id for each in venue.desk.stream.columns()} == {"match"}


def test_cmcd_garbage_is_refused(venue: Venue) -> None:
    assert venue.get("/v1/cmcd").status_code == 400
    assert venue.get("/v1/cmcd", params={"CMCD": "\x00\x01,,=;;"}).status_code in (400, 422)
    assert venue.get("/v1/cmcd", headers={"CMCD-Session": "%%%"}).status_code in (400, 422)


def test_a_cmcd_request_says_how_often_the_player_reports(venue: Venue) -> None:
    assert venue.get("/v1/cmcd", params={"CMCD": CMCD, "report_every_seconds": "30"}).status_code == 204
    assert venue.desk.stream.columns()[0].profiles.report_every_seconds.tolist() == [30]


@pytest.mark.parametrize("wrong", ["child=yes", "child=TRUE", "report_every_seconds=x", "report_every_seconds=1.5"])
def test_what_a_cmcd_request_says_wrongly_is_not_overlooked(venue: Venue, wrong: str) -> None:
    name = wrong.partition("=")[0]
    assert name in problem(venue.get(f"/v1/cmcd?{wrong}", headers={"CMCD-Session": 'sid="s",cid="c"'}), 400)["detail"]
    assert venue.desk.stream.records == []


def test_a_cmcd_post_needs_no_body(venue: Venue) -> None:
    assert venue.post("/v1/cmcd?content=match", cmcd_session='sid="s-1"').status_code == 204
    assert venue.kinds() == ["heartbeat"]


def test_cmcd_of_a_child_or_without_consent_has_no_profile(venue: Venue) -> None:
    assert venue.get("/v1/cmcd", params={"CMCD": CMCD, "child": "1"}).status_code == 204
    assert venue.get("/v1/cmcd", params={"CMCD": CMCD, "consent": "none"}).status_code == 204
    assert [each.profiles.no_profile.tolist() for each in venue.desk.stream.columns()] == [[True], [True]]


# Segment


def video(name: str = "Video Content Playing", **fields: Any) -> dict[str, Any]:
    properties = {"session_id": "s-1", "content_asset_id": "match", "position": 30}
    moment = "2026-10-28T18:00:00.000Z"
    return {"type": "track", "event": name, "userId": "ada", "timestamp": moment, "properties": properties, **fields}


def test_segments_calls_are_answered_as_segment_does(venue: Venue) -> None:
    key = {"authorization": "Basic " + base64.b64encode(b"k:").decode()}
    answers = [
        venue.post("/v1/track", json.dumps(video()), content_type="application/json"),
        venue.post("/v1/batch", json.dumps({"batch": [video(), {"type": "page", "userId": "ada"}]})),
        venue.post("/v1/page", json.dumps({"userId": "ada"})),
        venue.post("/v1/screen", json.dumps({"userId": "ada"}), **key),
        venue.post("/v1/track", json.dumps({"event": "Video Content Playing"})),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"success": True})] * 5
    assert len(venue.kinds()) == 2


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("key", "status"), [("k", 200), ("x", 401), (None, 401)])
def test_segments_calls_may_carry_the_write_key(key: str | None, status: int, packed: bool) -> None:
    venue = Venue(loopback=False)
    for path, call in (("/v1/track", video()), ("/v1/batch", {"batch": [video()]})):
        body = json.dumps({**call, "writeKey": key}).encode()
        headers = {"content_encoding": "gzip"} if packed else {}
        answer = venue.post(path, gzip.compress(body) if packed else body, **headers)
        assert answer.status_code == status
    assert {each.header.source for each in venue.desk.stream.columns()} == ({"web"} if key == "k" else set())


def test_the_key_in_a_body_counts_for_segment_only_and_only_where_no_other_is_sent() -> None:
    venue = Venue(loopback=False)
    problem(venue.post("/v1/events", as_json(told(1), writeKey="k")), 401)
    problem(venue.post("/v1/track", json.dumps(video(writeKey="k")), x_write_key="x"), 401)
    problem(venue.post("/v1/track", b"no gzip", content_encoding="gzip"), 401)


def test_segments_bodies_are_corrected_by_their_sent_at(venue: Venue) -> None:
    venue.post("/v1/track", json.dumps(video(sentAt="2026-10-28T18:00:05.000Z")))
    (columns,) = venue.desk.stream.columns()
    assert columns.timestamp.tolist() == [NOW - 5_000]


def test_identify_fills_the_viewers_attributes_with_consent_only(venue: Venue) -> None:
    for viewer, agreed in (("ada", True), ("bob", False)):
        call = {
            "userId": viewer,
            "traits": {"country": "DE", "plan": "premium"},
            "timestamp": "2026-10-28T18:00:00.000Z",
            "context": {"consent": {"categoryPreferences": {"personalisation": agreed}}},
        }
        assert venue.post("/v1/identify", json.dumps(call)).status_code == 200
    table = venue.desk.table("viewers")
    assert read_attributes(table, [pseudonym(KEY, "bob")]) == {}
    assert read_attributes(table, [pseudonym(KEY, "ada")]).get("country") == "DE"


def test_every_format_keeps_to_the_limit_of_events() -> None:
    few = Venue(max_events_per_body=2)
    for path in ("/v1/batch", "/v1/cmcd"):
        body = json.dumps({"batch": [video()] * 3}) if path == "/v1/batch" else "\n".join([CMCD] * 3)
        problem(few.post(path, body), 413)


def test_segments_limits_hold(venue: Venue) -> None:
    problem(venue.post("/v1/track", json.dumps(video(properties={"x": "y" * 40_000}))), 400)
    problem(venue.post("/v1/batch", b"not json"), 400)


def test_the_hot_path_imports_nothing_heavy() -> None:
    code = "import functions.ingest.routes, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"numpy", "pydantic", "duckdb", "deltalake", "pyarrow", "cryptography", "boto3", "jwt", "httpx"}
    assert heavy.isdisjoint(loaded)
