"""Objects in Cloud Storage through Libcloud, and the identity's token."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from google.auth import credentials

from adapters.gcp import objects
from adapters.gcp.clients import Clients
from shared.errors import Misconfigured, Throttled, Unavailable
from shared.ports import ObjectStore
from tests.emulators.gcs import Storage, gcs

ODD = [
    "a",
    "a/b",
    "a//b",
    "/",
    "..",
    "a/../b",
    "%2F",
    "a+b c",
    "é/日本",
    "line\nfeed",
    "\x00",
    "😀",
    ".well-known/acme-challenge/x",
]


@pytest.fixture
def server(storage_server: Storage, name: str) -> Storage:
    storage_server.buckets.make(name)
    return storage_server


@pytest.fixture
def store(server: Storage, name: str) -> ObjectStore:
    return objects.make(objects.drivers(Clients(server.environ)), name, "objects/staging/")


def test_an_object_is_put_and_got_in_one_request_each(store: ObjectStore, server: Storage) -> None:
    store.put("2026/part.parquet", b"\x00data\xff")

    assert store.get("2026/part.parquet") == b"\x00data\xff"
    assert store.get("2026/other") is None
    assert len(server.faults.requests) == 3


def test_the_bucket_shows_names_that_a_person_can_read(store: ObjectStore, server: Storage, name: str) -> None:
    store.put("2026/11/20/é.parquet", b"")

    assert [blob.name for blob in server.buckets.page(name).blobs] == ["objects/staging/2026/11/20/é.parquet"]


def test_names_that_google_refuses_are_kept(store: ObjectStore) -> None:
    for each in ODD:
        store.put(each, each.encode())

    assert {each: store.get(each) for each in ODD} == {each: each.encode() for each in ODD}
    assert list(store.list()) == sorted(ODD, key=str.encode)


def test_a_list_goes_on_past_a_page(store: ObjectStore, server: Storage, name: str) -> None:
    names = [f"{n:04d}" for n in range(2_100)]
    for each in names:
        server.buckets.put(name, f"objects/staging/{each}", b"", "text/plain")
    server.buckets.put(name, "objects/stagingx", b"", "text/plain")

    assert list(store.list()) == names
    assert list(store.list("20")) == names[2_000:]


def test_threads_do_not_meet_in_a_connection(store: ObjectStore) -> None:
    def put_and_get(n: int) -> bool:
        store.put(f"{n}", b"%d" % n * 1_000)
        return store.get(f"{n}") == b"%d" % n * 1_000

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(put_and_get, range(64)))


def test_a_put_whose_answer_was_lost_is_made_again(store: ObjectStore, server: Storage) -> None:
    server.faults.fail("PUT", 503, after=True)
    store.put("a", b"1")
    server.faults.fail("DELETE", 500, after=True)
    store.delete("a")

    assert store.get("a") is None


def test_throttling_and_a_store_that_is_down_are_told(store: ObjectStore, server: Storage, name: str) -> None:
    server.faults.fail("PUT", 429, 10)
    with pytest.raises(Throttled, match=name):
        store.put("a", b"1")
    with server.faults.down(), pytest.raises(Unavailable, match=name):
        store.get("a")


def test_a_bucket_that_is_not_there_is_told_and_no_object_without_it_is(server: Storage) -> None:
    store = objects.make(objects.drivers(Clients(server.environ)), "nowhere", "objects/x/")

    for call in (lambda: store.get("a"), lambda: store.put("a", b""), lambda: list(store.list())):
        with pytest.raises(Misconfigured, match="nowhere"):
            call()


def test_a_role_that_is_missing_is_named(store: ObjectStore, server: Storage) -> None:
    server.faults.fail("PUT", 403)

    with pytest.raises(Misconfigured, match=r"roles/storage\.objectUser"):
        store.put("a", b"")


class Renewed(credentials.Credentials):
    """A service account whose token expires whenever a test says so."""

    def __init__(self, accepted: set[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._accepted = accepted
        self._count = 0

    def refresh(self, request: object) -> None:
        self._count += 1
        self.token = f"token-{self._count}"
        self.expiry = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(hours=1)
        self._accepted.clear()
        self._accepted.add(self.token)

    def end(self) -> None:
        self.expiry = dt.datetime.now(dt.UTC).replace(tzinfo=None)


class SignedIn(Clients):
    """At Google's own address, were it not for `HOST`."""

    def __init__(self, credential: Renewed) -> None:
        super().__init__({})
        self.credentials = credential


def test_a_token_is_renewed_before_it_is_refused(monkeypatch: pytest.MonkeyPatch, closing: ExitStack) -> None:
    server = closing.enter_context(gcs())
    server.tokens = set()
    credential = Renewed(server.tokens)
    monkeypatch.setattr(objects, "HOST", server.url)
    store = objects.make(objects.drivers(SignedIn(credential)), "bucket", "objects/x/")

    store.put("a", b"1")
    credential.end()
    store.put("a", b"2")

    assert store.get("a") == b"2"
    assert server.tokens == {"token-2"}
    server.tokens.clear()
    with pytest.raises(Misconfigured, match="gcloud auth"):
        store.get("a")
