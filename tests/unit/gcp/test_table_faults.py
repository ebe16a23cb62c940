"""What a table does when Firestore refuses, breaks off, or loses its answer."""

from contextlib import ExitStack

import pytest
from grpc import StatusCode

from adapters.gcp.clients import Clients
from adapters.gcp.firestore import Firestore
from adapters.gcp.table import GcpTable
from lab.memory import MemoryClock
from shared.errors import CorruptData, Misconfigured, Throttled, Unavailable, VersionConflict
from shared.ports import ABSENT
from tests.emulators.firestore import Firestore as FirestoreServer

DATABASE = "projects/suite/databases/(default)"


@pytest.fixture
def server(firestore_server: FirestoreServer) -> FirestoreServer:
    return firestore_server


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture
def table(server: FirestoreServer, clock: MemoryClock, name: str, closing: ExitStack) -> GcpTable:
    return made(server, clock, name, closing)


def made(
    server: FirestoreServer, clock: MemoryClock, name: str, closing: ExitStack, project: str = "suite"
) -> GcpTable:
    clients = Clients({"GOOGLE_CLOUD_PROJECT": project, **server.environ})
    closing.callback(clients.close)
    firestore = Firestore(clients)
    return GcpTable(lambda: firestore, f"{name}-audience", clock)


def test_a_get_and_a_write_cost_one_request_each(table: GcpTable, server: FirestoreServer) -> None:
    version = table.put("p", "s", b"1", if_version=ABSENT)
    table.put("p", "s", b"2", if_version=version)
    table.get("p", "s")
    table.batch_get([("p", f"s{n}") for n in range(250)])
    table.query("p")
    table.delete("p", "s")

    assert server.faults.calls == {"Commit": 3, "BatchGetDocuments": 2, "RunQuery": 1}


@pytest.mark.parametrize("code", [StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED, StatusCode.INTERNAL])
def test_a_write_whose_answer_was_lost_is_known_again(
    table: GcpTable, server: FirestoreServer, code: StatusCode
) -> None:
    server.faults.fail("Commit", code, after=True)
    first = table.put("p", "s", b"1", if_version=ABSENT)
    server.faults.fail("Commit", code, after=True)
    second = table.put("p", "s", b"2", if_version=first)
    server.faults.fail("Commit", code, after=True)
    third = table.put("p", "s", b"3")

    item = table.get("p", "s")
    assert item is not None
    assert (item.value, item.version) == (b"3", third)
    assert len({first, second, third}) == 3
    server.faults.fail("Commit", code, after=True)
    table.delete("p", "s", if_version=third)
    assert table.get("p", "s") is None


def test_a_lost_answer_does_not_hide_the_conflict_with_another_writer(
    table: GcpTable, server: FirestoreServer
) -> None:
    table.put("p", "s", b"another's")
    server.faults.fail("Commit", StatusCode.UNAVAILABLE, detail="it never arrived")

    with pytest.raises(VersionConflict):
        table.put("p", "s", b"ours", if_version=ABSENT)


def test_what_a_broken_answer_left_out_is_read_again(table: GcpTable, server: FirestoreServer) -> None:
    keys = [("p", f"{n:02d}") for n in range(20)]
    for key in keys:
        table.put(*key, key[1].encode())
    server.faults.fail("BatchGetDocuments", StatusCode.UNAVAILABLE, after=True)
    server.faults.fail("RunQuery", StatusCode.UNAVAILABLE, after=True)

    found = table.batch_get(keys)
    page = table.query("p")

    assert sorted(found) == keys
    assert [item.sort for item in page.items] == [sort for _, sort in keys]


def test_throttling_is_waited_out_and_then_told(table: GcpTable, server: FirestoreServer) -> None:
    server.faults.fail("Commit", StatusCode.RESOURCE_EXHAUSTED, 2)
    table.put("p", "s", b"1")

    server.faults.fail(None, StatusCode.RESOURCE_EXHAUSTED, 100, detail="Quota exceeded.")
    for call in (lambda: table.put("p", "s", b"2"), lambda: table.get("p", "s"), lambda: table.query("p")):
        with pytest.raises(Throttled, match=r"audience.*Quota exceeded"):
            call()


