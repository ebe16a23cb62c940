"""Which records a state holds: the memory that makes every record count exactly once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

RECEPTION_BYTES: Final = 4
"""So many bytes of a reception tell two of them apart under one record_id."""


@dataclass(slots=True)
class Marks:
    """By record_id the minute it was first appended, then the receptions known of it, the one that counted first."""

    entries: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)

    def __contains__(self, record_id: bytes) -> bool:
        return record_id in self.entries

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, record_id: bytes, reception: bytes, minute: int) -> None:
        """Remember a record, or one more reception of it."""
        known = self.entries.get(record_id)
        told = reception[:RECEPTION_BYTES]
        self.entries[record_id] = (minute, told) if known is None else (known[0], known[1] + told)

    def counted_reception(self, record_id: bytes) -> bytes | None:
        """The reception whose events were merged."""
        known = self.entries.get(record_id)
        return None if known is None else known[1][:RECEPTION_BYTES]

    def knows(self, record_id: bytes, reception: bytes) -> bool:
        """Whether this reception of the record has had its effect."""
        known = self.entries.get(record_id)
        return known is not None and reception[:RECEPTION_BYTES] in set(receptions(known[1]))

    def prune(self, before_minute: int) -> None:
        """Forget records that can no longer be delivered."""
        if any(minute < before_minute for minute, _ in self.entries.values()):
            self.entries = {key: mark for key, mark in self.entries.items() if mark[0] >= before_minute}


def receptions(told: bytes) -> Iterator[bytes]:
    """Each reception of a joined string of them."""
    return (told[at : at + RECEPTION_BYTES] for at in range(0, len(told), RECEPTION_BYTES))
