"""Mail by SMTP, to servers that refuse, encrypt, ask who we are, and go away."""

import datetime as dt
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email import message_from_string
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.common.smtp import SmtpMailer
from lab.bench.served import free_port
from shared.errors import Misconfigured, Throttled, Unavailable
from shared.ports import Mail

NEWS = Mail("viewer@home.example", "The match begins", "Now on Grandstand", "<p>Now on <b>Grandstand</b></p>")


class Secret:
    def get(self, name: str) -> bytes:
        assert name == "smtp-password"
        return b"correct horse"


class Inbox:
    """Takes mail, unless a test answers `rcpt`, `mail` or `data` otherwise; `after` hangs up after so many."""

    def __init__(self, *, rcpt: str = "250 OK", mail: str = "250 OK", data: str = "250 OK", after: int = 99) -> None:
        self.answers = {"rcpt": rcpt, "mail": mail, "data": data}
        self.taken: list[tuple[str, str, str]] = []
        self.after = after
        self.encrypted: list[bool] = []

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        self.encrypted.append(session.ssl is not None)
        if len(self.taken) >= self.after:
            assert server.transport is not None
            server.transport.close()
        envelope.mail_from = address
        return self.answers["mail"]

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if "refused" in address:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return self.answers["rcpt"]

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        content = envelope.content
        assert isinstance(content, bytes)
        if self.answers["data"].startswith("250"):
            self.taken.append((str(envelope.mail_from), envelope.rcpt_tos[0], content.decode()))
        return self.answers["data"]


@contextmanager
def serving(inbox: Inbox, **options: Any) -> Iterator[int]:
    port = free_port()
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def mailer(url: str, tls: ssl.SSLContext | None = None) -> SmtpMailer:
    environ = {"GRANDSTAND_SMTP_URL": url, "GRANDSTAND_MAIL_FROM": "news@grandstand.example"}
    return SmtpMailer(environ, Secret(), tls=tls)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's side of TLS, and that of a client who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail server of a test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder: Path = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return server, ssl.create_default_context(cafile=str(folder / "cert.pem"))


def knows(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"suite@x", b"correct horse")
    return AuthResult(success=known, handled=False)


def test_a_mail_arrives_with_its_text_and_its_html(closing: ExitStack) -> None:
    inbox = Inbox()
    port = closing.enter_context(serving(inbox))

    assert mailer(f"smtp://127.0.0.1:{port}").send([NEWS]) == [None]

    ((sender, to, content),) = inbox.taken
    assert (sender, to) == ("news@grandstand.example", "viewer@home.example")
    for words in ("Subject: The match begins", "Now on Grandstand", "<b>Grandstand</b>", "Message-ID:", "Date:"):
        assert words in content


def test_a_refused_recipient_fails_alone(closing: ExitStack) -> None:
    inbox = Inbox()
    port = closing.enter_context(serving(inbox))
    refused, broken = Mail("refused@x.example", "s", "t"), Mail("no address", "s", "t")

    results = mailer(f"smtp://127.0.0.1:{port}").send([NEWS, refused, broken, NEWS])

    assert results[0] is None
    assert results[1] == "550 nobody of that name"
    assert results[2] is not None
    assert results[3] is None
    assert [to for _, to, _ in inbox.taken] == ["viewer@home.example"] * 2


def test_an_address_or_text_that_cannot_be_encoded_fails_alone(closing: ExitStack) -> None:
    port = closing.enter_context(serving(Inbox(), enable_SMTPUTF8=False))
    umlaut, broken = Mail("jürgen@home.example", "s", "t"), Mail("viewer@home.example", "s", "\ud800")

    first, second, third = mailer(f"smtp://127.0.0.1:{port}").send([umlaut, broken, NEWS])

    assert "SMTPUTF8" in str(first)
    assert "encoded" in str(second)
    assert third is None


def test_words_of_any_script_and_a_sender_with_a_name_arrive(closing: ExitStack) -> None:
    inbox = Inbox()
    port = closing.enter_context(serving(inbox))
    environ = {
        "GRANDSTAND_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "GRANDSTAND_MAIL_FROM": "Grandstand <news@grandstand.example>",
    }

    assert SmtpMailer(environ, Secret()).send([Mail("viewer@home.example", "試合開始 😀", "é" * 2_000)]) == [None]

    ((sender, _, content),) = inbox.taken
    message = message_from_string(content, policy=default)
    assert sender == "news@grandstand.example"
    assert (message["From"], message["Subject"]) == ("Grandstand <news@grandstand.example>", "試合開始 😀")
    assert message.get_content().strip() == "é" * 2_000


@pytest.mark.parametrize("sender", ["", "nobody", "news@grandstand.example\nBcc: x@y.example"])
def test_a_sender_that_is_no_address_is_told_at_once(sender: str) -> None:
    with pytest.raises(Misconfigured, match="GRANDSTAND_MAIL_FROM"):
        SmtpMailer({"GRANDSTAND_SMTP_URL": "smtp://mail.example", "GRANDSTAND_MAIL_FROM": sender}, Secret())


