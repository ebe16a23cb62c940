"""Which records the history holds: sorted record ids, in objects that are never changed.

Kept per hour of the events' own time, since that is where a redelivery's rows would go: a commit looks only at the
hours it touches. The ledger is a set that grows by objects and is pruned by age, so that writing one twice, or
merging the same objects twice at once, does no harm: a merge writes the union of what it read and removes just that.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from shared.errors import CorruptData
from shared.ports import ObjectStore
from shared.stream import RECORD_ID_BYTES

MERGE_FROM: Final = 16
_ID: Final = pa.binary(RECORD_ID_BYTES)


class Ids:
    """Record ids in order, each once, as the bytes of an object."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data) // RECORD_ID_BYTES

    def __getitem__(self, place: int) -> bytes:
        return self.data[RECORD_ID_BYTES * place : RECORD_ID_BYTES * (place + 1)]

    def __contains__(self, record_id: bytes) -> bool:
        place = bisect_left(self, record_id)
        return place < len(self) and self[place] == record_id


def united(parts: Sequence[bytes]) -> Ids:
    """All of these ids, each part a number of them in a row."""
    data = b"".join(parts)
    ids: Any = pa.Array.from_buffers(_ID, len(data) // RECORD_ID_BYTES, [None, pa.py_buffer(data)])
    once = pc.unique(ids)
    return Ids(b"".join(pc.take(once, pc.array_sort_indices(once)).to_pylist()))


class Ledger:
    """The ledger in an object store. Objects are named hour/ms of the commit-digest."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._cache: dict[int, dict[str, Ids]] = {}

    def known(self, hour: int, record_ids: list[bytes]) -> set[bytes]:
        """Which of these records have rows of that hour in the history."""
        segments = self._segments(hour).values()
        return {record_id for record_id in record_ids if any(record_id in ids for ids in segments)}

    def add(self, hour: int, record_ids: list[bytes], now_ms: int) -> None:
        """Say that these records' rows of that hour are committed."""
        if record_ids:
            self._write(hour, now_ms, united(record_ids))

    def tidy(self, now_ms: int, keep_ms: int) -> None:
        """Merge the objects of hours that have many, and forget the hours whose last commit is `keep_ms` old."""
        for hour, names in self._by_hour():
            newest = max(_committed_at(name) for name in names)
            if newest < now_ms - keep_ms:
                for name in names:
                    self._objects.delete(name)
            elif len(names) >= MERGE_FROM:
                self._merge(hour, newest)

    def _merge(self, hour: int, newest: int) -> None:
        segments = self._segments(hour)
        merged = self._write(hour, newest, united([ids.data for ids in segments.values()]))
        for name in segments:
            if name != merged:
                self._objects.delete(name)

    def _write(self, hour: int, committed_at: int, ids: Ids) -> str:
        name = f"{_folder(hour)}{committed_at:013d}-{blake2b(ids.data, digest_size=8).hexdigest()}"
        self._objects.put(name, ids.data)
        return name

    def _segments(self, hour: int) -> dict[str, Ids]:
        """The objects of an hour. One that vanished was merged into another meanwhile, so look again."""
        while True:
            names = list(self._objects.list(_folder(hour)))
            before = self._cache.get(hour, {})
            segments = {name: before[name] if name in before else self._read(name) for name in names}
            here = {name: ids for name, ids in segments.items() if ids is not None}
            if len(here) == len(segments):
                self._cache = {**dict(list(self._cache.items())[-7:]), hour: here}
                return here

    def _read(self, name: str) -> Ids | None:
        data = self._objects.get(name)
        if data is None:
            return None
        digest = blake2b(data, digest_size=8).hexdigest()
        if not data or len(data) % RECORD_ID_BYTES or not name.endswith(digest):
            raise CorruptData(
                f"ledger object {name} is damaged: restore it from a backup; until then no commit is safe"
            )
        return Ids(data)

    def _by_hour(self) -> Iterator[tuple[int, list[str]]]:
        hours: dict[int, list[str]] = {}
        for name in self._objects.list():
            hours.setdefault(int(name.split("/")[0]), []).append(name)
        yield from hours.items()


def _folder(hour: int) -> str:
    return f"{hour:07d}/"


def _committed_at(name: str) -> int:
    return int(name.split("/")[1].split("-", maxsplit=1)[0])
