"""What a content added up to, minute by minute: small sums that `top` and completeness read instead of states.

Table `contents`, partition `hour#{hour}`, has one item a content with the totals of each of its rolled-up minutes.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from shared.audience.keys import CONTENTS_TABLE
from shared.audience.window import WindowState
from shared.errors import CorruptData
from shared.keys import content_key
from shared.ports import ABSENT, Table
from shared.units import HOUR_MS, MINUTE_MS

MINUTES_PER_HOUR: Final = HOUR_MS // MINUTE_MS


class Totals(msgspec.Struct, array_like=True):
    """Sums over some windows. `watched_ms` and `events` are weighted where sampled; the rest counts what was sent."""

    watched_ms: int = 0
    events: int = 0
    received: int = 0
    counted: int = 0
    duplicate: int = 0
    sampled_out: int = 0
    rejected: dict[str, int] = {}

    def add(self, other: "Totals") -> None:
        """Take in the sums of other windows."""
        self.watched_ms += other.watched_ms
        self.events += other.events
        self.received += other.received
        self.counted += other.counted
        self.duplicate += other.duplicate
        self.sampled_out += other.sampled_out
        for code, count in other.rejected.items():
            self.rejected[code] = self.rejected.get(code, 0) + count


class HourOfContent(msgspec.Struct, array_like=True):
    """A content's totals in an hour, by the minute's number since the epoch."""

    content_id: str
    minutes: dict[int, Totals]


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(HourOfContent)


def totals_of(states: Iterable[WindowState]) -> Totals:
    """The sums of some states."""
    totals = Totals(rejected={})
    for state in states:
        totals.add(
            Totals(
                watched_ms=state.sum("watched_ms").value,
                events=sum(count.value for count in state.events().values()),
                received=state.tally("received"),
                counted=state.tally("counted"),
                duplicate=state.tally("duplicate"),
                sampled_out=state.tally("sampled_out"),
                rejected=state.rejected,
            )
        )
    return totals


def hour_partition(hour: int) -> str:
    """The partition of table `contents` with an hour's totals by content."""
    return f"hour#{hour}"


def read_hour(value: bytes) -> HourOfContent:
    """An item of such a partition. Raises CorruptData."""
    try:
        return _decoder.decode(value)
    except msgspec.MsgspecError as error:
        raise CorruptData(f"the totals of an hour in table {CONTENTS_TABLE!r} cannot be read: {error}") from None


class HourEntry:
    """One content's item of one hour, read now and written later only if nobody else wrote it meanwhile."""

    def __init__(self, table: Table, content_id: str, minute: int) -> None:
        self._table = table
        # what named no content has totals too, and a key is never empty
        self._key = hour_partition(minute // MINUTES_PER_HOUR), f"{content_key(content_id)}#"
        item = table.get(*self._key)
        self._version = item.version if item else ABSENT
        self._hour = read_hour(item.value) if item else HourOfContent(content_id, {})
        self._minute = minute

    def put(self, totals: Totals, expires_at: int) -> None:
        """Write the minute's totals. Raises VersionConflict."""
        self._hour.minutes[self._minute] = totals
        self._table.put(*self._key, _encode(self._hour), if_version=self._version, expires_at=expires_at)
