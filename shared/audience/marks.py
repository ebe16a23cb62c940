"""Which records a state holds: the memory that makes every record count exactly once.

A state keeps its newest marks itself. When they are many, those that a stored state already holds move to a page of
their own, written before the state that refers to it: a page never says more than what was durable before. Whoever
moves the marks of one stored state writes the same page, so a crash or a conflict in between does no harm.
"""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from shared.errors import CorruptData

RECEPTION_BYTES: Final = 4
"""So many bytes of a reception tell two of them apart under one record_id."""
MAX_RECEPTIONS: Final = 64
"""Of one record; of further ones the newest are known."""
PAGE_RECEPTIONS: Final = 512
"""From here on a state's marks move to a page before the next merge."""

Entries = dict[bytes, tuple[int, bytes]]
"""By record_id the minute it was first appended, then the receptions known of it, the one that was merged first."""

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Entries)


@dataclass(slots=True)
class Marks:
    """`pages` holds by number the newest minute of each page that may still matter; `turned` what they say."""

    entries: Entries = field(default_factory=dict)
    pages: dict[int, int] = field(default_factory=dict)
    next_page: int = 0
    turned: dict[int, Entries] = field(default_factory=dict)

    def __contains__(self, record_id: bytes) -> bool:
        return self.find(record_id) is not None

    def find(self, record_id: bytes) -> tuple[int, bytes] | None:
        """The record's mark: its minute and its receptions, joined."""
        known = self.entries.get(record_id)
        if known is None:
            return next((page[record_id] for page in self.turned.values() if record_id in page), None)
        return known

    def add(self, record_id: bytes, reception: bytes, minute: int) -> None:
        """Remember a record, or one more reception of it."""
        told = reception[:RECEPTION_BYTES]
        known = self.find(record_id)
        if known is not None:
            minute, before = known
            if len(before) >= MAX_RECEPTIONS * RECEPTION_BYTES:
                before = before[:RECEPTION_BYTES] + before[2 * RECEPTION_BYTES :]
            told = before + told
        self.entries[record_id] = (minute, told)

    def merged(self, record_id: bytes, reception: bytes) -> bool:
        """Whether it is this reception of the record whose events were merged."""
        known = self.find(record_id)
        return known is not None and known[1].startswith(reception[:RECEPTION_BYTES])

    def knows(self, record_id: bytes, reception: bytes) -> bool:
        """Whether this reception of the record has had its effect."""
        known = self.find(record_id)
        if known is None:
            return False
        told = known[1]
        return reception[:RECEPTION_BYTES] in {
            told[at : at + RECEPTION_BYTES] for at in range(0, len(told), RECEPTION_BYTES)
        }

    def prune(self, before_minute: int) -> None:
        """Forget records that can no longer be delivered."""
        oldest = next(iter(self.entries.values()), None)
        if oldest is not None and oldest[0] < before_minute:
            self.entries = {key: mark for key, mark in self.entries.items() if mark[0] >= before_minute}
        for number in [number for number, newest in self.pages.items() if newest < before_minute]:
            del self.pages[number]
            self.turned.pop(number, None)

    @property
    def full(self) -> bool:
        """Whether it is time to turn the page."""
        return len(self.entries) >= PAGE_RECEPTIONS or (
            sum(len(told) for _, told in self.entries.values()) >= PAGE_RECEPTIONS * RECEPTION_BYTES
        )

    def turn(self) -> tuple[int, bytes]:
        """Move the entries to a page; its number and bytes, to be stored before the state is."""
        number, self.next_page = self.next_page, self.next_page + 1
        self.pages[number] = max(minute for minute, _ in self.entries.values())
        self.turned[number], self.entries = self.entries, {}
        return number, _encode(self.turned[number])


def read_page(value: bytes) -> Entries:
    """What a page says. Raises CorruptData."""
    try:
        return _decoder.decode(value)
    except msgspec.MsgspecError as error:
        raise CorruptData(f"a page of marks cannot be read: {error}") from None
