import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from events.cmcd import CmcdContext, from_event_lines, from_headers, from_json, from_query
from events.cmcd.transports import MAX_REPORT_CHARACTERS
from shared.errors import InvalidInput
from tests.unit.events.golden import golden

NOW = 1_795_166_100_000
CONTEXT = CmcdContext()


def test_a_query_is_one_report_among_other_parameters() -> None:
    first, second = (from_query(line, NOW, context=CONTEXT) for line in golden("cmcd-v2-query.txt").splitlines())
    event = first.events[0]
    assert (event.bitrate_kbps, event.buffer_ms, event.throughput_kbps) == (5000, 4000, 25400)
    assert (event.content_id, event.content_type, event.player_state) == ("final", "live", "playing")
    assert second.events[0].player_state == "paused"
    assert [*first.indices, *second.indices] == [0, 0]
    assert first.normalised == {}


def test_a_query_without_cmcd_is_told_how_to_send_it() -> None:
    for query in ("", "key=1", "cmcd=br%3D1", "&".join(["a=1"] * 101)):
        with pytest.raises(InvalidInput) as raised:
            from_query(query, NOW, context=CONTEXT)
        assert raised.value.status == 400


def test_the_four_headers_are_one_report_named_in_any_case() -> None:
    first, second = (
        from_headers(headers, NOW, context=CONTEXT) for headers in json.loads(golden("cmcd-v1-headers.json"))
    )
    event = first.events[0]
    assert (event.event_type, event.bitrate_kbps, event.buffer_ms, event.content_type) == (
        "stall",
        3200,
        21300,
        "live",
    )
    assert second.events[0].session_id == event.session_id == "6e2fb550-c457-11e9-bb97-0800200c9a66"
    assert first.normalised == second.normalised == {}


def test_a_key_in_the_wrong_header_is_taken_and_counted() -> None:
    body = from_headers({"CMCD-Request": 'sid="s",cid="c",br=900', "CMCD-Status": "x-y=1"}, NOW, context=CONTEXT)
    assert body.events[0].bitrate_kbps == 900
    assert body.normalised == {"key_in_wrong_header": 3}


def test_a_header_that_comes_twice_is_one_list() -> None:
    headers = Headers(raw=[(b"cmcd-session", b'sid="s"'), (b"cmcd-session", b'cid="c"')])
    assert from_headers(headers, NOW, context=CONTEXT).events[0].content_id == "c"


def test_no_header_of_cmcd_is_told_how_to_send_it() -> None:
    with pytest.raises(InvalidInput, match="CMCD-Object"):
        from_headers({"Host": "x"}, NOW, context=CONTEXT)


@pytest.mark.parametrize(
    "garbage", ["", "\x00\xff", ";;;;", "=,=,=", '"', "9" * 10_000, "a" * 20_000, "((((((", "x-y=1"]
)
def test_garbage_is_rejected_with_the_reason(garbage: str) -> None:
    body = from_headers({"CMCD-Session": garbage}, NOW, context=CONTEXT)
    assert body.events == []
    assert body.rejected[0].code in ("unreadable", "too_long")
    assert body.rejected[0].reason


def test_json_comes_as_an_object_an_array_or_lines() -> None:
    lines = golden("cmcd-v1.ndjson").encode()
    objects = [json.loads(line) for line in lines.splitlines()]
    by_line = from_json(lines, NOW, context=CONTEXT)
    as_array = from_json(json.dumps(objects).encode(), NOW, context=CONTEXT)
    alone = from_json(json.dumps(objects[0]).encode(), NOW, context=CONTEXT)
    assert [event.event_type for event in by_line.events] == ["stall", "heartbeat"]
    assert [event.bitrate_kbps for event in as_array.events] == [3200, None]
    assert alone.events[0].playback_rate == 1.08
    assert by_line.normalised == {}


@pytest.mark.parametrize("body", [b"", b"nonsense", b'{"br":', b'{"sid"\n{"sid"', b"\xff\xfe", b"[" * 5_000, b"[]"])
def test_what_is_not_json_is_invalid(body: bytes) -> None:
    with pytest.raises(InvalidInput) as raised:
        from_json(body, NOW, context=CONTEXT)
    assert raised.value.status == 400


def test_a_bad_item_of_a_json_array_is_rejected_alone() -> None:
    body = from_json(b'[{"sid":"s","cid":"c"},7,{"sid":"s"},{}]', NOW, context=CONTEXT)
    assert list(body.indices) == [0]
    codes = [(rejection.index, rejection.code) for rejection in body.rejected]
    assert codes == [(1, "not_an_object"), (2, "missing_content"), (3, "unreadable")]


def test_a_bad_line_of_json_is_rejected_alone() -> None:
    body = from_event_lines(b'{"sid":"s","cid":"c"}\n{"sid":NaN}\n7\n{"sid":"t","cid":"c"}', NOW, context=CONTEXT)
    assert (list(body.indices), [each.index for each in body.rejected]) == ([0, 3], [1, 2])


