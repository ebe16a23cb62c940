"""What a batch's answers mean, whoever delivers it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.common.settling import Settler
from shared.errors import Unavailable
from shared.stream import DONE, NO_DEADLINE, Answer, Deadline, Record, Reject, Retry


class Office:
    """Dead letters, by the number of their record."""

    def __init__(self, *, closed: bool = False) -> None:
        self.letters: dict[int, str] = {}
        self.closed = closed

    def put(self, record: Record, reason: str, function: str) -> None:
        assert function == "counter"
        if self.closed:
            raise Unavailable("no dead letters today")
        self.letters[number(record)] = reason


def record(n: int) -> Record:
    return Record(n.to_bytes(16, "big"), "match#0", "0", n, 0, None, b"goal")


def number(record: Record) -> int:
    return int.from_bytes(record.record_id, "big")


def settled(answers: Sequence[Answer | None], *, stop: bool, office: Office | None = None) -> list[int]:
    """The numbers of the records that must come again."""

    def handle(records: Sequence[Record], _: Deadline) -> Sequence[Answer | None]:
        return answers

    settler = Settler("counter", handle, office or Office())
    return [number(one) for one in settler.settle([record(n) for n in range(4)], NO_DEADLINE, stop=stop)]


answers = st.lists(st.sampled_from([DONE, None, Retry("away"), Reject("unreadable")]), min_size=4, max_size=4)


@given(answers)
def test_only_done_and_rejected_records_are_settled(answers: list[Answer | None]) -> None:
    office = Office()

    left = settled(answers, stop=False, office=office)

    assert left == [n for n, answer in enumerate(answers) if answer is None or isinstance(answer, Retry)]
    assert set(office.letters) == {n for n, answer in enumerate(answers) if isinstance(answer, Reject)}


@given(answers)
def test_on_an_ordered_log_all_that_follows_the_first_that_must_come_again_does_too(
    answers: list[Answer | None],
) -> None:
    office = Office()
    first = next((n for n, answer in enumerate(answers) if answer is None or isinstance(answer, Retry)), 4)

    assert settled(answers, stop=True, office=office) == list(range(first, 4))
    assert all(n < first for n in office.letters)


def test_a_rejected_record_is_settled_only_once_it_is_among_the_dead_letters() -> None:
    assert settled([DONE, Reject("unreadable"), DONE, DONE], stop=False, office=Office(closed=True)) == [1]


@pytest.mark.parametrize("answers", [[], [DONE], [DONE] * 5])
def test_silence_settles_nothing(answers: list[Answer]) -> None:
    assert settled(answers, stop=False) == list(range(len(answers) % 5, 4))


def test_an_exception_settles_nothing_and_is_the_reason() -> None:
    def handle(records: Sequence[Record], _: Deadline) -> Sequence[Answer]:
        raise RuntimeError("a bug")

    settler = Settler("counter", handle, Office())

    assert len(settler.settle([record(0), record(1)], NO_DEADLINE, stop=False)) == 2
    assert settler.reason == "RuntimeError: a bug"


@pytest.mark.parametrize("answers", [[DONE], [None, DONE], [DONE] * 3])
def test_the_reason_of_an_earlier_batch_is_none_for_records_without_an_answer(answers: list[Answer | None]) -> None:
    told: list[Sequence[Answer | None]] = [[Retry("a store is away")], answers]
    settler = Settler("counter", lambda *_: told.pop(0), Office())
    settler.settle([record(0)], NO_DEADLINE, stop=True)
    assert settler.reason == "a store is away"

    settler.settle([record(0), record(1)], NO_DEADLINE, stop=True)

    assert settler.reason == "it was not answered"


def test_records_that_cannot_be_opened_are_rejected_and_never_handed_over() -> None:
    seen: list[int] = []
    office = Office()

    def handle(records: Sequence[Record], _: Deadline) -> Sequence[Answer]:
        seen.extend(number(one) for one in records)
        return [DONE] * len(records)

    settler = Settler("counter", handle, office)
    left = settler.settle([record(n) for n in range(3)], NO_DEADLINE, stop=True, unreadable={1: "not ours"})

    assert (left, seen, office.letters) == ([], [0, 2], {1: "not ours"})
    assert settler.settle([record(5)], NO_DEADLINE, stop=True, unreadable={0: "not ours"}) == []
    assert seen == [0, 2]
