"""E-mail by Azure Communication Services: one call a mail, since each recipient has an answer of its own.

"Accepted" is what the port asks for. What becomes of a mail later (a bounce, a suppressed address) Communication
Services tell by Event Grid; asking for it mail by mail would use up the rate at which mails may be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from adapters.azure.errors import Resource, asked, code_of
from adapters.common.mails import refusal
from shared.errors import Unavailable
from shared.ports import Mail

if TYPE_CHECKING:
    from azure.communication.email import EmailClient

ROLE: Final = "Communication and Email Service Owner"
OWN_FAULT: Final = frozenset(
    {"BadRequest", "EmailDroppedAllRecipientsSuppressed", "InvalidParameter", "ValidationError"}
)
"""Answers that speak of this mail alone."""


class AzureMailer:
    """`shared.ports.Mailer`. What was sent when the service stops answering stays sent; the rest is told why not."""

    def __init__(self, client: Callable[[], EmailClient], sender: str) -> None:
        self._client = client
        self._sender = sender
        self._resource = Resource(
            f"Communication Services, sender {sender},", "connect the sender's domain to the resource", ROLE
        )

    def send(self, mails: Sequence[Mail]) -> Sequence[str | None]:
        results: list[str | None] = []
        for mail in mails:
            try:
                results.append(refusal(mail) or self._send(mail))
            except Unavailable as error:
                if None not in results:
                    raise
                return [*results, *[error.detail] * (len(mails) - len(results))]
        return results

    def _send(self, mail: Mail) -> str | None:
        # the same id again is the same mail: one whose answer was lost is not sent twice
        return asked(self._resource, partial(self._once, _message(self._sender, mail), str(uuid4())))

    def _once(self, message: dict[str, Any], operation_id: str) -> str | None:
        from azure.core.exceptions import HttpResponseError

        try:
            self._client().begin_send(message, operation_id=operation_id, polling=False)
        except HttpResponseError as error:
            if error.status_code != 400 and code_of(error) not in OWN_FAULT:
                raise
            return str(error.message).splitlines()[0]
        return None


def _message(sender: str, mail: Mail) -> dict[str, Any]:
    content = {"subject": mail.subject, "plainText": mail.text}
    if mail.html is not None:
        content["html"] = mail.html
    return {"senderAddress": sender, "recipients": {"to": [{"address": mail.to}]}, "content": content}
