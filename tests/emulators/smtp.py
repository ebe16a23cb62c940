"""A mail server that takes what comes, but for recipients at refused.example."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from lab.bench.served import free_port
from shared.ports import Mail

REFUSED = "refused.example"


@dataclass
class Smtp:
    """What the server has taken, and the variables that lead a suite to it."""

    environ: Mapping[str, str]
    mails: list[Mail] = field(default_factory=list)


class _Inbox:
    def __init__(self, mails: list[Mail]) -> None:
        self._mails = mails

    async def handle_RCPT(  # noqa: N802  the library's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if address.endswith(f"@{REFUSED}"):
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802  the library's name
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        message = message_from_bytes(raw, policy=policy.default)
        plain, html = message.get_body(("plain",)), message.get_body(("html",))
        for to in envelope.rcpt_tos:
            self._mails.append(
                Mail(
                    to,
                    str(message["Subject"]),
                    str(plain.get_content()).strip() if plain else "",
                    str(html.get_content()).strip() if html else None,
                )
            )
        return "250 OK"


@contextmanager
def smtp_server() -> Iterator[Smtp]:
    """A server on a free port of 127.0.0.1."""
    mails: list[Mail] = []
    port = free_port()
    controller = Controller(_Inbox(mails), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        environ = {
            "GRANDSTAND_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "GRANDSTAND_MAIL_FROM": "suite@grandstand.example",
        }
        yield Smtp(environ, mails)
    finally:
        controller.stop()
