"""E-mail by SMTP: one connection a call, one answer a recipient.

`smtp://host:port` is encrypted by STARTTLS where the server offers it, and must be before a password is sent;
`smtps://host:port` is from the start. `user@` signs in with the secret `smtp-password`.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from typing import Final
from urllib.parse import unquote, urlsplit

from adapters.common.environment import require
from adapters.common.mails import refusal
from shared.errors import Misconfigured, Throttled, Unavailable
from shared.ports import Mail, Secrets

URL: Final = "GRANDSTAND_SMTP_URL"
SENDER: Final = "GRANDSTAND_MAIL_FROM"
PASSWORD: Final = "smtp-password"  # noqa: S105 - a secret's name
TIMEOUT_SECONDS: Final = 10.0
_PORTS: Final = {"smtp": 587, "smtps": 465}
_EXAMPLE: Final = "smtps://suite@mail.example.com:465"
_BUSY: Final = frozenset({421, 450, 451, 452})


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over. `user` None: without signing in."""

    host: str
    port: int
    encrypted: bool
    user: str | None

    @classmethod
    def parse(cls, url: str) -> Server:
        """Raises Misconfigured."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Misconfigured(f"{URL}={url!r}: {error}. Set it, for example {URL}={_EXAMPLE}.") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise Misconfigured(
                f"{URL}={url!r} is no address of a mail server. Set it, for example {URL}={_EXAMPLE}."
            )
        if parts.password is not None:
            raise Misconfigured(f"{URL} holds a password. Take it out, and make it the secret {PASSWORD!r}.")
        user = unquote(parts.username) if parts.username else None
        return cls(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "smtps", user)


class SmtpMailer:
    """`shared.ports.Mailer`. What was taken before a server went away stays taken; the rest is told why not."""

    def __init__(self, environ: Mapping[str, str], secrets: Secrets, *, tls: ssl.SSLContext | None = None) -> None:
        """Raises Misconfigured. `tls` says whom to trust, by default whom the machine trusts."""
        self._server = Server.parse(require(environ, URL, _EXAMPLE))
        self._sender = require(environ, SENDER, "news@example.com")
        self._address = parseaddr(self._sender)[1]
        if "@" not in self._address or not self._sender.isprintable():
            raise Misconfigured(f"{SENDER}={self._sender!r} is no e-mail address. Set it to one you may send from.")
        self._secrets = secrets
        self._tls = tls
        self._told = f"the mail server {self._server.host}:{self._server.port}"

    def send(self, mails: Sequence[Mail]) -> Sequence[str | None]:
        results = [refusal(mail) for mail in mails]
        if all(results):
            return results
        try:
            connection = self._open()
        except (OSError, smtplib.SMTPException) as error:
            raise self._translated(error) from error
        try:
            self._send(connection, mails, results)
        finally:
            with suppress(OSError, smtplib.SMTPException):
                connection.quit()
        return results

    def _send(self, connection: smtplib.SMTP, mails: Sequence[Mail], results: list[str | None]) -> None:
        tried = False
        for index, mail in enumerate(mails):
            if results[index] is not None:
                continue
            try:
                results[index] = self._hand_over(connection, mail)
            except (OSError, smtplib.SMTPServerDisconnected) as error:
                if not tried:
                    raise self._translated(error) from error
                for left in range(index, len(mails)):
                    results[left] = results[left] or str(self._translated(error))
                return
            tried = True

    def _hand_over(self, connection: smtplib.SMTP, mail: Mail) -> str | None:
        try:
            connection.send_message(self._message(mail), self._address, [mail.to])
        except smtplib.SMTPRecipientsRefused as refused:
            code, reason = refused.recipients[mail.to]
            return _said(code, reason)
        except smtplib.SMTPSenderRefused as refused:
            if refused.smtp_code in _BUSY:
                return _said(refused.smtp_code, refused.smtp_error)
            raise Misconfigured(
                f"{self._told} takes no mail from {self._sender}: {_said(refused.smtp_code, refused.smtp_error)}. "
                f"Correct {SENDER}, or sign in."
            ) from None
        except smtplib.SMTPResponseException as refused:
            if refused.smtp_code == 421:
                raise smtplib.SMTPServerDisconnected(_said(refused.smtp_code, refused.smtp_error)) from refused
            return _said(refused.smtp_code, refused.smtp_error)
        except UnicodeError:
            return "the text holds characters that cannot be encoded"
        except smtplib.SMTPNotSupportedError:
            return "this address needs a mail server that knows SMTPUTF8"
        return None

    def _open(self) -> smtplib.SMTP:
        """A connection, signed in. Raises OSError, SMTPException, Misconfigured."""
        server = self._server
        tls = self._tls or ssl.create_default_context()
        if server.encrypted:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=TIMEOUT_SECONDS, context=tls
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
        try:
            self._sign_in(connection, tls)
        except BaseException:
            connection.close()
            raise
        return connection

    def _sign_in(self, connection: smtplib.SMTP, tls: ssl.SSLContext) -> None:
        server = self._server
        connection.ehlo()
        secure = server.encrypted
        if not secure and connection.has_extn("starttls"):
            connection.starttls(context=tls)
            connection.ehlo()
            secure = True
        if server.user is None:
            return
        if not secure:
            raise Misconfigured(f"{self._told} offers no encryption, so no password is sent. Use smtps:// in {URL}.")
        connection.login(server.user, self._secrets.get(PASSWORD).decode())

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self._address.rpartition("@")[2])
        message.set_content(mail.text)
        if mail.html is not None:
            message.add_alternative(mail.html, subtype="html")
        return message

    def _translated(self, error: Exception) -> Unavailable | Misconfigured:
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return Misconfigured(
                f"{self._told} refuses the sign-in ({_said(error.smtp_code, error.smtp_error)}). Correct the user in "
                f"{URL} and the secret {PASSWORD!r}."
            )
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return Misconfigured(
                f"{self._told} offers no sign-in that we know ({error}). Take the user out of {URL}."
            )
        if isinstance(error, ssl.SSLCertVerificationError):
            return Misconfigured(f"{self._told} shows no certificate that is trusted ({error}). Correct {URL}.")
        if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code in _BUSY:
            return Throttled(f"{self._told} asks us to wait: {_said(error.smtp_code, error.smtp_error)}")
        return Unavailable(f"{self._told} does not answer: {error}. Try again; see whether it can be reached.")


def _said(code: int, reason: bytes | str) -> str:
    text = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
    return f"{code} {text}"
