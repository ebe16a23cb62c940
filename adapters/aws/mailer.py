"""E-mail by SES: one call a mail, since each recipient has an answer of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from adapters.aws.errors import about
from adapters.common.mails import refusal
from shared.errors import GrandstandError
from shared.ports import Mail

if TYPE_CHECKING:
    from types_boto3_sesv2 import SESV2Client

OWN_FAULT = frozenset({"BadRequestException", "MessageRejected"})
"""Answers that speak of this mail alone."""


class AwsMailer:
    """`shared.ports.Mailer`. What was sent when SES stops answering stays sent: the rest is told why it was not."""

    def __init__(self, client: Callable[[], SESV2Client], sender: str) -> None:
        self._client = client
        self._sender = sender

    def send(self, mails: Sequence[Mail]) -> Sequence[str | None]:
        results: list[str | None] = []
        for mail in mails:
            try:
                results.append(refusal(mail) or self._send(mail))
            except GrandstandError as error:
                if not any(result is None for result in results):
                    raise
                return [*results, *[str(error)] * (len(mails) - len(results))]
        return results

    def _send(self, mail: Mail) -> str | None:
        from botocore.exceptions import ClientError

        with about(f"SES, sender {self._sender},"):
            try:
                self._client().send_email(
                    FromEmailAddress=self._sender,
                    Destination={"ToAddresses": [mail.to]},
                    Content={"Simple": _content(mail)},
                )
            except ClientError as error:
                said = error.response.get("Error", {})
                if said.get("Code") not in OWN_FAULT:
                    raise
                return f"{said.get('Code')}: {said.get('Message', '')}"
        return None


def _content(mail: Mail) -> Any:
    body = {"Text": _text(mail.text)}
    if mail.html is not None:
        body["Html"] = _text(mail.html)
    return {"Subject": _text(mail.subject), "Body": body}


def _text(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
