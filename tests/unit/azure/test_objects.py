"""What the contract suite does not say of objects in Blob storage."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.azure.objects import own_name, stored_name
from adapters.azure.suite import Suite
from shared.errors import Misconfigured, Throttled, Unavailable
from shared.ports import MAX_NAME_BYTES, ObjectStore
from tests.emulators.azurite import Azurite
from tests.unit.azure.conftest import STORE

names = st.text(st.characters(codec="utf-8"), max_size=8) | st.text("./!=[\\]\x7f a0é\ue000😀", max_size=8)


def store(suite: Suite) -> ObjectStore:
    return suite.ports.objects(STORE)


@given(names)
@settings(deadline=None)
def test_a_name_is_read_back_from_how_it_is_stored(name: str) -> None:
    assert own_name(stored_name(name)) == name


@given(names, names)
@settings(deadline=None)
def test_stored_names_sort_as_the_bytes_of_the_names_do(one: str, other: str) -> None:
    for encoding in ("utf-8", "utf-16-be"):  # whichever it is that the service goes by
        stored = stored_name(one).encode(encoding) < stored_name(other).encode(encoding)
        assert stored == (one.encode() < other.encode())


@given(names)
@settings(deadline=None)
def test_nothing_is_stored_that_azure_refuses_or_reads_otherwise(name: str) -> None:
    stored = stored_name(name)

    assert not any(each < "!" or each in "\\\x7f" for each in stored)
    assert not any(part.endswith(".") for part in stored.split("/"))


def test_usual_names_are_stored_as_they_are() -> None:
    for name in ("events/2026-11-20T20/match-42.parquet", "a_b/~c(d)/e=f"):
        assert stored_name(name) == name


def test_what_others_stored_is_not_listed(suite: Suite) -> None:
    container = suite.clients.blobs.get_container_client(suite.container_name(STORE))
    for name in ("a b", "!", "é"):
        container.upload_blob(name, b"")
    store(suite).put("a", b"")

    assert list(store(suite).list()) == ["a"]


def test_a_listing_of_many_pages_is_whole(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.azure.objects.PAGE", 3)
    for number in range(10):
        store(suite).put(f"a/{number}", b"")

    assert list(store(suite).list("a/")) == [f"a/{number}" for number in range(10)]


@pytest.mark.parametrize("name", ["\x01" * 600, "/" * 300, "." * 600])
def test_a_name_that_cannot_be_stored_is_a_value_error(suite: Suite, name: str) -> None:
    assert len(name) < MAX_NAME_BYTES
    with pytest.raises(ValueError, match="unusual"):
        store(suite).put(name, b"")


@pytest.mark.parametrize(
    ("kind", "error"), [("throttled", Throttled), ("broken", Unavailable), ("down", Unavailable)]
)
def test_faults_are_told_by_their_names(suite: Suite, storage: Azurite, kind: str, error: type[Exception]) -> None:
    store(suite).put("a", b"1")

    with storage.fault(kind):
        for ask in (
            lambda: store(suite).get("a"),
            lambda: store(suite).put("a", bytes(300_000)),
            lambda: store(suite).delete("a"),
            lambda: list(store(suite).list()),
        ):
            with pytest.raises(error, match=suite.container_name(STORE)) as told:
                ask()
            assert type(told.value) is error

    assert store(suite).get("a") == b"1"


def test_a_container_that_nobody_made_is_named_with_what_makes_it(bare: Suite) -> None:
    whole = bare.container_name(STORE)
    for ask in (
        lambda: store(bare).get("a"),
        lambda: store(bare).put("a", b""),
        lambda: store(bare).delete("a"),
        lambda: list(store(bare).list()),
    ):
        with pytest.raises(Misconfigured, match=f"az storage container create --name {whole}"):
            ask()
