"""The stand-in for Firestore answers Google's client as Google's own emulator does, where the machine has that."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

from tests.emulators.firestore import Firestore

pytestmark = pytest.mark.xdist_group("google-firestore")  # one process starts Google's emulator

DATABASE = "projects/suite/databases/(default)"


@pytest.fixture(params=["stand-in", "google"])
def client(request: pytest.FixtureRequest) -> Iterator[FirestoreClient]:
    if request.param == "google":
        address: str = request.getfixturevalue("google_firestore")
    else:
        server: Firestore = request.getfixturevalue("one_firestore")
        address = server.address
    with grpc.insecure_channel(address) as channel:
        yield FirestoreClient(transport=FirestoreGrpcTransport(channel=channel))


Commit = Callable[..., Any]


@pytest.fixture
def commit(client: FirestoreClient) -> Commit:
    """Write or delete one document of a collection of its own: the update time, or the status of the refusal."""
    collection = f"c{uuid4().hex}"

    def committed(id_: str, fields: dict[str, Any] | None = None, **condition: Any) -> Any:
        name = f"{DATABASE}/documents/{collection}/{id_}"
        write: dict[str, Any] = {"delete": name} if fields is None else {"update": {"name": name, "fields": fields}}
        if condition:
            write["current_document"] = condition
        try:
            # the emulator's rules let its owner alone in; the stand-in has none
            answer = client.commit(
                request={"database": DATABASE, "writes": [write]}, metadata=[("authorization", "Bearer owner")]
            )
        except Exception as error:
            code: Any = getattr(error, "grpc_status_code", error)
            return code
        return answer.write_results[0].update_time

    return committed


def blob(size: int) -> dict[str, Any]:
    return {"value": {"bytes_value": bytes(size)}}


@pytest.mark.parametrize("id_", ["__x__", ".", "..", "", "a/b", "x" * 1_501, "é" * 751])
def test_an_id_against_the_rules_is_refused(commit: Commit, id_: str) -> None:
    assert commit(id_, {}) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("id_", ["x" * 1_500, "é", "\x01", "__x", "%2F", "-"])
def test_any_other_id_is_taken(commit: Commit, id_: str) -> None:
    assert commit(id_, {}).year > 2000


def test_a_value_past_a_megabyte_is_refused(commit: Commit) -> None:
    assert commit("a", blob(1_048_300)).year > 2000
    assert commit("a", blob(1_048_576)) is grpc.StatusCode.INVALID_ARGUMENT


def test_preconditions_hold_or_refuse(commit: Commit) -> None:
    first = commit("a", blob(1))
    second = commit("a", blob(2), update_time=first)

    assert second > first
    assert commit("a", blob(3), exists=False) is grpc.StatusCode.ALREADY_EXISTS
    assert commit("b", blob(3), exists=True) is grpc.StatusCode.NOT_FOUND
    assert commit("a", blob(3), update_time=first) is grpc.StatusCode.FAILED_PRECONDITION
    assert commit("b", blob(3), update_time=first) is grpc.StatusCode.FAILED_PRECONDITION
    assert commit("a", None, update_time=first) is grpc.StatusCode.FAILED_PRECONDITION
    assert commit("b", None, exists=True) is grpc.StatusCode.NOT_FOUND
    assert commit("b", None) is None


def test_a_write_that_changes_nothing_keeps_the_update_time(commit: Commit) -> None:
    first = commit("a", blob(1))

    assert commit("a", blob(1)) == first
    assert commit("a", blob(2)) > first
    commit("a", None)
    assert commit("a", blob(1)) > first
