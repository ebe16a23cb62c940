"""What becomes of a body: its events in records, its faults in tallies, and nothing in between."""

import json
from typing import Any

import pytest

from events.columns import Columns, words_of
from events.event import EVENT_TYPES
from functions.ingest.handler import Ingest, Receipt, Sent
from shared.errors import InvalidInput, Misconfigured, Unavailable
from shared.fan_out import set_fan_out
from shared.privacy.pseudonym import pseudonym
from shared.settings import Settings
from tests.builders import KICK_OFF
from tests.unit.ingest.doubles import NOW, Desk, Drawer, as_json, told

KEY = bytes.fromhex("11" * 32)
MINUTE = 60_000


def post(desk: Desk, data: bytes, *, key: str | None = None, **settings: Any) -> Receipt:
    return Ingest(desk.ports, Settings(**settings)).ingest(Sent(data, "web", idempotency_key=key))


def kept(data: bytes, **settings: Any) -> Columns:
    """The one record of a body."""
    desk = Desk()
    post(desk, data, **settings)
    (columns,) = desk.stream.columns()
    return columns


def test_a_bodys_events_arrive_in_one_record_with_their_tallies() -> None:
    columns = kept(as_json(told(3), batch_id="b"))
    header = columns.header
    assert (header.content_id, header.k, header.source, header.exact) == ("match", 0, "web", True)
    assert (header.received, header.sampled_out, header.rejected) == (3, 0, {})
    assert (header.received_at, header.tally_window, header.level) == (NOW, KICK_OFF // 5_000, 0)
    assert columns.timestamp.tolist() == [KICK_OFF, KICK_OFF + 1_000, KICK_OFF + 2_000]
    assert columns.event_id == ["e0", "e1", "e2"]
    assert {EVENT_TYPES[code] for code in columns.type} == {"heartbeat"}
    assert columns.watched_ms.tolist() == [1_000] * 3


def test_ids_are_stored_as_keyed_hashes_only() -> None:
    desk = Desk()
    post(desk, as_json(told(2)))
    (record,), (columns,) = desk.stream.records, desk.stream.columns()
    assert columns.profiles.viewer.tobytes() == pseudonym(KEY, "ada")
    assert columns.profiles.session.tobytes() == pseudonym(KEY, "ada-tv")
    assert columns.header.keys == ["k1"]
    assert b"ada" not in record.body


@pytest.mark.parametrize(
    ("missing", "stands_in"), [("viewer_id", "ada-tv"), ("session_id", "ada")], ids=["viewer", "session"]
)
def test_a_session_stands_in_for_a_viewer_and_a_viewer_for_a_session(missing: str, stands_in: str) -> None:
    for absent in (None, ""):
        profiles = kept(as_json(told(1, **{missing: absent}))).profiles
        assert profiles.viewer.tobytes() == pseudonym(KEY, "ada" if missing == "session_id" else stands_in)
        assert profiles.session.tobytes() == pseudonym(KEY, stands_in)


@pytest.mark.parametrize(
    ("envelope", "fields"),
    [
        ({"consent": "none"}, {}),
        ({"child": True}, {}),
        ({"consent": "personalisation"}, {"consent": "none"}),
        ({"consent": "none"}, {"consent": "personalisation"}),
        ({"child": False}, {"child": True}),
        ({"child": True}, {"child": False, "consent": "analytics"}),
    ],
)
def test_without_consent_and_for_children_only_the_session_is_known(
    envelope: dict[str, Any], fields: dict[str, Any]
) -> None:
    columns = kept(as_json(told(2, **fields), clock_offset_ms=0, **envelope))
    profiles = columns.profiles
    assert profiles.no_profile.tolist() == [True]
    assert profiles.viewer.tobytes() == profiles.session.tobytes() == pseudonym(KEY, "ada-tv")
    assert columns.event_id == ["e0", "e1"]


def test_without_a_profile_an_events_own_id_gives_nobody_away() -> None:
    events = [told(1, event_id=name)[0] for name in ("ada-1", "1", "x/ada-tv/2")]
    found = kept(as_json(events, consent="none")).event_id
    assert found == [pseudonym(KEY, "ada-1").hex(), "1", pseudonym(KEY, "x/ada-tv/2").hex()]
    assert kept(as_json(events)).event_id == ["ada-1", "1", "x/ada-tv/2"]


def test_without_a_profile_or_a_session_id_contents_cannot_be_linked() -> None:
    desk = Desk()
    events = [told(1, session_id=None, content_id=content)[0] for content in ("match", "match", "film")]
    post(desk, as_json(events, consent="none"))
    viewers = {each.header.content_id: each.profiles.viewer.tobytes() for each in desk.stream.columns()}
    assert len({*viewers.values(), pseudonym(KEY, "ada")}) == 3


def test_consent_is_told_with_the_profile_and_the_event_may_differ_from_the_body() -> None:
    events = [told(1, viewer_id="ada")[0], told(1, viewer_id="bob", consent="personalisation")[0]]
    profiles = kept(as_json(events, consent="analytics")).profiles
    assert words_of(profiles.consent) == ["analytics", "personalisation"]
    assert profiles.no_profile.tolist() == [False, False]


def test_the_pseudonym_key_changes_at_its_window_by_the_events_own_time() -> None:
    desk = Desk(secrets=Drawer(("k1", 0, "11" * 32), ("k2", KICK_OFF + 5_000, "22" * 32)))
    post(desk, as_json(told(8)))
    (columns,) = desk.stream.columns()
    profiles, rows = columns.profiles, columns.profile
    assert columns.header.keys == ["k1", "k2"]
    assert profiles.key[rows].tolist() == [0] * 5 + [1] * 3
    assert profiles.viewer[rows[7]].tobytes() == pseudonym(bytes.fromhex("22" * 32), "ada")


def test_words_that_say_nothing_are_no_words() -> None:
    profiles = kept(as_json(told(1, country="", device_type="tv", report_every_seconds=20))).profiles
    assert (words_of(profiles.country), words_of(profiles.device_type)) == ([None], ["tv"])
    assert profiles.report_every_seconds.tolist() == [20]


def test_fields_of_a_few_events_stand_beside_the_columns() -> None:
    events = [*told(2), *told(1, event_type="stall", stall_ms=70), *told(1, event_type="chat", text="goal!")]
    sparse = kept(as_json(events)).sparse
    assert {name: (rows.tolist(), values) for name, (rows, values) in sparse.items()} == {
        "stall_ms": ([2], [70]),
        "text": ([3], ["goal!"]),
    }


def test_the_content_type_goes_with_the_record() -> None:
    assert kept(as_json([*told(1), *told(1, content_type="live")])).header.content_type == "live"


# what breaks a rule


@pytest.mark.parametrize(
    ("fields", "code", "word"),
    [
        ({"event_type": "dance"}, "unknown_type", "dance"),
        ({"content_id": ""}, "missing", "content_id"),
        ({"viewer_id": None, "session_id": ""}, "missing", "viewer_id"),
        ({"viewer_id": "x" * 257}, "too_long", "viewer_id"),
        ({"session_id": "é" * 129}, "too_long", "session_id"),
        ({"content_id": "x" * 10_000_000}, "too_long", "content_id"),
        ({"event_id": "x" * 257}, "too_long", "event_id"),
        ({"country": "x" * 257}, "too_long", "country"),
        ({"quality_level": "x" * 257}, "too_long", "quality_level"),
        ({"text": "x" * 2_001}, "too_long", "text"),
        ({"watched_ms": -1}, "out_of_range", "watched_ms"),
        ({"watched_ms": 2**31}, "out_of_range", "watched_ms"),
        ({"bitrate_kbps": -5}, "out_of_range", "bitrate_kbps"),
        ({"position_seconds": 1e300}, "out_of_range", "position_seconds"),
        ({"stall_ms": -1}, "out_of_range", "stall_ms"),
        ({"buffer_ms": 2**40}, "out_of_range", "buffer_ms"),
        ({"rating": 1e7}, "out_of_range", "rating"),
        ({"report_every_seconds": 0}, "out_of_range", "report_every_seconds"),
        ({"report_every_seconds": 10**9}, "out_of_range", "report_every_seconds"),
        ({"consent": "maybe"}, "wrong_value", "consent"),
        ({"watched_ms": "long"}, "wrong_type", "watched_ms"),
        ({"event_timestamp": 0}, "late", "event_timestamp"),
        ({"event_timestamp": NOW - 7 * 24 * 60 * MINUTE - 1}, "late", "event_timestamp"),
        ({"event_timestamp": NOW + 5 * MINUTE + 1}, "ahead", "event_timestamp"),
        ({"event_timestamp": NOW + 365 * 24 * 60 * MINUTE}, "ahead", "event_timestamp"),
        ({"event_timestamp": 10**30}, "ahead", "event_timestamp"),
    ],
)
def test_an_event_that_breaks_a_rule_is_rejected_alone_and_counted(
    fields: dict[str, Any], code: str, word: str
) -> None:
    desk, events = Desk(), told(4)
    events[2] |= fields
    receipt = post(desk, as_json(events))
    (rejection,) = receipt.rejected
    assert (receipt.accepted, rejection.index, rejection.code) == (3, 2, code)
    assert word in rejection.reason
    assert len(rejection.reason) < 200
    records = desk.stream.columns()
    assert [name for each in records for name in each.event_id] == ["e0", "e1", "e3"]
    assert sum(each.header.received for each in records) == 4
    assert [each.header.rejected for each in records if each.header.rejected] == [{code: 1}]


def test_the_bounds_of_time_are_inside_and_are_settings() -> None:
    week = 7 * 24 * 60 * MINUTE
    events = [told(1, event_timestamp=moment)[0] for moment in (NOW - week, NOW + 5 * MINUTE)]
    assert post(Desk(), as_json(events)).accepted == 2
    receipt = post(Desk(), as_json(told(2)), max_age_seconds=599)
    assert [each.code for each in receipt.rejected] == ["late"]
    assert post(Desk(), as_json(told(1, event_timestamp=NOW + 1)), max_ahead_seconds=0).accepted == 0


@pytest.mark.parametrize("extra", [{"league": "x" * 3_000}, {"league": ["x" * 1_000] * 3}])
def test_extra_fields_are_bounded(extra: dict[str, Any]) -> None:
    events = [*told(1, league={"id": 1}), *told(1, **extra)]
    desk = Desk()
    receipt = post(desk, as_json(events), extra_fields=("league",))
    assert [each.code for each in receipt.rejected] == ["too_long"]
    assert desk.stream.columns()[0].sparse["extra"][1] == [{"league": {"id": 1}}]


@pytest.mark.parametrize("strange", ["a#b", "a/b", "a\nb", "~a", "né ⚽", "a\0b", "x" * 256])
def test_ids_are_data_whatever_they_contain(strange: str) -> None:
    names = {"viewer_id": strange, "session_id": strange, "content_id": strange, "event_id": strange}
    columns = kept(as_json(told(1, **names)))
    assert columns.header.content_id == strange
    assert columns.event_id == [strange]
    assert columns.profiles.viewer.tobytes() == pseudonym(KEY, strange)


def test_a_body_with_nothing_valid_leaves_its_tallies() -> None:
    desk = Desk()
    receipt = post(desk, as_json([*told(2, event_timestamp=0), *told(1, watched_ms=-1), *told(1, watched_ms="x")]))
    assert (receipt.accepted, [each.index for each in receipt.rejected]) == (0, [0, 1, 2, 3])
    (columns,) = desk.stream.columns()
    assert columns.n == 0
    assert (columns.header.content_id, columns.header.k) == ("match", 0)
    assert columns.header.rejected == {"late": 2, "out_of_range": 1, "wrong_type": 1}
    assert (columns.header.received, columns.header.tally_window) == (4, NOW // 5_000)


def test_a_body_without_a_single_event_by_its_rules_names_no_content() -> None:
    desk = Desk()
    receipt = post(desk, as_json([*told(2, watched_ms=-1), *told(1, watched_ms="x")]))
    assert [each.index for each in receipt.rejected] == [0, 1, 2]
    (columns,) = desk.stream.columns()
    assert (columns.header.content_id, columns.header.k, columns.n) == ("", 0, 0)
    assert columns.header.rejected == {"out_of_range": 2, "wrong_type": 1}


def test_an_empty_list_leaves_nothing() -> None:
    desk = Desk()
    assert post(desk, b"[]").accepted == 0
    assert desk.stream.records == []


# clocks


def test_a_sender_who_knows_its_clock_is_off_is_corrected_the_same_in_every_retry() -> None:
    data = as_json(told(1), clock_offset_ms=40_000, batch_id="b", sent_at=NOW + 99)
    assert kept(data).timestamp.tolist() == [KICK_OFF - 40_000]


def test_a_body_without_a_batch_id_is_corrected_by_when_it_came() -> None:
    assert kept(as_json(told(1), sent_at=NOW + 3_000)).timestamp.tolist() == [KICK_OFF - 3_000]
    assert kept(as_json(told(1), sent_at=NOW + 3_000, batch_id="b")).timestamp.tolist() == [KICK_OFF]


def test_a_clock_that_is_a_year_wrong_costs_no_event() -> None:
    year = 365 * 24 * 60 * MINUTE
    events = told(1, event_timestamp=KICK_OFF + year)
    assert kept(as_json(events, sent_at=NOW + year)).timestamp.tolist() == [KICK_OFF]


# partitions, chunks and sampling


def test_contents_and_partitions_have_records_of_their_own() -> None:
    desk = Desk()
    start = set_fan_out(desk.table("schedules"), "match", 4, NOW - 20 * MINUTE)
    assert start * 5_000 < KICK_OFF
    events = [
        told(1, viewer_id=f"v{i}", content_id=content)[0] for i in range(40) for content in ("match", "film", "x#y")
    ]
    assert post(desk, as_json(events)).accepted == 120
    found = {(each.header.content_id, each.header.k): each.n for each in desk.stream.columns()}
    assert {k for content, k in found if content == "match"} == {0, 1, 2, 3}
    assert found["film", 0] == found["x#y", 0] == 40
    assert {record.key for record in desk.stream.records} == {*(f"match#{k}" for k in range(4)), "film#0", "x#y#0"}
    assert sum(each.header.received for each in desk.stream.columns()) == 120


def test_a_fan_out_changes_inside_a_body_at_its_window() -> None:
    desk = Desk()
    table = desk.table("schedules")
    start = set_fan_out(table, "match", 16, KICK_OFF - 380_000)
    events = [
        told(1, viewer_id=f"v{i}", event_timestamp=start * 5_000 + late)[0] for i in range(50) for late in (-1, 0)
    ]
    post(desk, as_json(events))
    before = sum(int((each.timestamp < start * 5_000).sum()) for each in desk.stream.columns() if each.header.k == 0)
    assert before == 50
    assert len(desk.stream.records) > 8


def test_chunks_are_cut_by_the_events_places_in_the_body() -> None:
    desk, events = Desk(), told(10)
    events[1]["watched_ms"] = -1
    events[4]["event_timestamp"] = 0
    receipt = post(desk, as_json(events), chunk_events=4)
    assert receipt.accepted == 8
    found = [(each.event_id, each.header.rejected, each.header.received) for each in desk.stream.columns()]
    assert found == [
        (["e0", "e2", "e3"], {"out_of_range": 1}, 4),
        (["e5", "e6", "e7"], {"late": 1}, 4),
        (["e8", "e9"], {}, 2),
    ]


def test_a_heavy_body_is_cut_by_size_too() -> None:
    desk = Desk()
    letters = "abcdefghijklmnopqrstuvwxyz" * 70
    receipt = post(desk, as_json(told(700, event_type="chat", text=letters), batch_id="b"), chunk_events=1_000)
    assert receipt.accepted == 700
    sizes = [each.n for each in desk.stream.columns()]
    assert sum(sizes) == 700
    assert len(sizes) == 4


def test_a_heavy_body_is_still_cut_by_the_number_of_its_events() -> None:
    desk = Desk()
    post(desk, as_json(told(700, event_type="chat", text="goal " * 200), batch_id="b"), chunk_events=100)
    assert [each.n for each in desk.stream.columns()] == [100] * 7


def test_a_spike_samples_heartbeats_only_and_says_so() -> None:
    desk = Desk()
    events = [
        told(1, viewer_id=f"v{i}", event_type=kind)[0]
        for i in range(300)
        for kind in ("heartbeat", "join", "reaction")
    ]
    receipt = post(desk, as_json(events), sampling_events_per_second=800, chunk_events=1_000)
    assert (receipt.accepted, receipt.as_json()["sample_rate"]) == (900, 1 / 8)
    (columns,) = desk.stream.columns()
    kinds = [EVENT_TYPES[code] for code in columns.type]
    assert kinds.count("join") == kinds.count("reaction") == 300
    assert 10 < kinds.count("heartbeat") < 80
    header = columns.header
    assert (header.level, header.received, header.sampled_out) == (3, 900, 300 - kinds.count("heartbeat"))


# what goes wrong around it


def test_too_many_events_are_refused_with_the_limit() -> None:
    with pytest.raises(InvalidInput, match="3 events") as caught:
        post(Desk(), as_json(told(4)), max_events_per_body=3)
    assert caught.value.status == 413


def test_a_batch_id_is_bounded() -> None:
    with pytest.raises(InvalidInput, match="batch_id"):
        post(Desk(), as_json(told(1), batch_id="x" * 257))


def test_what_the_stream_refuses_for_good_is_told_as_unavailable() -> None:
    desk = Desk()
    desk.stream.refuse = lambda record: "shard is full"
    with pytest.raises(Unavailable, match="shard is full"):
        post(desk, as_json(told(1)))


def test_without_pseudonym_keys_nothing_is_taken() -> None:
    desk = Desk(secrets=Drawer(("k1", 0, "")))
    with pytest.raises(Misconfigured, match="pseudonym-keys"):
        post(desk, as_json(told(1)))
    assert desk.stream.records == []


def test_an_event_id_means_nothing_outside_its_own_session() -> None:
    desk = Desk()
    post(desk, json.dumps(told(1, viewer_id="eve", session_id="eve-tv")).encode())
    assert post(desk, json.dumps(told(1)).encode()).accepted == 1
    assert [each.event_id for each in desk.stream.columns()] == [["e0"], ["e0"]]


def test_events_keep_their_viewers_when_others_are_left_out() -> None:
    events = [told(1, viewer_id=f"v{i % 5}", event_id=f"v{i % 5}")[0] for i in range(20)]
    for i in (0, 1):
        events[i]["event_timestamp"] = 0
    for i in (7, 13):
        events[i]["watched_ms"] = -1
    columns = kept(as_json(events))
    viewers = [row.tobytes() for row in columns.profiles.viewer[columns.profile]]
    assert viewers == [pseudonym(KEY, name) for name in columns.event_id]
    assert columns.profiles.m == 5


def test_columns_with_gaps_are_checked_like_others() -> None:
    gap = told(1, watched_ms=None, position_seconds=None, event_id=None)
    full = told(1, position_seconds=7)
    for events in (gap + full, full + gap):
        assert post(Desk(), as_json(events)).accepted == 2
        for fault in ({"watched_ms": -1}, {"position_seconds": 1e15}, {"event_id": "x" * 300}):
            receipt = post(Desk(), as_json([*events, *told(1, **fault)]))
            assert [each.index for each in receipt.rejected] == [2]