def test_no_server_is_asked_where_nothing_can_be_sent() -> None:
    (result,) = mailer("smtp://127.0.0.1:1").send([Mail("a@b.example\r\nBcc: c@d.example", "s", "t")])

    assert result is not None
    assert mailer("smtp://127.0.0.1:1").send([]) == []


def test_a_message_that_is_refused_says_why(closing: ExitStack) -> None:
    port = closing.enter_context(serving(Inbox(data="554 looks like spam")))

    assert mailer(f"smtp://127.0.0.1:{port}").send([NEWS, NEWS]) == ["554 looks like spam"] * 2


def test_what_was_taken_before_the_server_went_away_stays_taken(closing: ExitStack) -> None:
    inbox = Inbox(after=1)
    port = closing.enter_context(serving(inbox))

    first, second, third = mailer(f"smtp://127.0.0.1:{port}").send([NEWS, NEWS, NEWS])

    assert first is None
    assert second is not None
    assert third is not None
    assert len(inbox.taken) == 1


@pytest.mark.parametrize("after", [0, None])
def test_nobody_there_is_unavailable(closing: ExitStack, after: int | None) -> None:
    port = 1 if after is None else closing.enter_context(serving(Inbox(after=after)))

    with pytest.raises(Unavailable, match=f"127.0.0.1:{port}"):
        mailer(f"smtp://127.0.0.1:{port}").send([NEWS])


def test_a_sender_that_is_refused_is_a_setting_to_correct(closing: ExitStack) -> None:
    port = closing.enter_context(serving(Inbox(mail="553 not yours")))

    with pytest.raises(Misconfigured, match="GRANDSTAND_MAIL_FROM"):
        mailer(f"smtp://127.0.0.1:{port}").send([NEWS])


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_it_signs_in_over_tls_alone(
    closing: ExitStack, certificate: tuple[ssl.SSLContext, ssl.SSLContext], scheme: str
) -> None:
    served, trusting = certificate
    inbox = Inbox()
    # aiosmtpd does not see TLS that was there from the start
    tls = {"ssl_context": served, "auth_require_tls": False} if scheme == "smtps" else {"tls_context": served}
    port = closing.enter_context(serving(inbox, authenticator=knows, auth_required=scheme == "smtp", **tls))

    assert mailer(f"{scheme}://suite%40x@127.0.0.1:{port}", trusting).send([NEWS]) == [None]
    assert len(inbox.taken) == 1
    assert inbox.encrypted == [scheme == "smtp"]
    with pytest.raises(Misconfigured, match="smtp-password"):
        mailer(f"{scheme}://stranger@127.0.0.1:{port}", trusting).send([NEWS])
    with pytest.raises(Misconfigured, match="certificate"):
        mailer(f"{scheme}://suite%40x@127.0.0.1:{port}").send([NEWS])


def test_no_password_travels_in_the_open(closing: ExitStack) -> None:
    port = closing.enter_context(serving(Inbox(), authenticator=knows, auth_require_tls=False))

    with pytest.raises(Misconfigured, match="smtps://"):
        mailer(f"smtp://suite@127.0.0.1:{port}").send([NEWS])


def test_a_server_that_knows_no_sign_in_is_told(
    closing: ExitStack, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    served, trusting = certificate
    port = closing.enter_context(serving(Inbox(), ssl_context=served, auth_exclude_mechanism=["LOGIN", "PLAIN"]))

    with pytest.raises(Misconfigured, match="no sign-in"):
        mailer(f"smtps://suite@127.0.0.1:{port}", trusting).send([NEWS])


def test_a_server_that_asks_to_wait_is_throttling(closing: ExitStack) -> None:
    listening = closing.enter_context(socket.create_server(("127.0.0.1", 0)))

    def greet() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"421 too many of you\r\n")

    greeter = Thread(target=greet)
    greeter.start()
    with pytest.raises(Throttled, match="too many of you"):
        mailer(f"smtp://127.0.0.1:{listening.getsockname()[1]}").send([NEWS])
    greeter.join()


def test_a_sender_who_must_wait_is_told_by_mail(closing: ExitStack) -> None:
    port = closing.enter_context(serving(Inbox(mail="451 one a minute")))

    assert mailer(f"smtp://127.0.0.1:{port}").send([NEWS, NEWS]) == ["451 one a minute"] * 2


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "GRANDSTAND_SMTP_URL is not set"),
        ("http://mail.example", "GRANDSTAND_SMTP_URL='http://mail.example'"),
        ("smtp://", "smtps://"),
        ("smtp://mail.example:port", "GRANDSTAND_SMTP_URL"),
        ("smtps://suite:secret@mail.example", "smtp-password"),
    ],
)
def test_an_address_that_cannot_be_is_told_at_once(url: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=words) as told:
        mailer(url)
    assert ":secret@" not in str(told.value)


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack
