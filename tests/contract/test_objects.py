import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.ports import ObjectStore
from tests.contract.rig import Rig

ODD = [
    "a",
    "a/b",
    "a/b/c",
    "a-b",
    "a+/b",
    "/",
    "//",
    "/a",
    "a/",
    ".",
    "..",
    "../../etc",
    "a/../b",
    "%2F",
    "%",
    "é/日本",
]
ODD += [
    "line\nfeed",
    "\x00",
    "con",
    "x" * 300,
    "é" * 200 + "/" + "é" * 150,
    ".tmp",
    "%tmp",
    "%tmp/x",
    "A",
    "a b",
    "😀",
]


def store(provider: Rig) -> ObjectStore:
    return provider.ports.objects("staging")


def test_an_object_is_got_back_whole(provider: Rig) -> None:
    data = bytes(range(256)) * 10_000
    store(provider).put("2026/11/20/part.parquet", data)

    assert store(provider.reopen()).get("2026/11/20/part.parquet") == data
    assert store(provider).get("2026/11/20") is None
    assert store(provider).get("other") is None
    assert provider.ports.objects("other").get("2026/11/20/part.parquet") is None


def test_a_put_overwrites(provider: Rig) -> None:
    store(provider).put("a", b"long before")
    store(provider).put("a", b"")

    assert store(provider).get("a") == b""
    assert list(store(provider).list()) == ["a"]


def test_names_of_any_characters_stay_apart_and_inside(provider: Rig) -> None:
    for name in ODD:
        store(provider).put(name, name.encode())

    assert {name: store(provider).get(name) for name in ODD} == {name: name.encode() for name in ODD}
    assert list(store(provider).list()) == sorted(ODD, key=str.encode)


@pytest.mark.parametrize(
    "prefix", ["", "a", "a/", "a/b", "a/b/", "/", "é", "é/", "x", "x" * 250, "%", ".", "nothing"]
)
def test_a_list_holds_what_starts_with_its_prefix_in_order(provider: Rig, prefix: str) -> None:
    for name in ODD:
        store(provider).put(name, b"")

    assert list(store(provider).list(prefix)) == sorted((n for n in ODD if n.startswith(prefix)), key=str.encode)


def test_nothing_is_listed_before_the_first_put(provider: Rig) -> None:
    assert list(store(provider).list()) == []
    assert list(store(provider).list("a/b/")) == []
    assert store(provider).get("a") is None


def test_delete_removes_and_needs_nothing_to_be_there(provider: Rig) -> None:
    store(provider).put("a/b", b"1")
    store(provider).put("a/c", b"2")

    store(provider).delete("a/b")
    store(provider).delete("a/b")
    store(provider).delete("never/there")

    assert list(store(provider).list()) == ["a/c"]


@pytest.mark.parametrize("name", ["", "x" * 901, "é" * 451, "\ud800"])
def test_names_past_the_limits_are_value_errors(provider: Rig, name: str) -> None:
    with pytest.raises(ValueError, match=r"name|surrogates"):
        store(provider).put(name, b"")
    with pytest.raises(ValueError, match=r"name|surrogates"):
        store(provider).get(name)


@given(st.dictionaries(st.text(alphabet="a/+%._é\n", min_size=1, max_size=8), st.binary(max_size=4), max_size=8))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_set_of_names_is_listed_and_got(provider: Rig, objects: dict[str, bytes]) -> None:
    for name in list(store(provider).list()):
        store(provider).delete(name)
    for name, data in objects.items():
        store(provider).put(name, data)

    assert {name: store(provider).get(name) for name in store(provider).list()} == objects
