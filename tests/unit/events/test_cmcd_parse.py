from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.cmcd.parse import Bare, Item, Member, members_of, parse


def read(text: str) -> tuple[dict[str, Member], dict[str, int]]:
    broken: Counter[str] = Counter()
    return parse(text, broken), dict(+broken)


def test_a_key_without_a_value_is_true() -> None:
    assert read("bs,su") == ({"bs": Item(True), "su": Item(True)}, {})


def test_booleans_may_be_written_out_as_structured_fields_do() -> None:
    assert read("bs=?0,su=?1")[0] == {"bs": Item(False), "su": Item(True)}


def test_bare_values_stay_as_they_were_written() -> None:
    members, _ = read("br=3200,ot=v,cid=007")
    assert members == {"br": Item("3200"), "ot": Item("v"), "cid": Item("007")}
    assert all(isinstance(member, Item) and isinstance(member.value, Bare) for member in members.values())


def test_quotes_protect_commas_and_escapes_are_undone() -> None:
    assert read(r'cid="a,b=\"c\" \\ (d)",br=1')[0] == {"cid": Item(r'a,b="c" \ (d)'), "br": Item("1")}


def test_an_inner_list_keeps_each_items_parameters() -> None:
    members, broken = read('br=(5000;v 128;a),nor=("seg-2.m4s";r="0-99" "seg-3.m4s"),bl=()')
    assert members == {
        "br": [Item("5000", ("v",)), Item("128", ("a",))],
        "nor": [Item("seg-2.m4s", ("r",)), Item("seg-3.m4s")],
        "bl": [],
    }
    assert broken == {}


def test_parameters_stand_behind_single_values_and_lists_too() -> None:
    assert read("br=5000;v,tb=(1 2);p=2") == (
        {"br": Item("5000", ("v",)), "tb": [Item("1"), Item("2")]},
        {},
    )


def test_space_around_members_is_no_error() -> None:
    assert read(" br=1 , bl=( 2  3 ) ,, su ") == read("br=1,bl=(2 3),su")


@pytest.mark.parametrize("bad", ["=5", "9x=1", 'sid="open', "br=(1 2", "br=(1,2)x", 'cid="a"b', "é=1", "a=b c"])
def test_a_member_that_cannot_be_read_costs_itself_only(bad: str) -> None:
    members, broken = read(f"ot=v,{bad}")
    assert members["ot"] == Item("v")
    assert broken["malformed_member"] >= 1


def test_what_follows_a_bad_member_is_read() -> None:
    assert read('br=(1 "x,y",su')[0] == {"su": Item(True)}


def test_of_a_repeated_key_the_last_value_counts() -> None:
    assert read("br=1,br=2") == ({"br": Item("2")}, {"duplicate_key": 1})


def test_the_json_form_says_the_same() -> None:
    broken: Counter[str] = Counter()
    report = {"br": [{"value": 5000, "params": {"v": True, "a": False}}, 128], "su": True, "ot": "v", "sid": "s"}
    assert members_of(report, broken) == {
        "br": [Item(5000, ("v",)), Item(128)],
        "su": Item(True),
        "ot": Item("v"),
        "sid": Item("s"),
    }


@pytest.mark.parametrize("value", [None, {}, {"value": None}, [[1]], {"value": {"value": 1}}])
def test_json_that_no_key_could_mean_is_left_out(value: object) -> None:
    broken: Counter[str] = Counter()
    assert members_of({"br": value, "su": True}, broken) == {"su": Item(True)}
    assert broken["malformed_member"] == 1


@given(st.text(alphabet='ab1=,;()" \\?.-:*\n\x00é', max_size=80))
def test_any_text_is_read_to_its_end(text: str) -> None:
    members, _ = read(text)
    assert all(isinstance(member, Item | list) for member in members.values())


def test_reading_takes_time_in_proportion_to_the_length() -> None:
    for hostile in ('"\\' * 50_000, 'a="' + '\\"' * 50_000, "a=(" * 50_000, 'a=";' * 50_000, "a;b=" * 50_000):
        assert isinstance(read(hostile)[0], dict)
