"""Tables on the stand-in, and on Google's own emulator where the machine has it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from adapters.gcp.clients import Clients
from adapters.gcp.firestore import Firestore
from adapters.gcp.table import GcpTable
from lab.memory import MemoryClock
from shared.errors import VersionConflict
from shared.ports import ABSENT, MAX_KEY_BYTES, MAX_VALUE_BYTES, query_all
from tests.emulators.firestore import Firestore as FirestoreServer

pytestmark = pytest.mark.xdist_group("google-firestore")  # one process starts Google's emulator

Make = Callable[[], GcpTable]


@pytest.fixture(params=["stand-in", "google"])
def address(request: pytest.FixtureRequest) -> str:
    if request.param == "google":
        google: str = request.getfixturevalue("google_firestore")
        return google
    server: FirestoreServer = request.getfixturevalue("one_firestore")
    return server.address


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture
def make(address: str, clock: MemoryClock, name: str, closing: ExitStack) -> Make:
    """The same table, as another process makes it."""

    def made() -> GcpTable:
        clients = Clients({"GOOGLE_CLOUD_PROJECT": "suite", "FIRESTORE_EMULATOR_HOST": address})
        closing.callback(clients.close)
        firestore = Firestore(clients)
        return GcpTable(lambda: firestore, f"{name}-audience", clock)

    return made


def test_another_process_reads_and_replaces_what_was_written(make: Make) -> None:
    version = make().put("match#0", "w1", b"\x00state\xff", expires_at=4_102_444_800_000)

    item = make().get("match#0", "w1")

    assert item is not None
    assert (item.value, item.version, item.expires_at) == (b"\x00state\xff", version, 4_102_444_800_000)
    make().put("match#0", "w1", b"next", if_version=item.version)


def test_writing_the_same_again_is_a_new_version(make: Make) -> None:
    table = make()
    versions = [table.put("p", "s", b"same") for _ in range(20)]
    table.delete("p", "s")
    versions += [table.put("p", "s", b"same", if_version=ABSENT)]

    assert len(set(versions)) == 21
    for old in versions[:-1]:
        with pytest.raises(VersionConflict):
            table.put("p", "s", b"", if_version=old)


def test_the_longest_keys_and_the_largest_value_fit_in_a_document(make: Make) -> None:
    longest = "\U0001f600" * (MAX_KEY_BYTES // 4)
    largest = bytes(range(256)) * (MAX_VALUE_BYTES // 256)

    make().put(longest, longest, largest, expires_at=4_102_444_800_000)

    item = make().get(longest, longest)
    assert item is not None
    assert item.value == largest


def test_one_of_many_writers_wins_over_an_expired_item(make: Make, clock: MemoryClock) -> None:
    make().put("p", "s", b"old", expires_at=clock.now_ms() + 1)
    clock.advance(1)

    def claim(n: int) -> str | None:
        with suppress(VersionConflict):
            return make().put("p", "s", b"%d" % n, if_version=ABSENT)
        return None

    with ThreadPoolExecutor(8) as threads:
        won = [version for version in threads.map(claim, range(8)) if version]

    item = make().get("p", "s")
    assert item is not None
    assert [item.version] == won


def test_a_version_that_has_expired_can_be_neither_replaced_nor_deleted(make: Make, clock: MemoryClock) -> None:
    version = make().put("p", "s", b"1", expires_at=clock.now_ms() + 5)
    clock.advance(5)

    with pytest.raises(VersionConflict):
        make().put("p", "s", b"2", if_version=version)
    with pytest.raises(VersionConflict):
        make().delete("p", "s", if_version=version)
    make().delete("p", "s", if_version=ABSENT)


def test_a_conditional_write_of_what_was_never_there_conflicts(make: Make) -> None:
    version = make().put("p", "there", b"1")

    for never in ("9" * 40, "-1", "1-", "\u0661", version + "-1"):
        with pytest.raises(VersionConflict):
            make().put("p", "there", b"2", if_version=never)
    with pytest.raises(VersionConflict):
        make().put("p", "not there", b"2", if_version=version)
    with pytest.raises(VersionConflict):
        make().delete("p", "not there", if_version=version)


def test_a_page_is_filled_past_what_has_expired(make: Make, clock: MemoryClock) -> None:
    table = make()
    for n in range(6):
        table.put("p", f"gone{n}", b"", expires_at=clock.now_ms() + 1)
    table.put("p", "left", b"")
    clock.advance(1)

    page = table.query("p", limit=2)

    assert [item.sort for item in page.items] == ["left"]


def test_large_values_come_in_pages_of_a_few_megabytes(make: Make) -> None:
    table = make()
    for n in range(20):
        table.put("p", f"{n:02d}", bytes([n]) * MAX_VALUE_BYTES)

    first = table.query("p")

    assert sum(len(item.value) for item in first.items) == 4 * 1024 * 1024
    assert [item.value[0] for item in query_all(table, "p")] == list(range(20))


def test_partitions_that_begin_alike_stay_apart_in_any_order(make: Make) -> None:
    table = make()
    for partition in ("a", "aa", "a-", "a\x00"):
        for sort in ("b", "-", "\xff", "bb"):
            table.put(partition, sort, json.dumps([partition, sort]).encode())

    for partition in ("a", "aa", "a-", "a\x00"):
        assert [json.loads(item.value) for item in query_all(table, partition)] == [
            [partition, sort] for sort in ("-", "b", "bb", "\xff")
        ]
