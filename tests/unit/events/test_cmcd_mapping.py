from collections import Counter

import pytest

from events.cmcd import CmcdContext
from events.cmcd.mapping import NotAnEvent, event_of
from events.cmcd.parse import parse
from events.cmcd.report import report_of
from events.event import EVENT_TYPES, Event

NOW = 1_795_166_000_000
SESSION = 'sid="s1",cid="final"'


def told(text: str, context: CmcdContext | None = None) -> Event:
    broken: Counter[str] = Counter()
    return event_of(report_of(parse(text, broken), broken), NOW, context or CmcdContext())


def happened(text: str) -> Event:
    return told(f"{SESSION},ts={NOW - 5},v=2,{text}")


def test_a_request_of_version_1_is_a_sign_of_play_at_the_time_it_came() -> None:
    event = told(f"{SESSION},bl=21300,br=3200,mtp=48100,ot=v,pr=1.5,st=l")
    assert (event.event_type, event.event_timestamp) == ("heartbeat", NOW)
    assert (event.viewer_id, event.session_id, event.content_id) == (None, "s1", "final")
    assert (event.bitrate_kbps, event.buffer_ms, event.throughput_kbps) == (3200, 21300, 48100)
    assert (event.content_type, event.playback_rate, event.player_state) == ("live", 1.5, "playing")
    assert event.watched_ms is None


def test_starvation_in_a_request_is_a_stall() -> None:
    event = told(f"{SESSION},bs,su,ot=v")
    assert (event.event_type, event.player_state) == ("stall", "rebuffering")


def test_startup_in_a_request_is_told_as_the_state() -> None:
    event = told(f"{SESSION},su,ot=m")
    assert (event.event_type, event.player_state) == ("heartbeat", "starting")


def test_a_rate_of_0_is_a_pause() -> None:
    assert told(f"{SESSION},pr=0").player_state == "paused"


@pytest.mark.parametrize(
    ("state", "event_type", "told_as"),
    [
        ("d", "heartbeat", "preloading"),
        ("s", "join", "starting"),
        ("p", "play", "playing"),
        ("k", "seek", "seeking"),
        ("r", "stall", "rebuffering"),
        ("w", "heartbeat", "waiting"),
        ("a", "pause", "paused"),
        ("e", "complete", "ended"),
        ("f", "stop", "failed"),
        ("q", "stop", "quit"),
    ],
)
def test_a_change_of_the_play_state_is_an_event_of_its_own(state: str, event_type: str, told_as: str) -> None:
    event = happened(f"e=ps,sta={state}")
    assert (event.event_type, event.player_state, event.event_timestamp) == (event_type, told_as, NOW - 5)


@pytest.mark.parametrize(
    ("text", "event_type"),
    [
        ("e=t,sta=p", "heartbeat"),
        ("e=t,sta=r", "heartbeat"),
        ('e=rr,sta=p,url="a.m4s"', "heartbeat"),
        ("e=bc,br=(900;v)", "quality_change"),
        ('e=e,ec=("E1")', "error"),
        ('e=e,ec=("E1"),sta=f', "error"),
        ("e=as", "ad_start"),
        ("e=ae", "ad_end"),
        ("e=m", "heartbeat"),
        ("e=um", "heartbeat"),
        ("e=pe", "heartbeat"),
        ("e=pc", "heartbeat"),
        ("e=b,bg", "heartbeat"),
        ("e=c", "heartbeat"),
        ("e=sk", "heartbeat"),
        ("e=abs", "heartbeat"),
        ("e=abe", "heartbeat"),
        ('e=h,h="cdn.example"', "heartbeat"),
        ('e=ce,cen="goal"', "heartbeat"),
        ("e=pr,pr=2.0", "heartbeat"),
        ("e=ps", "heartbeat"),
        ("e=brandnew", "heartbeat"),
        ("e=ps,sta=z", "heartbeat"),
        ("sta=p", "heartbeat"),
    ],
)
def test_what_happened_becomes_our_event_or_a_sign_of_life(text: str, event_type: str) -> None:
    assert happened(text).event_type == event_type
    assert event_type in EVENT_TYPES


@pytest.mark.parametrize("state", ["e", "f", "q"])
def test_a_player_that_is_over_is_watched_by_nobody_however_long_it_reports(state: str) -> None:
    assert happened(f"e=t,sta={state}").event_type == "stop"
    assert told(f"{SESSION},v=2,sta={state}").event_type == "stop"


def test_version_2_tells_position_startup_stalls_and_errors() -> None:
    event = happened('e=ps,sta=p,pt=12500,msd=830,bsd=(1200;v 300;v 900;a),ec=("E1" "E2"),pr=1.5')
    assert (event.position_seconds, event.startup_ms, event.stall_ms) == (12.5, 830, 1500)
    assert (event.error_code, event.playback_rate) == ("E1,E2", 1.5)


def test_a_stall_of_sound_alone_is_a_stall_too() -> None:
    assert happened("e=t,bsd=(900;a 100;a)").stall_ms == 1000


