"""A record comes out of a cloud's stream as it went in, and whatever else comes out of it is kept whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.common import envelope
from adapters.common.envelope import FOREIGN_KEY, open_record, refusal, seal
from shared.ports import MAX_KEY_BYTES
from shared.stream import MAX_BODY_BYTES, NewRecord, Record

NOW = 1_795_200_000_000
records = st.builds(
    NewRecord,
    record_id=st.binary(min_size=16, max_size=16),
    key=st.text(st.characters(codec="utf-8"), min_size=1, max_size=64),
    body=st.binary(max_size=200),
    first_appended_at=st.none() | st.integers(0, NOW),
)


def opened(data: bytes) -> tuple[Record, str | None]:
    return open_record(data, partition="3", position=7, attempt=2, now_ms=NOW + 5)


@given(records)
def test_a_record_comes_out_as_it_went_in(record: NewRecord) -> None:
    out, problem = opened(seal(record, NOW))

    assert problem is None
    assert (out.record_id, out.key, out.body) == (record.record_id, record.key, record.body)
    assert out.first_appended_at == (NOW if record.first_appended_at is None else record.first_appended_at)
    assert (out.partition, out.position, out.attempt) == ("3", 7, 2)


@given(st.binary(max_size=100) | records.map(lambda record: seal(record, NOW)[:-1]) | st.just(b"GE\x01" + bytes(40)))
def test_any_bytes_are_a_record_and_none_is_lost(data: bytes) -> None:
    out, problem = opened(data)

    assert len(out.record_id) == 16
    assert problem is None or out.body == data


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no record of ours"),
        (b'{"hello":1}', "no record of ours"),
        (b"GE\x02" + bytes(60), "another version"),
        (b"GE\x01" + bytes(5), "cut off"),
        (seal(NewRecord(bytes(16), "match#0", b""), NOW)[:-1], "cut off"),
        (b"GE\x01" + bytes(24) + b"\x01\x00\xff", "no text"),
    ],
)
def test_what_is_not_ours_says_why_and_has_one_identity(data: bytes, told: str) -> None:
    out, problem = opened(data)

    assert told in (problem or "")
    assert opened(data)[0].record_id == out.record_id
    assert out.first_appended_at == NOW + 5


def sealed_again(record: Record) -> bytes:
    """As a replayed dead letter lies in the stream."""
    return seal(NewRecord(record.record_id, record.key, record.body, record.first_appended_at), NOW + 60_000)


@pytest.mark.parametrize("data", [b"", b"not ours", b"GE\x02" + bytes(60), b"GE\x01" + bytes(5)])
def test_a_replay_of_what_is_still_unreadable_is_the_same_letter_again(data: bytes) -> None:
    first, problem = opened(data)

    assert opened(sealed_again(first)) == (first, problem)
    assert opened(sealed_again(opened(sealed_again(first))[0])) == (first, problem)


def test_a_replay_by_the_release_that_knows_a_record_is_that_record(monkeypatch: pytest.MonkeyPatch) -> None:
    data = seal(NewRecord(b"\x07" * 16, "final#0", b"goal", NOW - 5), NOW)
    with monkeypatch.context() as older:
        older.setattr(envelope, "VERSION", 0)
        letter, problem = opened(data)
    assert "another version" in (problem or "")

    record, problem = opened(sealed_again(letter))

    assert problem is None
    assert record == opened(data)[0]


def test_a_record_of_ours_may_have_the_key_of_those_that_are_not() -> None:
    record, problem = opened(seal(NewRecord(bytes(16), FOREIGN_KEY, b"goal"), NOW))

    assert (problem, record.key, record.body) == (None, FOREIGN_KEY, b"goal")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (NewRecord(b"short", "k", b""), "16 bytes"),
        (NewRecord(bytes(16), "k", bytes(MAX_BODY_BYTES + 1)), "1,000,000"),
        (NewRecord(bytes(16), "\ud800", b""), "UTF-8"),
        (NewRecord(bytes(16), "é" * MAX_KEY_BYTES, b""), "256"),
        (NewRecord(bytes(16), "k", bytes(MAX_BODY_BYTES)), None),
    ],
)
def test_what_no_stream_takes_is_refused_before_it_is_sent(record: NewRecord, told: str | None) -> None:
    reason = refusal(record)

    assert (reason is None) if told is None else (told in (reason or ""))
