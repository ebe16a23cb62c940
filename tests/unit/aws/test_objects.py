"""Objects in S3 by Libcloud: how names are stored, and with whose credential."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest, HTTPHeaders
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st
from libcloud.http import LibcloudConnection
from requests import RequestException

from adapters.aws import objects
from adapters.aws.clients import Clients
from adapters.aws.objects import Credential
from adapters.aws.suite import Suite
from adapters.common.libcloud_objects import (
    CONNECT_SECONDS,
    READ_SECONDS,
    Answer,
    Drivers,
    LibcloudObjects,
    own_name,
    stored_name,
)
from shared.errors import GrandstandError, Misconfigured, Unavailable
from tests.emulators.aws_account import Account

UNUSED: Any = None
NAMES = st.text(st.characters(codec="utf-8"), max_size=12) | st.text(alphabet="./!=a\n ", max_size=8)


@given(NAMES)
def test_a_stored_name_is_read_back(name: str) -> None:
    assert own_name(stored_name(name)) == name


@given(NAMES, NAMES)
def test_stored_names_keep_their_order(one: str, other: str) -> None:
    assert (stored_name(one).encode() < stored_name(other).encode()) == (one.encode() < other.encode())


@given(NAMES, NAMES)
def test_a_prefix_stays_one(name: str, prefix: str) -> None:
    assert stored_name(name).startswith(stored_name(prefix)) == name.startswith(prefix)


@given(NAMES)
def test_what_is_stored_has_no_control_character_and_no_part_of_dots(name: str) -> None:
    stored = stored_name(name)

    assert min(map(ord, stored), default=33) >= 33
    assert not {".", ".."} & set(stored.split("/"))


def refused(answer: Answer) -> GrandstandError:
    return Unavailable(f"{answer.status}: {answer.code}")


def test_an_ordinary_name_is_stored_as_it_is() -> None:
    assert stored_name("2026/11/20/part-0.parquet") == "2026/11/20/part-0.parquet"


def test_more_than_a_page_of_names_is_listed_in_order(suite: Suite, account: Account) -> None:
    names = [f"part {number:04d}+é" for number in range(25)]
    for name in names:
        suite.ports.objects("staging").put(name, b"")

    paging = LibcloudObjects(objects.drivers(suite.clients), account.bucket, "objects/staging/", refused, page=10)

    assert list(paging.list()) == names
    assert list(paging.list("part 001")) == names[10:20]


def test_what_others_put_there_is_not_listed(suite: Suite, account: Account) -> None:
    for key in ("objects/staging/", "objects/staging/.hidden", "objects/staging/a!", "objects/staging/a b"):
        account.clients.s3.put_object(Bucket=account.bucket, Key=key, Body=b"")
    suite.ports.objects("staging").put("ours", b"1")

    assert list(suite.ports.objects("staging").list()) == ["ours"]


def test_a_name_of_unusual_characters_alone_may_be_too_long_to_store(suite: Suite, account: Account) -> None:
    with pytest.raises(ValueError, match="too many unusual characters"):
        suite.ports.objects("staging").put("\n" * 900, b"")


def test_a_put_is_one_request(suite: Suite, account: Account) -> None:
    asked: list[tuple[str, str]] = []
    clients = suite.clients
    credential = Credential("AKIA", "secret", None)

    def make(credential: Credential) -> objects.AwsDriver:
        driver = objects.AwsDriver(credential, clients.region, clients.endpoint("s3"))
        connection: Any = driver.connection
        sign = connection.pre_connect_hook

        def note(*told: Any) -> Any:
            asked.append((connection.method, connection.action))
            return sign(*told)

        connection.pre_connect_hook = note
        return driver

    store = objects.make(Drivers(lambda: credential, make), account.bucket, "objects/staging/", clients.region)

    store.put("a b", bytes(6_000_000))
    assert store.get("a b") == bytes(6_000_000)
    store.delete("a b")

    path = f"/{account.bucket}/objects/staging/a%21%60b"
    assert asked == [("PUT", path), ("GET", path), ("DELETE", path)]


def test_a_credential_that_was_renewed_signs_the_next_request(account: Account, environ: dict[str, str]) -> None:
    clients = Clients(environ)
    signed: list[Credential] = []
    current = [Credential("AKIAONE", "secret", "token-1")]

    def make(credential: Credential) -> objects.AwsDriver:
        signed.append(credential)
        return objects.AwsDriver(credential, clients.region, clients.endpoint("s3"))

    store = objects.make(Drivers(lambda: current[0], make), account.bucket, "objects/x/", clients.region)
    store.put("a", b"1")
    store.put("b", b"2")
    current[0] = Credential("AKIATWO", "secret", "token-2")
    assert store.get("a") == b"1"

    assert [each.access_key for each in signed] == ["AKIAONE", "AKIATWO"]


def test_the_credential_is_the_one_that_botocore_renews(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refreshable:
        def __init__(self) -> None:
            self.asked = 0

        def get_frozen_credentials(self) -> Any:
            self.asked += 1
            return Credential(f"AKIA{self.asked}", "secret", "token")

    credentials = Refreshable()
    monkeypatch.setattr(suite.clients.session, "get_credentials", lambda: credentials)
    seen = []
    for _ in range(2):
        with objects.drivers(suite.clients).lend() as connection:
            seen.append((connection.user_id, connection.token))

    assert seen == [("AKIA1", "token"), ("AKIA2", "token")]


class EveryHeader(S3SigV4Auth):
    """botocore's own signing, of every header as Libcloud does it."""

    def headers_to_sign(self, request: Any) -> Any:
        headers = HTTPHeaders()
        for name, value in request.headers.items():
            headers[name.lower()] = value
        return headers