def test_contention_is_a_conflict_for_a_conditional_write_and_throttling_for_another(
    table: GcpTable, server: FirestoreServer
) -> None:
    version = table.put("p", "s", b"1")
    server.faults.fail("Commit", StatusCode.ABORTED, 2, detail="Too much contention on these documents.")
    version = table.put("p", "s", b"2", if_version=version)

    server.faults.fail("Commit", StatusCode.ABORTED, 5, detail="Too much contention on these documents.")
    with pytest.raises(VersionConflict):
        table.put("p", "s", b"3", if_version=version)
    server.faults.fail("Commit", StatusCode.ABORTED, 5, detail="Too much contention on these documents.")
    with pytest.raises(Throttled):
        table.put("p", "s", b"3")


def test_a_store_that_is_down_is_told(table: GcpTable, server: FirestoreServer) -> None:
    with server.faults.down(), pytest.raises(Unavailable, match="audience"):
        table.put("p", "s", b"1")

    assert table.get("p", "s") is None


def test_nobody_there_is_told(clock: MemoryClock, name: str, closing: ExitStack) -> None:
    clients = Clients({"GOOGLE_CLOUD_PROJECT": "suite", "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"})
    closing.callback(clients.close)
    firestore = Firestore(clients)

    with pytest.raises(Unavailable, match="audience"):
        GcpTable(lambda: firestore, f"{name}-audience", clock).get("p", "s")


def test_a_project_without_a_database_is_told_at_once(
    server: FirestoreServer, clock: MemoryClock, name: str, closing: ExitStack
) -> None:
    server.documents.missing.add("empty")
    table = made(server, clock, name, closing, project="empty")

    for call in (
        lambda: table.put("p", "s", b""),
        lambda: table.put("p", "s", b"", if_version=ABSENT),
        lambda: table.put("p", "s", b"", if_version="1"),
        lambda: table.get("p", "s"),
        lambda: table.query("p"),
    ):
        with pytest.raises(Misconfigured, match=r"database \(default\) does not exist for project empty"):
            call()
    assert sum(server.faults.calls.values()) == 5


def test_a_database_in_datastore_mode_is_no_conflict(table: GcpTable, server: FirestoreServer) -> None:
    detail = "The Cloud Firestore API is not available for Firestore in Datastore Mode database."
    server.faults.fail("Commit", StatusCode.FAILED_PRECONDITION, detail=detail)

    with pytest.raises(Misconfigured, match="Datastore Mode"):
        table.put("p", "s", b"", if_version=ABSENT)


def test_a_role_that_is_missing_is_named(table: GcpTable, server: FirestoreServer) -> None:
    server.faults.fail("Commit", StatusCode.PERMISSION_DENIED, detail="Missing or insufficient permissions.")

    with pytest.raises(Misconfigured, match=r"roles/datastore\.user"):
        table.put("p", "s", b"")


def test_an_item_is_the_same_whether_the_time_to_live_has_deleted_it_yet_or_not(
    table: GcpTable, server: FirestoreServer, clock: MemoryClock
) -> None:
    version = table.put("p", "s", b"1", expires_at=clock.now_ms() + 5)
    table.put("p", "stays", b"1")
    clock.advance(5)

    assert server.documents.delete_where(DATABASE, "ttl", clock.now_ms()) >= 1

    with pytest.raises(VersionConflict):
        table.put("p", "s", b"2", if_version=version)
    assert table.put("p", "s", b"2", if_version=ABSENT) != version
    assert table.get("p", "stays") is not None


def test_a_document_that_somebody_else_wrote_is_told(table: GcpTable, server: FirestoreServer) -> None:
    table.put("p", "s", b"1")
    ((_, document),) = server.documents.range(DATABASE, table._name)[0]
    del document.fields["value"]

    with pytest.raises(CorruptData, match="Delete the document"):
        table.get("p", "s")
