"""Viewer attributes: the latest wins whatever the order, and nothing is kept without consent."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.memory import MemoryClock, MemoryTable
from shared.errors import CorruptData, Unavailable, VersionConflict
from shared.ports import Key
from shared.viewing.attributes import (
    NAMES,
    Stored,
    all_attributes,
    erase_attributes,
    merge,
    put_attributes,
    read_attributes,
)

ADA = bytes(range(16))
BOB = bytes(range(16, 32))

values = st.none() | st.sampled_from(["a", "b", "c"])
said = st.tuples(st.integers(1, 5), st.dictionaries(st.sampled_from(NAMES), values, max_size=3), st.booleans())
stored = st.builds(
    Stored,
    fields=st.dictionaries(st.sampled_from(NAMES), st.tuples(st.integers(1, 4), values), max_size=3),
    erased_at=st.integers(0, 4),
).map(lambda each: merge(each, Stored()))


class Contended(MemoryTable):
    """A table that lets another writer in before each put."""

    def __init__(self) -> None:
        super().__init__(MemoryClock())
        self.before_put: Callable[[], None] = lambda: None
        self.keys: list[Key] = []

    def put(self, partition: str, sort: str, value: bytes, **condition: Any) -> str:
        self.before_put()
        self.keys.append((partition, sort))
        return super().put(partition, sort, value, **condition)


@pytest.fixture
def table() -> Contended:
    return Contended()


def test_an_attribute_that_was_set_is_read_again(table: Contended) -> None:
    assert put_attributes(table, ADA, {"country": "NO", "language": "nb"}, 10, "analytics")
    assert read_attributes(table, [ADA]) == {"country": "NO", "language": "nb"}
    assert read_attributes(table, [BOB]) == {}


def test_a_call_that_names_one_attribute_leaves_the_others(table: Contended) -> None:
    put_attributes(table, ADA, {"country": "NO", "subscription": "plus"}, 10, "analytics")
    put_attributes(table, ADA, {"country": "SE"}, 20, "analytics")
    assert read_attributes(table, [ADA]) == {"country": "SE", "subscription": "plus"}


def test_none_clears_an_attribute(table: Contended) -> None:
    put_attributes(table, ADA, {"country": "NO"}, 10, "personalisation")
    put_attributes(table, ADA, {"country": None}, 20, "personalisation")
    assert read_attributes(table, [ADA]) == {}


def test_an_older_call_that_arrives_late_changes_nothing(table: Contended) -> None:
    put_attributes(table, ADA, {"country": "SE"}, 20, "analytics")
    put_attributes(table, ADA, {"country": "NO"}, 10, "analytics")
    assert read_attributes(table, [ADA]) == {"country": "SE"}


def test_names_that_nobody_agreed_to_are_not_kept(table: Contended) -> None:
    put_attributes(table, ADA, {"country": "NO", "email": "ada@example.org"}, 10, "analytics")
    assert read_attributes(table, [ADA]) == {"country": "NO"}


@pytest.mark.parametrize("consent", [None, "none", "marketing"])
def test_nothing_is_stored_without_consent(table: Contended, consent: str | None) -> None:
    assert not put_attributes(table, ADA, {"country": "NO"}, 10, consent)
    assert read_attributes(table, [ADA]) == {}


def test_nothing_is_stored_of_a_child(table: Contended) -> None:
    assert not put_attributes(table, ADA, {"age_group": "0-12"}, 10, "analytics", child=True)
    assert read_attributes(table, [ADA]) == {}


def test_consent_that_is_withdrawn_erases_what_was_there(table: Contended) -> None:
    put_attributes(table, ADA, {"country": "NO"}, 10, "analytics")
    put_attributes(table, ADA, {}, 20, "none")
    assert read_attributes(table, [ADA]) == {}


def test_what_was_erased_does_not_come_back_with_a_redelivery(table: Contended) -> None:
    put_attributes(table, ADA, {"country": "NO"}, 10, "analytics")
    erase_attributes(table, ADA, 20)
    put_attributes(table, ADA, {"country": "NO"}, 10, "analytics")
    assert read_attributes(table, [ADA]) == {}
    put_attributes(table, ADA, {"country": "SE"}, 30, "analytics")
    assert read_attributes(table, [ADA]) == {"country": "SE"}


def test_a_viewer_whose_key_rotated_is_read_under_both_pseudonyms(table: Contended) -> None:
    put_attributes(table, ADA, {"country": "NO", "language": "nb"}, 10, "analytics")
    put_attributes(table, BOB, {"country": "SE"}, 20, "analytics")
    assert read_attributes(table, [ADA, BOB]) == {"country": "SE", "language": "nb"}


def test_every_viewer_of_whom_something_is_known_is_listed(table: Contended) -> None:
    put_attributes(table, ADA, {"country": "NO"}, 10, "analytics")
    put_attributes(table, BOB, {"country": "SE"}, 10, "analytics")
    erase_attributes(table, BOB, 20)
    assert dict(all_attributes(table)) == {ADA: {"country": "NO"}}


@given(calls=st.lists(said, max_size=6), data=st.data())
@settings(max_examples=60)
def test_any_order_and_any_repetition_gives_the_same(
    calls: list[tuple[int, dict[str, str | None], bool]], data: st.DataObject
) -> None:
    def told(order: list[tuple[int, dict[str, str | None], bool]]) -> dict[str, str]:
        table = Contended()
        for timestamp, attributes, erased in order:
            put_attributes(table, ADA, attributes, timestamp, "none" if erased else "analytics")
        return read_attributes(table, [ADA])

    again = data.draw(st.lists(st.sampled_from(calls))) if calls else []
    shuffled = data.draw(st.permutations(calls + again))
    assert told(calls) == told(shuffled)


@given(stored, stored, stored)
@settings(max_examples=100)
def test_merging_is_commutative_associative_and_idempotent(one: Stored, two: Stored, three: Stored) -> None:
    assert merge(one, two) == merge(two, one)
    assert merge(merge(one, two), three) == merge(one, merge(two, three))
    assert merge(one, one) == one


def test_two_writers_at_once_lose_nothing(table: Contended) -> None:
    put_attributes(table, ADA, {"country": "NO"}, 10, "analytics")

    def another_writer_is_first() -> None:
        table.before_put = lambda: None
        put_attributes(table, ADA, {"language": "nb"}, 10, "analytics")

    table.before_put = another_writer_is_first
    put_attributes(table, ADA, {"subscription": "plus"}, 10, "analytics")
    assert read_attributes(table, [ADA]) == {"country": "NO", "language": "nb", "subscription": "plus"}


def test_writers_that_never_get_through_say_so(table: Contended) -> None:
    def conflict() -> None:
        raise VersionConflict("another writer was first")

    table.before_put = conflict
    with pytest.raises(Unavailable, match="try again"):
        put_attributes(table, ADA, {"country": "NO"}, 10, "analytics")


def test_an_item_that_cannot_be_read_is_named(table: Contended) -> None:
    put_attributes(table, ADA, {"country": "NO"}, 10, "analytics")
    (key,) = table.keys
    table.put(*key, b"{")
    with pytest.raises(CorruptData, match=ADA.hex()):
        read_attributes(table, [ADA])
