from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.stream import MAX_BODY_BYTES, NewRecord
from tests.contract.rig import Rig


def record(number: int, key: str = "match#0", body: bytes = b"packed") -> NewRecord:
    return NewRecord(number.to_bytes(16, "big"), key, body)


def test_what_was_appended_is_read_as_it_was(provider: Rig) -> None:
    provider.append(record(1, "match/ü#3", b"\x00body\xff"))

    (read,) = provider.reopen().appended()

    assert (read.record_id, read.key, read.body) == (record(1).record_id, "match/ü#3", b"\x00body\xff")
    assert read.first_appended_at == provider.clock.now_ms()


@pytest.mark.partitioned
def test_records_of_one_key_share_a_partition_and_keys_spread(provider: Rig) -> None:
    provider.append(*[record(n, f"content-{n % 40}#0") for n in range(200)])

    partitions = {(each.key, each.partition) for each in provider.appended()}

    assert len(partitions) == 40
    assert len({partition for _, partition in partitions}) > 1


@pytest.mark.partitioned
def test_positions_grow_within_a_partition(provider: Rig) -> None:
    for n in range(20):
        provider.append(record(n))

    positions = [int(each.position or 0) for each in provider.appended()]

    assert positions == sorted(set(positions))


def test_appending_the_same_record_again_is_two_records_of_one_identity(provider: Rig) -> None:
    provider.append(record(1))
    provider.append(record(1))

    assert [each.record_id for each in provider.appended()] == [record(1).record_id] * 2


def test_a_record_that_cannot_be_taken_fails_alone(provider: Rig) -> None:
    good, too_large, nameless = record(1), record(2, body=bytes(MAX_BODY_BYTES + 1)), NewRecord(b"short", "k", b"")

    results = provider.ports.stream("events").append([good, too_large, nameless, record(3)])

    assert [result is None for result in results] == [True, False, False, True]
    assert {each.record_id for each in provider.appended()} == {good.record_id, record(3).record_id}


def test_a_body_of_the_largest_size_is_taken(provider: Rig) -> None:
    body = bytes(range(250)) * (MAX_BODY_BYTES // 250)

    provider.append(record(1, body=body))

    assert provider.appended()[0].body == body


def test_nothing_is_appended_by_an_empty_call(provider: Rig) -> None:
    assert list(provider.ports.stream("events").append([])) == []
    assert provider.appended() == []


def test_streams_are_apart(provider: Rig) -> None:
    provider.append(record(1))
    provider.ports.stream("others").append([record(2)])

    assert [each.record_id for each in provider.appended()] == [record(1).record_id]


def test_a_replayed_record_keeps_when_it_was_first_appended(provider: Rig) -> None:
    long_ago = provider.clock.now_ms() - 3_600_000
    provider.append(NewRecord(record(1).record_id, "match#0", b"again", first_appended_at=long_ago))

    assert provider.appended()[0].first_appended_at == long_ago


def test_many_threads_append_without_losing_any(provider: Rig) -> None:
    if provider.name == "memory":
        pytest.skip("the ports in memory are for one thread")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: provider.append(record(n, f"content-{n}#0"), record(n + 500)), range(100)))

    seen = Counter(each.record_id for each in provider.appended())

    assert seen == Counter(record(n).record_id for n in [*range(100), *range(500, 600)])