@pytest.mark.parametrize(
    ("text", "bitrate"),
    [
        ("br=(128;a 5000;v),v=2", 5000),
        ("br=(5000;av),v=2", 5000),
        ("br=(5000),v=2", 5000),
        ("br=(128;a),v=2", None),
        ("ab=(6000),v=2", 6000),
        ("pb=(3000;v),v=2", 3000),
        ("br=(966),ot=a,v=2", None),
        ("br=3200", 3200),
        ("br=3200,ot=av", 3200),
        ("br=128,ot=a", None),
        ("br=368,ot=m", None),
        ("su", None),
    ],
)
def test_the_bitrate_is_the_pictures(text: str, bitrate: int | None) -> None:
    assert told(f"{SESSION},{text}").bitrate_kbps == bitrate


def test_buffer_and_throughput_are_the_pictures_where_the_list_tells_and_else_the_first() -> None:
    event = happened("e=t,bl=(4000;a 2000;v),mtp=(500;a 700;a)")
    assert (event.buffer_ms, event.throughput_kbps) == (2000, 500)
    assert happened("e=t,tp=900").throughput_kbps == 900


def test_what_has_no_field_of_ours_is_kept_under_cmcds_name() -> None:
    event = happened(
        'e=rr,url="https://x/?token=1",ltc=2500,dfa=3,cdn="a",ttfb=20,rc=200,tb=(6000;v),ot=v,bg,com.x-y=1'
    )
    assert event.extra == {
        "cmcd_ltc": 2500,
        "cmcd_dfa": 3,
        "cmcd_cdn": "a",
        "cmcd_ttfb": 20,
        "cmcd_rc": 200,
        "cmcd_tb": 6000,
        "cmcd_ot": "v",
        "cmcd_bg": True,
        "cmcd_e": "rr",
    }


def test_custom_keys_are_kept_as_the_operator_allows() -> None:
    context = CmcdContext(extra_fields=frozenset(("com.example-league", "com.example-round")))
    event = told(f'{SESSION},com.example-league="cup",com.example-round=4,com.example-user="me"', context)
    assert event.extra == {"com.example-league": "cup", "com.example-round": 4}


def test_the_content_of_the_request_stands_in_for_a_missing_one() -> None:
    context = CmcdContext(content_id="from-url")
    assert told('sid="s1"', context).content_id == "from-url"
    assert told(SESSION, context).content_id == "final"


@pytest.mark.parametrize(("text", "code"), [('sid="s1"', "missing_content"), ('cid="c"', "missing_session")])
def test_what_names_no_session_or_content_is_no_event(text: str, code: str) -> None:
    with pytest.raises(NotAnEvent) as raised:
        told(text)
    assert raised.value.code == code
    assert "send" in raised.value.reason


def test_ids_are_random_where_the_player_gives_no_number() -> None:
    ids = {told(SESSION).event_id for _ in range(5)} | {happened("e=t").event_id for _ in range(5)}
    assert len(ids) == 10


def test_ids_of_version_2_are_the_same_in_every_retry() -> None:
    assert happened("e=t,sn=7").event_id == happened("e=t,sn=7").event_id
    assert told(f"{SESSION},sn=7,v=2").event_id == told(f"{SESSION},sn=7,v=2").event_id


def test_ids_of_version_2_tell_session_target_mode_and_number_apart() -> None:
    numbered = [
        told(text, CmcdContext(target=target)).event_id
        for target in ("cmcd", "edge")
        for session in ("s1", "s2")
        for text in (
            f'sid="{session}",cid="c",sn=7,v=2',
            f'sid="{session}",cid="c",sn=8,v=2',
            f'sid="{session}",cid="c",sn=7,v=2,e=t,ts={NOW}',
        )
    ]
    assert len(set(numbered)) == len(numbered)


def test_ids_do_not_run_a_session_and_a_target_together() -> None:
    one = told('sid="a/b",cid="c",sn=7,v=2', CmcdContext(target="c"))
    other = told('sid="a",cid="c",sn=7,v=2', CmcdContext(target="b/c"))
    assert one.event_id != other.event_id


def test_no_session_can_be_read_from_an_id() -> None:
    event = told(f'sid="a-session",cid="c",e=t,sn=0,ts={NOW},v=2')
    assert event.event_id is not None
    assert "a-session" not in event.event_id


def test_a_player_that_counts_anew_for_its_next_source_repeats_no_id() -> None:
    one, other = (told(f"{SESSION},e=t,sn=0,v=2,ts={ts}").event_id for ts in (NOW, NOW + 60_000))
    assert one != other


def test_an_overlong_session_still_gives_an_id_of_allowed_length() -> None:
    event = told(f'sid="{"s" * 250}",cid="c",e=t,sn=0,ts={NOW},v=2')
    assert event.event_id is not None
    assert len(event.event_id) == 32


def test_the_request_tells_device_and_interval() -> None:
    context = CmcdContext(user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Mobile", report_every_seconds=30)
    event = told(SESSION, context)
    assert (event.device_type, event.report_every_seconds) == ("mobile", 30)


def test_an_error_is_not_lost_for_its_wording() -> None:
    event = happened(f'e=e,ec=("{"long " * 400}")')
    assert event.event_type == "error"
    assert event.error_code is not None
    assert len(event.error_code.encode()) <= 256


def test_texts_are_cut_between_characters() -> None:
    context = CmcdContext(extra_fields=frozenset(("x-y",)))
    event = told(f'{SESSION},x-y="{"€" * 300}"', context)
    assert event.extra == {"x-y": "€" * 85}


def test_points_in_time_may_be_larger_than_amounts() -> None:
    event = happened(f"e=t,pt={NOW},bl=({2**31})")
    assert (event.position_seconds, event.buffer_ms) == (NOW / 1000, None)
