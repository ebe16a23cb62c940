"""The catalogue: what a content is called, and when it begins and ends.

Table `contents`: partition `entry#{content}` holds a content's entry; `day#{day}` names the contents that begin or
end on that day (UTC), so that what is near in time is found without looking at all that ever was.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from shared.audience.keys import CONTENTS_TABLE
from shared.errors import CorruptData
from shared.keys import content_key
from shared.ports import MAX_BATCH_GET, Item, Key, Ports, query_all
from shared.units import DAY_MS

SORT: Final = "entry"
DAY_KEPT_MS: Final = 3 * DAY_MS
"""How long after a day is over it is still asked which contents began or ended on it."""


class Entry(msgspec.Struct, frozen=True):
    """What an operator says of a content; times in ms since epoch, None where it is not said."""

    content_id: str
    title: str
    starts_at: int | None = None
    ends_at: int | None = None


class Stored(NamedTuple):
    """An entry and its version, which is never used twice."""

    entry: Entry
    version: str


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Entry)


class Catalogue:
    """Entries by content id."""

    def __init__(self, ports: Ports) -> None:
        self._clock = ports.clock
        self._contents = ports.table(CONTENTS_TABLE)

    def get(self, content_id: str) -> Stored | None:
        """The entry; None where there is none."""
        item = self._contents.get(*_entry_key(content_id))
        return Stored(_read(item), item.version) if item else None

    def put(self, entry: Entry, *, if_version: str | None = None) -> str:
        """Write an entry and return its version. Raises VersionConflict as `Table.put` does.

        Nothing is atomic over two items, so:
        1. Name the content on the days it begins and ends.
        2. Write the entry.
        A crash in between, a conflict in 2 and a change of day leave a content named on a day that its entry does not
        speak of. Readers believe the entry, the row expires with its day, and a second PUT begins with 1 again.
        """
        for day in {moment // DAY_MS for moment in (entry.starts_at, entry.ends_at) if moment is not None}:
            expires_at = (day + 1) * DAY_MS + DAY_KEPT_MS
            if expires_at > self._clock.now_ms():
                sort = content_key(entry.content_id)
                self._contents.put(_day_partition(day), sort, entry.content_id.encode(), expires_at=expires_at)
        return self._contents.put(*_entry_key(entry.content_id), _encode(entry), if_version=if_version)

    def delete(self, content_id: str, *, if_version: str | None = None) -> None:
        """Remove the entry, if there is one; its rows in the days expire. Raises VersionConflict."""
        self._contents.delete(*_entry_key(content_id), if_version=if_version)

    def entries(self, content_ids: Iterable[str]) -> dict[str, Entry]:
        """The entries there are of some contents."""
        keys = {_entry_key(content_id): content_id for content_id in content_ids}
        wanted = list(keys)
        found: dict[str, Entry] = {}
        for at in range(0, len(wanted), MAX_BATCH_GET):
            items = self._contents.batch_get(wanted[at : at + MAX_BATCH_GET])
            found.update({keys[key]: _read(item) for key, item in items.items()})
        return found

    def titles(self, content_ids: Iterable[str]) -> Mapping[str, str]:
        """What some contents are called, those that are called anything."""
        return {content_id: entry.title for content_id, entry in self.entries(content_ids).items()}

    def between(self, since: int, until: int) -> dict[str, Entry]:
        """Every entry that begins or ends in [since, until), which reaches no further back than DAY_KEPT_MS."""
        named = {content_id for day in _days(since, until) for content_id in self._named_on(day)}
        entries = self.entries(named)
        return {name: entry for name, entry in entries.items() if _touches(entry, since, until)}

    def _named_on(self, day: int) -> Iterator[str]:
        return (item.value.decode() for item in query_all(self._contents, _day_partition(day)))


def _entry_key(content_id: str) -> Key:
    return f"entry#{content_key(content_id)}", SORT


def _day_partition(day: int) -> str:
    return f"day#{day}"


def _days(since: int, until: int) -> range:
    return range(since // DAY_MS, -(-until // DAY_MS))


def _touches(entry: Entry, since: int, until: int) -> bool:
    return any(moment is not None and since <= moment < until for moment in (entry.starts_at, entry.ends_at))


def _read(item: Item) -> Entry:
    try:
        return _decoder.decode(item.value)
    except msgspec.MsgspecError as error:
        raise CorruptData(f"an entry of the catalogue in table {CONTENTS_TABLE!r} cannot be read: {error}") from None