ODD = ["2026/11/20/part-0.parquet", "a b+c~d*e(f)'!é/日本//😀", "x" * 900, "..", "%2F?&=#"]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("token", [None, "token/+=="])
def test_requests_are_signed_as_botocore_would(name: str, token: str | None) -> None:
    sent: list[tuple[str, str, dict[str, str]]] = []
    credential = Credential("AKIA", "secret", token)

    class Wire(LibcloudConnection):
        def prepared_request(self, method: str, url: str, *_: Any, headers: Any = None, **__: Any) -> None:
            sent.append((method, f"{self.host}{url}", dict(headers)))
            raise RequestException("nothing is sent")

    def make(credential: Credential) -> objects.AwsDriver:
        return objects.AwsDriver(credential, "eu-west-1", None)

    class Wired(Drivers[Credential]):
        @contextmanager
        def lend(self) -> Iterator[Any]:
            with super().lend() as connection:
                connection.conn_class = Wire
                connection.connect()
                yield connection

    store = LibcloudObjects(Wired(lambda: credential, make), "data", "objects/x/", refused)
    for ask in (lambda: store.put(name, b"1"), lambda: store.get(name), lambda: list(store.list(name))):
        with pytest.raises(Unavailable):
            ask()

    assert {method for method, _, _ in sent} == {"PUT", "GET"}
    for method, url, headers in sent:
        told = headers.pop("Authorization")
        request = AWSRequest(method=method, url=url, headers=headers)
        request.context["timestamp"] = headers["X-AMZ-Date"]
        signer = EveryHeader(Credentials("AKIA", "secret", token), "s3", "eu-west-1")
        text = signer.string_to_sign(request, signer.canonical_request(request))
        assert told.endswith(f"Signature={signer.signature(text, request)}")
        assert headers.get("x-amz-security-token") == token


def test_a_bucket_is_not_waited_for_endlessly(suite: Suite, account: Account) -> None:
    with objects.drivers(suite.clients).lend() as connection:
        session = connection.connection.session
        send = session.send
        waits: list[Any] = []

        def note(request: Any, **options: Any) -> Any:
            waits.append((options["timeout"], options["allow_redirects"]))
            return send(request, **options)

        session.send = note
        connection.request(f"/{account.bucket}", raw=True)

    assert waits == [((CONNECT_SECONDS, READ_SECONDS), False)]


def test_a_region_that_libcloud_has_not_heard_of_is_served_at_its_own_address() -> None:
    driver = objects.AwsDriver(Credential("AKIA", "secret", None), "ap-southeast-7", None)

    assert (driver.connection.host, driver.connection.port) == ("s3.ap-southeast-7.amazonaws.com", 443)
    china = objects.AwsDriver(Credential("AKIA", "secret", None), "cn-north-1", None)
    assert china.connection.host == "s3.cn-north-1.amazonaws.com.cn"


@pytest.mark.parametrize(
    ("code", "told"),
    [("ExpiredToken", "has expired"), ("PermanentRedirect", "another region"), ("AccessDenied", "policy")],
)
def test_what_s3_refuses_is_told(suite: Suite, code: str, told: str) -> None:
    store = objects.make(UNUSED, "data", "objects/x/", "eu-west-1")
    error = store._trouble(Answer(400, b"", code, "because"))

    assert isinstance(error, Misconfigured)
    assert told in str(error)
    assert "the bucket data" in str(error)
