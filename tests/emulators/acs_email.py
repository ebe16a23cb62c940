"""A stand-in for the e-mails of Azure Communication Services: `begin_send`, and the polling that may follow."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from shared.ports import Mail
from tests.emulators.rest import Answer, Request, Server, error

SEND: Final = "/emails:send"
OPERATIONS: Final = "/emails/operations/"


class AcsEmail:
    """A resource; `url` is what GRANDSTAND_MAIL_ENDPOINT is set to. `mails` are those it took, in order."""

    def __init__(self) -> None:
        self._taken: dict[str, Mail] = {}
        self._senders: dict[str, str] = {}
        self._suppressed: set[str] = set()
        self._left: int | None = None
        self._unanswered = 0
        self._server = Server(self._answer)
        self.url = self._server.url

    @property
    def mails(self) -> list[Mail]:
        return list(self._taken.values())

    def sent_by(self, sender: str) -> list[Mail]:
        """What one sender's address sent."""
        return [mail for operation, mail in self._taken.items() if self._senders[operation] == sender]

    def suppress(self, address: str) -> None:
        """It takes no mail for this address."""
        self._suppressed.add(address)

    def fail_after(self, mails: int) -> None:
        """So many mails more are taken; whatever comes after them gets a 500."""
        self._left = mails

    def lose_answers(self, answers: int) -> None:
        """So many requests are heeded, but not answered."""
        self._unanswered = answers

    def running(self) -> AbstractContextManager[None]:
        return self._server.running()

    def fault(self, kind: str) -> AbstractContextManager[None]:
        return self._server.fault(kind)

    def _answer(self, request: Request) -> Answer | None:
        if not request.signed:
            return error(401, "Denied", "Denied by the resource provider.")
        operation = request.headers.get("operation-id", "")
        if request.method == "POST" and request.path == SEND:
            return self._answered(self._send(json.loads(request.body), operation))
        operation = request.path.removeprefix(OPERATIONS)
        if operation not in self._taken:
            return error(404, "NotFound", "There is no such operation.")
        return Answer(200, {"id": operation, "status": "Succeeded", "error": None})

    def _answered(self, answer: Answer) -> Answer | None:
        self._unanswered -= 1
        return None if self._unanswered >= 0 else answer

    def _send(self, message: Any, operation: str) -> Answer:
        content = message["content"]
        (recipient,) = message["recipients"]["to"]
        address = recipient["address"]
        if "@" not in address:
            return error(400, "BadRequest", f"Invalid format for email address {address}.")
        if address in self._suppressed:
            return error(400, "EmailDroppedAllRecipientsSuppressed", "Every recipient is on the suppression list.")
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                return error(500, "InternalServerError", "Something broke.")
        # one that comes again under the same id is the same mail
        self._taken.setdefault(
            operation, Mail(address, content["subject"], content["plainText"], content.get("html"))
        )
        self._senders[operation] = message["senderAddress"]
        host = self.url.removeprefix("http://")
        # the SDK sends its token to https alone, whatever the transport makes of it
        where = f"https://{host}{OPERATIONS}{operation}?api-version=2025-09-01"
        headers = {"Operation-Location": where, "Retry-After": "1"}
        return Answer(202, {"id": operation, "status": "Running", "error": None}, headers)


@contextmanager
def acs_email() -> Iterator[AcsEmail]:
    """A resource without mails until the block ends."""
    resource = AcsEmail()
    with resource.running():
        yield resource
