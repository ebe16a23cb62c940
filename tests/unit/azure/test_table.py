"""What the contract suite does not say of Azure Tables."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.azure.entities import escaped, etag_in
from adapters.azure.errors import Resource
from adapters.azure.suite import Suite
from adapters.azure.table import AzureTable
from lab.memory import MemoryClock
from shared.errors import Misconfigured, Throttled, Unavailable, VersionConflict
from shared.ports import ABSENT, MAX_KEY_BYTES, MAX_VALUE_BYTES, Table
from tests.emulators.azurite import Azurite
from tests.unit.azure.conftest import TABLE


def table(suite: Suite) -> Table:
    return suite.ports.table(TABLE)


def stored(suite: Suite) -> list[Any]:
    """The entities as the service has them."""
    return list(suite.clients.tables.get_table_client(suite.table_name(TABLE)).list_entities())


keys = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)


@given(keys, keys)
@settings(deadline=None)
def test_escaped_keys_sort_as_the_bytes_of_the_keys_do(one: str, other: str) -> None:
    assert (escaped(one) < escaped(other)) == (one.encode() < other.encode())


def test_the_longest_key_fills_what_a_key_may_have() -> None:
    assert len(escaped("é" * (MAX_KEY_BYTES // 2))) == 512


def test_a_value_lies_in_properties_of_64_kib(suite: Suite) -> None:
    table(suite).put("p", "s", bytes(MAX_VALUE_BYTES - 1))

    (entity,) = stored(suite)
    pieces = {name: len(value) for name, value in entity.items() if name.startswith("v")}
    assert pieces == {"v0": 65_536, "v1": 65_536, "v2": 65_536, "v3": 65_535}


def test_a_shorter_value_leaves_nothing_of_a_longer_one(suite: Suite) -> None:
    version = table(suite).put("p", "s", bytes(200_000))
    table(suite).put("p", "s", b"short", if_version=version)

    item = table(suite).get("p", "s")
    assert item is not None
    assert item.value == b"short"


@pytest.mark.parametrize("version", ["", ":", "x", "5:", f"{1 << 62}:anything", "soon:W/\"datetime'2026'\""])
def test_what_is_no_version_of_ours_holds_no_etag(version: str) -> None:
    assert etag_in(version, now_ms=0) is None


def test_a_version_serves_until_its_item_expires() -> None:
    version = "1000:W/\"datetime'2026'\""

    assert etag_in(version, now_ms=999) == "W/\"datetime'2026'\""
    assert etag_in(version, now_ms=1_000) is None


def test_of_many_who_replace_an_expired_item_one_does(suite: Suite, clock: MemoryClock) -> None:
    table(suite).put("p", "s", b"old", expires_at=clock.now_ms() + 1)
    clock.advance(1)

    def claim(number: int) -> bool:
        try:
            table(suite).put("p", "s", b"%d" % number, if_version=ABSENT)
        except VersionConflict:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(claim, range(8))) == 1


def test_delete_if_version_of_what_is_gone_is_a_conflict(suite: Suite) -> None:
    version = table(suite).put("p", "s", b"1")
    table(suite).delete("p", "s")

    with pytest.raises(VersionConflict):
        table(suite).delete("p", "s", if_version=version)


@pytest.mark.parametrize("stride", [1, 2, 7])
def test_a_batch_finds_neighbours_and_what_lies_far_apart(suite: Suite, stride: int) -> None:
    """Neighbours come by one range query; of a thin range only its beginning does."""
    for number in range(60):
        table(suite).put("p", f"{number:03d}", b"%d" % number)
    wanted = [("p", f"{number:03d}") for number in range(0, 80, stride)] + [("q", "000")]

    found = table(suite).batch_get(wanted)

    assert found.keys() == {("p", f"{number:03d}") for number in range(0, 60, stride)}
    assert all(item.value == b"%d" % int(item.sort) for item in found.values())


def test_a_batch_of_large_neighbours_is_whole(suite: Suite) -> None:
    """More than one answer of the service holds."""
    for number in range(24):
        table(suite).put("p", f"{number:03d}", bytes([number]) * MAX_VALUE_BYTES)

    found = table(suite).batch_get([("p", f"{number:03d}") for number in range(24)])

    assert sorted(item.value[0] for item in found.values()) == list(range(24))


def test_bounds_longer_than_a_key_are_bounds_still(suite: Suite) -> None:
    longest = "a" * MAX_KEY_BYTES
    table(suite).put("p", longest, b"")

    assert len(table(suite).query("p", start=longest + "a").items) == 0
    assert len(table(suite).query("p", end=longest + "a").items) == 1


@pytest.mark.parametrize(
    ("kind", "error"), [("throttled", Throttled), ("broken", Unavailable), ("down", Unavailable)]
)
def test_faults_are_told_by_their_names(suite: Suite, storage: Azurite, kind: str, error: type[Exception]) -> None:
    table(suite).put("p", "s", b"1")

    with storage.fault(kind):
        for ask in (
            lambda: table(suite).get("p", "s"),
            lambda: table(suite).batch_get([("p", "s"), ("p", "t")]),
            lambda: table(suite).put("p", "s", b"2"),
            lambda: table(suite).put("p", "t", b"2", if_version=ABSENT),
            lambda: table(suite).delete("p", "s"),
            lambda: table(suite).query("p"),
        ):
            with pytest.raises(error, match=suite.table_name(TABLE)) as told:
                ask()
            assert type(told.value) is error

    item = table(suite).get("p", "s")
    assert item is not None
    assert item.value == b"1"


def test_a_table_that_nobody_made_is_named_with_what_makes_it(bare: Suite) -> None:
    whole = bare.table_name(TABLE)
    for ask in (
        lambda: table(bare).get("p", "s"),
        lambda: table(bare).batch_get([("p", "s"), ("p", "t"), ("p", "u")]),
        lambda: table(bare).put("p", "s", b""),
        lambda: table(bare).put("p", "s", b"", if_version=ABSENT),
        lambda: table(bare).put("p", "s", b"", if_version="9223372036854775807:W/\"datetime'2026'\""),
        lambda: table(bare).query("p"),
    ):
        with pytest.raises(Misconfigured, match=f"az storage table create --name {whole}"):
            ask()


class LosingAnswers:
    """The service's client: the next write is done, but its answer is lost."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.losses = 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name not in {"create_entity", "update_entity", "delete_entity"}:
            return call

        def lossy(*args: Any, **options: Any) -> Any:
            answer = call(*args, **options)
            if self.losses:
                self.losses -= 1
                raise ServiceResponseError("the connection ended")
            return answer

        return lossy