def test_event_lines_are_reports_in_order() -> None:
    body = from_event_lines(golden("cmcd-v2-events.txt").encode(), NOW, context=CONTEXT)
    assert [event.event_type for event in body.events] == [
        *("heartbeat", "join", "play", "heartbeat", "quality_change", "stall", "play", "ad_start", "ad_end"),
        *("heartbeat", "error", "heartbeat", "seek", "pause", "heartbeat", "stop"),
    ]
    assert list(body.indices) == list(range(16))
    assert body.rejected == []
    assert body.normalised == {}
    assert "secret" not in repr(body)


def test_a_bad_line_is_rejected_alone_and_blank_lines_count_for_nothing() -> None:
    lines = b'\r\ne=t,sid="s",cid="c",ts=5,v=2\r\n\r\n\xff\xfe\nbroken\n' + b"a" * (MAX_REPORT_CHARACTERS + 1)
    body = from_event_lines(lines, NOW, context=CONTEXT)
    assert list(body.indices) == [0]
    codes = [(rejection.index, rejection.code) for rejection in body.rejected]
    assert codes == [(1, "unreadable"), (2, "unreadable"), (3, "too_long")]


def test_event_lines_may_be_json_or_logged_queries() -> None:
    as_json = from_event_lines(b'{"e":"t","sid":"s","cid":"c","ts":5,"v":2}', NOW, context=CONTEXT)
    as_log = from_event_lines(b"CMCD=sid%3D%22s%22%2Ccid%3D%22c%22", NOW, context=CONTEXT)
    assert as_json.events[0].event_timestamp == 5
    assert as_log.events[0].content_id == "c"


@pytest.mark.parametrize(
    "crowd",
    [
        b"a\n" * 6,
        b'{"sid":"s","cid":"c"}\n' * 6,
        b"[" + b"{}," * 5 + b"{}]",
        b"[[" + b"1," * 2_000 + b"1]]",
        b"\n" * 2_000 + b"a",
        b"{" * 5 + b"\n" * 2_000,
    ],
)
def test_too_many_reports_are_refused_before_anything_is_made_of_them(crowd: bytes) -> None:
    with pytest.raises(InvalidInput, match="more than 5 events") as raised:
        from_event_lines(crowd, NOW, context=CmcdContext(max_reports=5))
    assert raised.value.status == 413


@pytest.mark.parametrize(
    "body",
    [
        b'sid="s",cid="c",' + b"br=5," * 300 + b"bl=1",
        json.dumps({"sid": "s", "cid": "c", **{f"x-{i}": i for i in range(300)}, "bl": 1}).encode(),
    ],
)
def test_of_an_endless_report_the_beginning_counts(body: bytes) -> None:
    read = from_event_lines(body, NOW, context=CONTEXT)
    assert (len(read.events), read.events[0].buffer_ms, read.normalised["too_many_members"]) == (1, None, 1)


def test_an_empty_body_of_event_lines_is_invalid() -> None:
    with pytest.raises(InvalidInput):
        from_event_lines(b"\n \n", NOW, context=CONTEXT)


def test_reports_with_an_identity_of_their_own_are_one_batch_in_every_retry() -> None:
    lines = golden("cmcd-v2-events.txt").encode()
    one, again = (from_event_lines(lines, at, context=CONTEXT) for at in (NOW, NOW + 9_000))
    assert one.batch_id is not None
    assert one.batch_id == again.batch_id
    assert one.events == again.events
    other = from_event_lines(lines.replace(b"sn=15", b"sn=16"), NOW, context=CONTEXT)
    assert other.batch_id != one.batch_id


@pytest.mark.parametrize(
    "line", [b'e=t,sid="s",cid="c",ts=5,v=2', b'sid="s",cid="c",sn=5,v=2', b'sid="s",cid="c"', b"x"]
)
def test_reports_without_an_identity_are_no_batch(line: bytes) -> None:
    exact = b'e=t,sid="s",cid="c",ts=5,sn=1,v=2\n' if line != b"x" else b""
    assert from_event_lines(exact + line, NOW, context=CONTEXT).batch_id is None


def test_consent_and_child_of_the_request_hold_for_all_reports() -> None:
    context = CmcdContext(consent="none", child=True)
    body = from_query("CMCD=sid%3D%22s%22%2Ccid%3D%22c%22", NOW, context=context)
    assert (body.consent, body.child) == ("none", True)


@given(st.binary(max_size=200))
def test_no_body_is_a_crash(body: bytes) -> None:
    for read in (from_event_lines, from_json):
        try:
            result = read(body, NOW, context=CONTEXT)
        except InvalidInput:
            continue
        assert len(result.events) == len(result.indices)
        assert len(result.events) + len(result.rejected) > 0


@given(
    st.dictionaries(
        st.sampled_from(["CMCD-Object", "cmcd-request", "CMCD-SESSION", "CMCD-Status"]), st.text(), min_size=1
    )
)
def test_no_header_is_a_crash(headers: dict[str, str]) -> None:
    body = from_headers(headers, NOW, context=CONTEXT)
    assert len(body.events) + len(body.rejected) == 1


@given(st.text())
def test_no_query_is_a_crash(value: str) -> None:
    body = from_query(f"CMCD={value.replace('&', '')}", NOW, context=CONTEXT)
    assert len(body.events) + len(body.rejected) == 1
