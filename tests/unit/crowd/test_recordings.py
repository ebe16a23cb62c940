"""Recorded reports become messages, in each format, the same at every run."""

import io
import json
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import orjson
import pytest

from lab.recordings import FORMATS, MAX_EVENTS
from lab.sender import Message

BITMOVIN = Path(__file__).parents[4] / "shared/vectors/cmcd/bitmovin-url.log"

EVENT = {"event_type": "join", "event_timestamp": 1, "content_id": "a", "viewer_id": "v"}


def messages(format_: str, text: str | bytes, content: str | None = None) -> list[Message]:
    data = text.encode() if isinstance(text, str) else text
    return list(FORMATS[format_](io.BytesIO(data), content))


def lines_of(message: Message) -> list[dict[str, object]]:
    return [json.loads(line) for line in message.content.splitlines()]


def test_lines_of_events_are_posted_500_at_a_time() -> None:
    text = "\n".join(json.dumps({**EVENT, "event_id": str(number)}) for number in range(MAX_EVENTS + 1))
    first, second = messages("native", text)
    assert (first.path, first.headers["content-type"]) == ("/v1/events", "application/x-ndjson")
    assert (first.events, second.events) == (500, 1)
    assert [event["event_id"] for event in lines_of(first) + lines_of(second)] == [str(n) for n in range(501)]


@pytest.mark.parametrize("text", [json.dumps([EVENT, EVENT]), "\n" + json.dumps([EVENT, EVENT], indent=2) + "\n"])
def test_an_array_is_read_as_its_events(text: str) -> None:
    (only,) = messages("native", text)
    assert lines_of(only) == [EVENT, EVENT]


def test_a_body_is_posted_as_it_was() -> None:
    body = {"batch_id": "b", "clock_offset_ms": 5, "events": [EVENT, EVENT]}
    (only,) = messages("native", json.dumps(body, indent=1))
    assert json.loads(only.content) == body
    assert (only.events, only.headers["content-type"]) == (2, "application/json")


def test_what_is_no_json_is_left_for_the_suite_to_judge() -> None:
    (only,) = messages("native", b"{broken\n" + orjson.dumps(EVENT) + b"\n\n[1\n")
    assert only.content.splitlines() == [b"{broken", orjson.dumps(EVENT), b"[1"]
    assert only.events == 3


@pytest.mark.parametrize("format_", ["native", "segment", "cloudevents"])
def test_an_empty_file_holds_nothing(format_: str) -> None:
    assert messages(format_, "\n\n") == []


def test_everything_can_be_reported_as_of_one_content() -> None:
    body = json.dumps({"events": [EVENT]})
    loose, whole = messages("native", json.dumps(EVENT) + "\n" + body, "mine")
    assert lines_of(loose) == [{**EVENT, "content_id": "mine"}]
    assert json.loads(whole.content)["events"] == [{**EVENT, "content_id": "mine"}]


@pytest.mark.parametrize("format_", ["native", "segment", "cloudevents"])
def test_what_is_no_object_is_left_as_it_is(format_: str) -> None:
    odd = json.dumps({"events": [1], "batch": [1], "data": "x"})
    (only,) = messages(format_, odd, "mine")
    assert only.events == 1


def test_the_same_file_gives_the_same_keys_and_every_message_its_own() -> None:
    text = "\n".join(json.dumps(EVENT) for _ in range(3 * MAX_EVENTS))
    first, second = messages("native", text), messages("native", text)
    keys = [message.headers["idempotency-key"] for message in first]
    assert keys == [message.headers["idempotency-key"] for message in second]
    assert len(set(keys)) == 3


def test_segment_calls_become_batches() -> None:
    call = {"type": "track", "event": "Video Playback Started", "messageId": "m", "properties": {"session_id": "s"}}
    (only,) = messages("segment", json.dumps(call) + "\n" + json.dumps({"batch": [call, call]}))
    assert only.path == "/v1/batch"
    assert json.loads(only.content) == {"batch": [call, call, call]}
    (mine,) = messages("segment", json.dumps([call]), "mine")
    assert json.loads(mine.content)["batch"][0]["properties"] == {"session_id": "s", "content_asset_id": "mine"}
    assert messages("segment", "{no call")[0].content == b'{"batch":[{no call]}'


def test_cloudevents_become_one_batch() -> None:
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": {"event_type": "join"}}
    (only,) = messages("cloudevents", json.dumps([event, event]))
    assert only.headers["content-type"] == "application/cloudevents-batch+json"
    assert json.loads(only.content) == [event, event]
    (mine,) = messages("cloudevents", json.dumps(event), "mine")
    told = json.loads(mine.content)[0]
    assert (told["subject"], told["data"]["content_id"]) == ("mine", "mine")
    assert messages("cloudevents", json.dumps({**event, "data": "x"}), "mine")[0].events == 1


@pytest.mark.parametrize(
    "line",
    [
        "CMCD=br%3D3000%2Ccid%3D%22a%22",
        "https://cdn.example/seg-1.m4s?token=x&CMCD=br%3D3000%2Ccid%3D%22a%22&y=1",
        '1.2.3.4 - - "GET /seg-1.m4s?CMCD=br%3D3000%2Ccid%3D%22a%22 HTTP/1.1" 200',
    ],
)
def test_a_query_is_found_wherever_a_log_has_it(line: str) -> None:
    skipped, found = "no report here", messages("cmcd-query", line)
    assert messages("cmcd-query", skipped) == []
    assert [(message.method, message.path) for message in found] == [
        ("GET", "/v1/cmcd?CMCD=br%3D3000%2Ccid%3D%22a%22"),
    ]


@pytest.mark.parametrize("told", ['cid="a",br=1', 'br=1,cid="a"', 'br=1,cid="a,\\"b"', "br=1"])
def test_a_query_can_be_reported_as_of_another_content(told: str) -> None:
    (only,) = messages("cmcd-query", f"CMCD={told.replace(chr(34), '%22')}", 'it"s')
    assert parse_qs(urlsplit(only.path).query)["CMCD"] == ['cid="it\\"s",br=1']


def test_headers_come_as_json_or_as_they_were_sent() -> None:
    as_json = json.dumps({"CMCD-Request": "bl=1000", "Host": "cdn"})
    as_lines = 'CMCD-Request: bl=1000\nHost: cdn\n\nHost: other\n\nCMCD-Session: sid="s"\n'
    sent = messages("cmcd-headers", as_json + "\n" + as_lines)
    told = [{name: value for name, value in each.headers.items() if name != "idempotency-key"} for each in sent]
    assert told == [{"CMCD-Request": "bl=1000"}, {"CMCD-Request": "bl=1000"}, {"CMCD-Session": 'sid="s"'}]
    assert len({each.headers["idempotency-key"] for each in sent}) == 3


def test_headers_can_be_reported_as_of_another_content() -> None:
    first, second = messages("cmcd-headers", 'CMCD-Session: cid="a",sid="s"\n\nCMCD-Request: bl=1,cid="a"', "mine")
    assert first.headers["CMCD-Session"] == 'cid="mine",sid="s"'
    assert (second.headers["CMCD-Session"], second.headers["CMCD-Request"]) == ('cid="mine"', "bl=1")


@pytest.mark.skipif(not BITMOVIN.exists(), reason=f"{BITMOVIN} is not beside the checkout")
def test_every_report_of_a_real_player_is_found() -> None:
    sent = messages("cmcd-query", BITMOVIN.read_bytes())
    assert len(sent) == 375
    assert all("sid=" in unquote(message.path) for message in sent)
