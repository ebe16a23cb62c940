"""What a batch's answers mean: one rule for every provider (design, section 4).

Done settles a record; Reject does once it is in the dead letters. Anything else does not: Retry, a missing answer,
an exception. What becomes of the records that are not settled is each provider's own.
"""

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol

from shared.stream import Answer, BatchHandler, Deadline, Done, Record, Reject

log = logging.getLogger("grandstand.triggers")

UNANSWERED: Final = "it was not answered"
READABLE: Final[Mapping[int, str]] = MappingProxyType({})


class DeadLetterOffice(Protocol):
    def put(self, record: Record, reason: str, function: str) -> None: ...


class Settler:
    """One function's deliveries. `reason` is why the last record that was not settled was not."""

    def __init__(self, name: str, handler: BatchHandler, dead_letters: DeadLetterOffice) -> None:
        self.name = name
        self.reason = "its process ended"
        self._handler = handler
        self._dead_letters = dead_letters

    def settle(
        self, records: Sequence[Record], deadline: Deadline, *, stop: bool, unreadable: Mapping[int, str] = READABLE
    ) -> list[Record]:
        """Hand records over; those that must come again. With `stop`, all that follow the first of them do too.

        `unreadable` says of which records, by index, the handler cannot make anything, and why: they are rejected.
        """
        return self.acknowledge(records, self.hand_over(records, deadline, unreadable), stop=stop)

    def hand_over(
        self, records: Sequence[Record], deadline: Deadline, unreadable: Mapping[int, str] = READABLE
    ) -> Sequence[Answer | None]:
        """One answer a record, None where there was none."""
        readable = [record for index, record in enumerate(records) if index not in unreadable]
        answers = iter(self._answers(readable, deadline) if readable else ())
        return [Reject(unreadable[index]) if index in unreadable else next(answers) for index in range(len(records))]

    def acknowledge(self, records: Sequence[Record], answers: Sequence[Answer | None], *, stop: bool) -> list[Record]:
        """The records that are not settled by their answers."""
        unsettled: list[Record] = []
        for record, answer in zip(records, answers, strict=True):
            if (stop and unsettled) or not self._settles(record, answer):
                unsettled.append(record)
        return unsettled

    def bury(self, record: Record, reason: str) -> bool:
        """Whether the record is now safe among the dead letters."""
        try:
            self._dead_letters.put(record, reason, self.name)
        except Exception as error:
            self.reason = f"{reason}; dead letters: {error}"
            log.exception("%s: record %s cannot reach the dead letters", self.name, record.record_id.hex())
            return False
        log.error("%s: record %s went to the dead letters: %s", self.name, record.record_id.hex(), reason)
        return True

    def _answers(self, records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
        try:
            answers: list[Answer | None] = list(self._handler(records, deadline) or ())
        except Exception as error:
            self.reason = f"{type(error).__name__}: {error}"
            log.exception("%s failed on a batch of %d records", self.name, len(records))
            return [None] * len(records)
        if len(answers) > len(records):
            log.error("%s gave %d answers for %d records; none counts", self.name, len(answers), len(records))
            answers = []
        answers += [None] * (len(records) - len(answers))
        if None in answers:
            self.reason = UNANSWERED
        return answers

    def _settles(self, record: Record, answer: Answer | None) -> bool:
        if isinstance(answer, Done):
            return True
        if isinstance(answer, Reject):
            return self.bury(record, answer.reason)
        if answer is not None:
            self.reason = answer.reason
            log.warning("%s asks for record %s again: %s", self.name, record.record_id.hex(), answer.reason)
        return False