@pytest.fixture
def losing(suite: Suite) -> tuple[AzureTable, LosingAnswers]:
    client = LosingAnswers(suite.clients.tables.get_table_client(suite.table_name(TABLE)))
    return AzureTable(lambda: client, Resource("the table", "make it", "a role"), suite.ports.clock), client  # type: ignore[arg-type, return-value]


def test_a_conditional_write_whose_answer_was_lost_is_known_again(losing: tuple[AzureTable, LosingAnswers]) -> None:
    table, client = losing

    client.losses = 1
    first = table.put("p", "s", b"1", if_version=ABSENT)
    client.losses = 2
    second = table.put("p", "s", b"2", if_version=first)

    item = table.get("p", "s")
    assert item is not None
    assert (item.value, item.version) == (b"2", second)
    client.losses = 1
    table.delete("p", "s", if_version=second)
    assert table.get("p", "s") is None


def test_a_write_like_ours_is_not_ours(losing: tuple[AzureTable, LosingAnswers], suite: Suite) -> None:
    """Two who put the same bytes at once must not both believe that it was they."""
    table, client = losing
    create = client._client.create_entity

    def overtaken(*args: Any, **options: Any) -> Any:
        suite.ports.table(TABLE).put("p", "s", b"mine", if_version=ABSENT)
        client._client.create_entity = create
        raise ServiceResponseError("the connection ended before anything was done")

    client._client.create_entity = overtaken

    with pytest.raises(VersionConflict):
        table.put("p", "s", b"mine", if_version=ABSENT)
