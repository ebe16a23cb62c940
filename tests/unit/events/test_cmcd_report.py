from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.cmcd.keys import SHARDS, TYPES, VERSION_1_KEYS
from events.cmcd.parse import members_of, parse
from events.cmcd.report import Report, report_of


def read(text: str) -> tuple[Report, dict[str, int]]:
    broken: Counter[str] = Counter()
    return report_of(parse(text, broken), broken), dict(+broken)


def test_every_type_of_version_1_is_read() -> None:
    report, broken = read(
        'bl=21300,br=3200,bs,cid="faec5fc2",d=4004,ot=v,pr=1.08,sf=d,sid="6e2fb550",st=v,su,tb=6000'
    )
    assert report == Report(
        version=1,
        integers={"d": 4004},
        decimals={"pr": 1.08},
        flags={"bs": True, "su": True},
        texts={"cid": "faec5fc2", "ot": "v", "sf": "d", "sid": "6e2fb550", "st": "v"},
        numbers={"bl": [(21300, ())], "br": [(3200, ())], "tb": [(6000, ())]},
    )
    assert broken == {}


def test_every_type_of_version_2_is_read() -> None:
    report, broken = read('br=(5000;v 128;a),ec=("E1" "E2"),ltc=1500,nor=("s2.m4s";r="0-9"),sid="s",sta=p,v=2')
    assert report == Report(
        version=2,
        integers={"ltc": 1500, "v": 2},
        texts={"sid": "s", "sta": "p"},
        numbers={"br": [(5000, ("v",)), (128, ("a",))]},
        strings={"ec": ["E1", "E2"], "nor": ["s2.m4s"]},
    )
    assert broken == {}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("d=4004.4", "decimal_for_integer"),
        ("br=3200.5,ot=v", "decimal_for_integer"),
        ('d="4004"', "quoted_number"),
        ("d=(4004)", "list_for_scalar"),
        ("br=(3200)", "list_for_scalar"),
        ("br=3200,v=2", "scalar_for_list"),
        ("ec=E1,v=2", "scalar_for_list"),
        ("bl=3993", "not_rounded_to_hundred"),
        ("su=true", "boolean_with_value"),
        ('ot="v"', "quoted_token"),
        ("sid=6e2fb550-c457", "unquoted_string"),
        ("cid=4711", "unquoted_string"),
        (f'sid="{"s" * 65}"', "string_too_long"),
        ("zz=1,su", "unknown_key"),
        ("com.Example-Key=1,su", "custom_key_not_lowercase"),
        ("d=NaN,su", "unusable_value"),
        ("d=-5,su", "unusable_value"),
        ("d=1000000000000000,su", "unusable_value"),
        ("d=1e300,su", "unusable_value"),
        ("d=2147483648,su", "unusable_value"),
        ("pr=1001,su", "unusable_value"),
        ("d,su", "unusable_value"),
        ("d=(),su", "unusable_value"),
        ("bl=(),su", "unusable_value"),
        ("ec=(),su,v=2", "unusable_value"),
        ("su=perhaps,bs", "unusable_value"),
        ("sid,su", "unusable_value"),
        ("ot=?0,su", "unusable_value"),
        ("v=3,su", "unknown_version"),
        ("v=x,su", "unusable_value"),
        ("e=t,ts=1", "missing_v"),
        ("e=t,v=2", "missing_ts"),
        ("e=ps,ts=1,v=2", "missing_sta"),
        ("e=e,ts=1,v=2", "missing_ec"),
        ("e=rr,ts=1,v=2", "missing_url"),
        ("e=ce,ts=1,v=2", "missing_cen"),
        ("e=pr,ts=1,v=2", "missing_pr"),
        ("e=bc,ts=1,v=2", "missing_br"),
    ],
)
def test_a_broken_rule_is_mended_and_counted(text: str, rule: str) -> None:
    report, broken = read(text)
    assert broken.get(rule) == 1
    assert report


def test_decimals_are_rounded_to_the_nearest_integer() -> None:
    report, _ = read("bl=3993.8321995464853,d=0.5,mtp=15.26")
    assert report.numbers == {"bl": [(3994, ())], "mtp": [(15, ())]}
    assert report.integers == {"d": 1}


def test_a_flag_may_be_denied() -> None:
    assert read("bs=false,su=?0,bg=0")[0].flags == {"bs": False, "su": False, "bg": False}


def test_text_keeps_its_leading_zeros() -> None:
    assert read("cid=007")[0].texts == {"cid": "007"}


def test_custom_keys_keep_their_values_types() -> None:
    report, broken = read('com.example-n=5.5,com.example-i=7,com.example-s="x",com.example-f,com.example-t=tok,su')
    assert report.custom == {
        "com.example-n": 5.5,
        "com.example-i": 7,
        "com.example-s": "x",
        "com.example-f": True,
        "com.example-t": "tok",
    }
    assert broken == {}


def test_a_custom_key_alone_is_not_cmcd() -> None:
    assert not read("com.example-n=5")[0]


def test_numbers_of_the_json_form_need_no_text() -> None:
    broken: Counter[str] = Counter()
    report = report_of(members_of({"br": [5000], "d": 4004.0, "cid": 12, "su": 1, "pr": 2, "v": 2}, broken), broken)
    assert (report.numbers, report.integers["d"], report.texts) == ({"br": [(5000, ())]}, 4004, {"cid": "12"})
    assert (report.flags, report.decimals) == ({"su": True}, {"pr": 2.0})
    assert dict(+broken) == {"unquoted_string": 1, "boolean_with_value": 1}


def test_json_numbers_out_of_range_are_left_out() -> None:
    broken: Counter[str] = Counter()
    report = report_of(members_of({"br": 2**70, "com.example-x": 2.5, "su": True}, broken), broken)
    assert (report.numbers, report.custom) == ({}, {"com.example-x": 2.5})


def test_every_key_has_a_header_unless_only_events_carry_it() -> None:
    assert TYPES.keys() - SHARDS.keys() == {
        *("e", "ts", "h", "cen"),
        *("cmsdd", "cmsds", "rc", "smrt", "ttfb", "ttfbb", "ttlb", "url"),
    }
    assert TYPES.keys() >= VERSION_1_KEYS


@given(
    st.dictionaries(
        st.sampled_from([*TYPES, "x-y", "zz"]), st.text(alphabet='0123456789.-eE()"; va?true\\', max_size=12)
    )
)
def test_no_value_of_any_key_is_a_crash(values: dict[str, str]) -> None:
    report, broken = read(",".join(f"{key}={value}" for key, value in values.items()))
    assert all(0 <= number <= 10**15 for number in report.integers.values())
    assert all(count > 0 for count in broken.values())
