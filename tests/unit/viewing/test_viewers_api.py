"""The viewers API over HTTP: watch time and attributes of one viewer, by the platform's own id."""

import time
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import jwt
import pytest

from functions.http.app import build_app
from functions.ingest.routes import make as make_ingest
from functions.viewers.models import WatchTimeAnswer
from functions.viewers.routes import make
from functions.watch.handler import make as make_watch
from lab.memory import MemoryClock, MemorySecrets, MemorySuite
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE
from shared.viewing.attributes import all_attributes
from tests.asgi import Client
from tests.builders import KICK_OFF

DAY_MS = 24 * 3_600_000
ROTATED_KEYS = (
    b'[{"id":"old","from_ms":0,"key_hex":"' + b"aa" * 32 + b'"},'
    b'{"id":"new","from_ms":' + str(KICK_OFF).encode() + b',"key_hex":"' + b"bb" * 32 + b'"}]'
)
WATCH_TIME = "/v1/viewers/ada/watch-time"
ATTRIBUTES = "/v1/viewers/ada/attributes"
KNOWN = {"country": "NO", "language": "nb", "join_date": "2024-02-29", "consent": "analytics"}
UNKNOWN = dict.fromkeys(("age_group", "country", "language", "subscription", "join_date"))


class Stage:
    """ingest, watch and the viewers API around stores in memory."""

    def __init__(self, *, loopback: bool = True, **secrets: bytes) -> None:
        self.clock = MemoryClock(KICK_OFF)
        self.suite = MemorySuite(self.clock)
        self.ports = replace(self.suite.ports, secrets=MemorySecrets(**secrets))
        settings = Settings()
        endpoints = [*make_ingest(self.ports, settings), *make(self.ports, settings)]
        self.client = Client(build_app(endpoints, self.ports, settings, loopback=loopback))
        self.watch = make_watch(self.ports, settings)
        self._told = dict.fromkeys("0123", 0)

    def tell(self, *events: dict[str, Any]) -> None:
        """Post events and let `watch` have the records."""
        answer = self.client.post(
            "/v1/events", json={"events": list(events), "batch_id": str(sum(self._told.values()))}
        )
        assert answer.status_code == 202, answer.text
        for partition, after in self._told.items():
            records = self.suite.stream("events").read(partition, after, 100, 10**7)
            assert list(self.watch(records, NO_DEADLINE)) == [DONE] * len(records)
            self._told[partition] += len(records)

    def watched(self, query: str = "") -> dict[str, Any]:
        answer = self.client.get(WATCH_TIME + query)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        WatchTimeAnswer.model_validate(told)
        return told

    def attributes(self) -> dict[str, Any]:
        told: dict[str, Any] = self.client.get(ATTRIBUTES).json()
        assert told.pop("viewer_id") == "ada"
        return told

    def stored(self) -> dict[bytes, dict[str, str]]:
        return dict(all_attributes(self.ports.table("viewers")))


def heartbeat(seconds: int, at: int = KICK_OFF, **fields: Any) -> dict[str, Any]:
    said = {"event_type": "heartbeat", "event_timestamp": at, "watched_ms": seconds * 1_000}
    return {**said, "content_id": "match", "viewer_id": "ada", "session_id": "ada-tv", **fields}


def test_watch_time_is_told_by_the_platforms_own_id() -> None:
    stage = Stage()
    stage.tell(
        heartbeat(10, position_seconds=10, content_type="live"),
        heartbeat(10, position_seconds=15, content_type="live"),
        heartbeat(5, content_id="film", content_type="vod"),
        heartbeat(99, viewer_id="bob"),
    )
    assert stage.watched() == {
        "viewer_id": "ada",
        "from": "2026-09-28T18:00:00Z",
        "to": "2026-10-28T18:05:00Z",
        "total_ms": 25_000,
        "unique_ms": 20_000,
        "by_content_type": {
            "live": {"total_ms": 20_000, "unique_ms": 15_000},
            "vod": {"total_ms": 5_000, "unique_ms": 5_000},
        },
    }


def test_a_viewer_of_whom_nothing_is_known_watched_nothing() -> None:
    told = Stage().watched()
    assert (told["total_ms"], told["unique_ms"], told["by_content_type"]) == (0, 0, {})


def test_the_range_takes_both_forms_of_time_and_leaves_out_its_end() -> None:
    stage = Stage()
    stage.tell(*(heartbeat(1, KICK_OFF - minute * 60_000) for minute in range(5)))
    assert stage.watched("?from=2026-10-28T17:57:00Z&to=2026-10-28T18:00:00Z")["total_ms"] == 3_000
    assert stage.watched(f"?from={KICK_OFF - 60_000}&to={KICK_OFF + 1}")["total_ms"] == 2_000


@pytest.mark.parametrize("query", ["?from=yesterday", "?from=10&to=10", "?form=1", "?to=0"])
def test_a_range_that_makes_no_sense_is_refused(query: str) -> None:
    answer = Stage().client.get(WATCH_TIME + query)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_watch_time_reaches_across_a_rotation_of_the_keys() -> None:
    stage = Stage(pseudonym_keys=ROTATED_KEYS)
    stage.tell(heartbeat(10, KICK_OFF - 20_000), heartbeat(5, KICK_OFF))
    assert stage.watched()["total_ms"] == 15_000
    assert stage.watched(f"?to={KICK_OFF}")["total_ms"] == 10_000
    assert stage.watched(f"?from={KICK_OFF}")["total_ms"] == 5_000


