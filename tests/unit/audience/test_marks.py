"""Marks: known receptions, pruning, pages."""

import pytest

from shared.audience.marks import MAX_RECEPTIONS, PAGE_RECEPTIONS, Marks, read_page
from shared.errors import CorruptData


def record(number: int) -> bytes:
    return number.to_bytes(16, "big")


def reception(number: int) -> bytes:
    return number.to_bytes(4, "big") + b"tail"


def test_a_reception_is_known_once_it_was_added() -> None:
    marks = Marks()
    assert not marks.knows(record(1), reception(1))
    marks.add(record(1), reception(1), 10)
    marks.add(record(1), reception(2), 11)
    assert marks.knows(record(1), reception(1))
    assert marks.knows(record(1), reception(2))
    assert not marks.knows(record(1), reception(3))
    assert marks.merged(record(1), reception(1))
    assert not marks.merged(record(1), reception(2))


def test_old_marks_are_forgotten_and_new_ones_kept() -> None:
    marks = Marks()
    marks.add(record(1), reception(1), 10)
    marks.add(record(2), reception(1), 20)
    marks.prune(20)
    assert record(1) not in marks
    assert record(2) in marks


def test_a_turned_page_is_still_known_and_forgotten_as_a_whole() -> None:
    marks = Marks()
    for number in range(PAGE_RECEPTIONS):
        assert not marks.full
        marks.add(record(number), reception(1), 10 + number % 2)
    assert marks.full
    number, value = marks.turn()
    assert number == 0
    assert not marks.entries
    assert read_page(value) == marks.turned[0]
    assert marks.knows(record(3), reception(1))
    marks.add(record(3), reception(2), 99)
    assert marks.merged(record(3), reception(1))
    assert marks.entries[record(3)][0] == 11
    marks.prune(11)
    assert record(5) in marks
    marks.prune(12)
    assert record(5) not in marks
    assert not marks.pages
    marks.add(record(9), reception(1), 20)
    assert marks.turn()[0] == 1


def test_many_receptions_of_one_record_keep_the_first_and_the_newest() -> None:
    marks = Marks()
    for number in range(MAX_RECEPTIONS + 10):
        marks.add(record(1), reception(number), 10)
    assert marks.merged(record(1), reception(0))
    assert marks.knows(record(1), reception(MAX_RECEPTIONS + 9))
    assert not marks.knows(record(1), reception(5))
    assert len(marks.entries[record(1)][1]) == 4 * MAX_RECEPTIONS


def test_many_receptions_fill_a_page_too() -> None:
    marks = Marks()
    for number in range(PAGE_RECEPTIONS // MAX_RECEPTIONS):
        for each in range(MAX_RECEPTIONS):
            marks.add(record(number), reception(each), 10)
    assert marks.full


def test_a_page_cut_short_is_told() -> None:
    marks = Marks()
    marks.add(record(1), reception(1), 10)
    _, value = marks.turn()
    with pytest.raises(CorruptData):
        read_page(value[:-1])