@pytest.mark.parametrize("hidden", [{"child": True}, {"consent": "none"}])
def test_who_is_not_to_be_known_has_no_watch_time(hidden: dict[str, Any]) -> None:
    stage = Stage()
    stage.tell(heartbeat(10, **hidden))
    assert stage.watched()["total_ms"] == 0


def test_attributes_are_put_read_and_deleted() -> None:
    stage = Stage()
    assert stage.attributes() == UNKNOWN
    assert stage.client.put(ATTRIBUTES, json=KNOWN).status_code == 204
    assert stage.attributes() == UNKNOWN | {"country": "NO", "language": "nb", "join_date": "2024-02-29"}
    stage.clock.advance(1)
    assert stage.client.request("DELETE", ATTRIBUTES).status_code == 204
    assert stage.attributes() == UNKNOWN
    assert stage.client.request("DELETE", ATTRIBUTES).status_code == 204


def test_a_put_replaces_what_was_there() -> None:
    stage = Stage()
    stage.client.put(ATTRIBUTES, json=KNOWN)
    stage.clock.advance(1)
    stage.client.put(ATTRIBUTES, json={"subscription": "plus", "consent": "personalisation"})
    assert stage.attributes() == UNKNOWN | {"subscription": "plus"}


@pytest.mark.parametrize("withdrawn", [{"consent": "none"}, {"consent": "analytics", "child": True}])
def test_withdrawn_consent_forgets_under_every_key(withdrawn: dict[str, Any]) -> None:
    stage = Stage(pseudonym_keys=ROTATED_KEYS)
    stage.clock.advance(-DAY_MS)
    stage.client.put(ATTRIBUTES, json=KNOWN)
    stage.clock.advance(2 * DAY_MS)
    assert stage.attributes() == UNKNOWN | {"country": "NO", "language": "nb", "join_date": "2024-02-29"}
    assert stage.client.put(ATTRIBUTES, json={"country": "SE", **withdrawn}).status_code == 204
    assert stage.attributes() == UNKNOWN
    assert stage.stored() == {}


def test_the_platforms_id_is_not_stored() -> None:
    stage = Stage()
    stage.client.put("/v1/viewers/ada-of-oslo/attributes", json=KNOWN)
    stage.tell(heartbeat(10, viewer_id="ada-of-oslo"))
    objects = stage.ports.objects("viewer-log")
    held = [objects.get(name) or b"" for name in objects.list()]
    assert held
    assert len(stage.stored()) == 1
    assert not any(b"oslo" in data for data in [*held, *stage.stored()])


NO_SENSE = (
    b"",
    b"[]",
    b"{",
    b'{"country":"NO"}',
    b'{"consent":"yes"}',
    b'{"consent":"analytics","email":"a@b"}',
    b'{"consent":"analytics","join_date":"soon"}',
    b'{"consent":"analytics","country":""}',
    b'{"consent":"analytics","child":0}',
    b'{"consent":"analytics","child":"no"}',
    b'{"consent":"analytics","join_date":1700000000}',
    b'{"consent":"analytics","country":"\\ud800"}',
)


@pytest.mark.parametrize("body", NO_SENSE)
def test_attributes_that_make_no_sense_are_refused(body: bytes) -> None:
    stage = Stage()
    answer = stage.client.put(ATTRIBUTES, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert stage.stored() == {}


@pytest.mark.parametrize("viewer_id", ["a/b", "a#b", "a b\n", "å" * 100])
def test_any_viewer_id_has_its_own_path(viewer_id: str) -> None:
    stage = Stage()
    stage.tell(heartbeat(3, viewer_id=viewer_id))
    answer = stage.client.get(f"/v1/viewers/{quote(viewer_id, safe='')}/watch-time").json()
    assert (answer["viewer_id"], answer["total_ms"]) == (viewer_id, 3_000)


def test_a_viewers_token_opens_that_viewer_alone_and_other_keys_none() -> None:
    secret = b"a shared secret of thirty-two bytes"
    stage = Stage(loopback=False, viewer_token=secret, write_keys=b'{"web":"w"}', operator_keys=b'{"ops":"o"}')
    claims = {"sub": "ada", "aud": "grandstand", "exp": int(time.time()) + 60}
    token = jwt.encode(claims, secret.decode(), "HS256")

    def status(credential: str, path: str) -> int:
        return stage.client.get(path, headers={"Authorization": f"Bearer {credential}"}).status_code

    for path in (WATCH_TIME, ATTRIBUTES):
        assert status(token, path) == 200
        assert status("o", path) == 200
        assert status(token, path.replace("ada", "bob")) == 403
        assert status("w", path) == 403
        assert stage.client.get(path).status_code == 401


def test_a_page_of_the_platform_asks_with_its_viewers_token() -> None:
    stage = Stage(loopback=False)
    asked = {"Origin": "https://tv.example", "Access-Control-Request-Headers": "authorization"}
    answer = stage.client.request("OPTIONS", ATTRIBUTES, headers={**asked, "Access-Control-Request-Method": "PUT"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
    assert {"GET", "PUT", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert answer.headers["access-control-allow-headers"] == "authorization"
    refused = stage.client.get(WATCH_TIME, headers={"Origin": "https://tv.example"})
    assert (refused.status_code, "access-control-allow-credentials" in refused.headers) == (401, False)


def test_the_document_tells_every_endpoint() -> None:
    document = Stage().client.get("/openapi.json").json()
    assert {*document["paths"]["/v1/viewers/{id}/attributes"]} >= {"get", "put", "delete"}
    (answer,) = document["paths"]["/v1/viewers/{id}/watch-time"]["get"]["responses"]["200"]["content"].values()
    assert answer["schema"]
