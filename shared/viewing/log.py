"""The per-viewer facts as a log: fresh blocks by bucket, merged into runs by bucket and hour.

`fresh/BUCKET/BATCH` is what one batch of the stream said of a bucket's viewers. A merge moves it into runs,
`runs/BUCKET/HOUR/UUID`, which item (BUCKET, HOUR) of table `viewer-log` lists. Readers count each record once
(facts.py), so a block that is in the log twice does no harm; what a merge must never do is lose one:

1. Read the fresh blocks of a bucket.
2. For each hour in them, read the item, write the hour's reports as a new run, and put the item with that run added,
   if its version is unchanged; else read it again and write another run.
3. Delete the fresh blocks. A reader takes fresh blocks before it reads the items, so it meets each in one of both.

When an hour has many runs, or is over, they become one:

4. Read the item, then list the hour's runs; write all reports of the runs that the item lists as one new run.
5. Put the item with that run alone, if its version is unchanged. A merge that had written a run before step 4 and not
   put its item yet fails there now, and writes another.
6. Delete the runs of step 4.
"""

from collections.abc import Iterable, Iterator
from typing import Final
from uuid import uuid4

import msgspec
import numpy as np

from shared.errors import CorruptData, Unavailable, VersionConflict
from shared.ports import ABSENT, Item, ObjectStore, Table, query_all
from shared.units import HOUR_MS
from shared.viewing.buckets import BUCKETS, bucket_of
from shared.viewing.facts import VIEWER, Facts, buckets_of, concatenated, decode, encode, joined

MAX_RUNS: Final = 8
MAX_FRESH: Final = 256
MAX_TRIES: Final = 20


class ViewerLog:
    """The log in an object store and a table. Raises Unavailable and CorruptData."""

    def __init__(self, objects: ObjectStore, table: Table) -> None:
        self._objects = objects
        self._table = table

    def add(self, batch: str, facts: Facts) -> None:
        """Keep a batch's reports; the same `batch` overwrites what it wrote before."""
        buckets = buckets_of(facts)
        for bucket in np.unique(buckets).tolist():
            self._objects.put(f"{_fresh(bucket)}{batch}", encode(facts.where(buckets == bucket)))

    def read(self, pseudonyms: Iterable[bytes], from_ms: int, to_ms: int) -> Facts:
        """A viewer's reports with from_ms <= timestamp < to_ms, under all of its pseudonyms; each record once."""
        found = (list(self._reports(pseudonym, from_ms, to_ms)) for pseudonym in pseudonyms)
        return concatenated([joined(parts) for parts in found])

    def merge(self, bucket: int, now_ms: int) -> int:
        """Move a bucket's fresh blocks into runs; how many blocks."""
        names = [name for name, _ in zip(self._objects.list(_fresh(bucket)), range(MAX_FRESH), strict=False)]
        blocks = [decode(name, data) for name in names if (data := self._objects.get(name)) is not None]
        facts = joined(blocks)
        hours = facts.at // HOUR_MS
        for hour in np.unique(hours).tolist():
            self._append(bucket, hour, facts.where(hours == hour), now_ms)
        for name in names:
            self._objects.delete(name)
        self._settle(bucket, now_ms // HOUR_MS - 1)
        return len(names)

    def forget(self, bucket: int, before_hour: int) -> None:
        """Delete the hours before `before_hour`."""
        for item in list(query_all(self._table, _bucket(bucket), end=_hour(before_hour))):
            self._table.delete(item.partition, item.sort)
            for name in list(self._objects.list(_runs(bucket, int(item.sort)))):
                self._objects.delete(name)

    def _reports(self, pseudonym: bytes, from_ms: int, to_ms: int) -> Iterator[Facts]:
        bucket = bucket_of(pseudonym)
        viewer = np.frombuffer(pseudonym, VIEWER)[0]
        for block in self._blocks(bucket, from_ms // HOUR_MS, -(-to_ms // HOUR_MS)):
            yield block.where((block.viewer == viewer) & (block.at >= from_ms) & (block.at < to_ms))

    def _blocks(self, bucket: int, from_hour: int, to_hour: int) -> list[Facts]:
        """Fresh blocks, then runs. A run that vanished was replaced, so the items are read again."""
        fresh = list(self._objects.list(_fresh(bucket)))
        blocks = [decode(name, data) for name in fresh if (data := self._objects.get(name)) is not None]
        for _ in range(MAX_TRIES):
            items = query_all(self._table, _bucket(bucket), start=_hour(from_hour), end=_hour(to_hour))
            names = [name for item in items for name in _listed(item)]
            runs = [decode(name, data) for name in names if (data := self._objects.get(name)) is not None]
            if len(runs) == len(names):
                return [*blocks, *runs]
        raise Unavailable("the watch time of these viewers is being merged; try again")

    def _append(self, bucket: int, hour: int, facts: Facts, now_ms: int) -> None:
        for _ in range(MAX_TRIES):
            item = self._table.get(_bucket(bucket), _hour(hour))
            name = f"{_runs(bucket, hour)}{uuid4().hex}"
            self._objects.put(name, encode(facts))
            try:
                self._put(bucket, hour, [*_listed(item), name], item)
            except VersionConflict:
                continue
            if item and (len(_listed(item)) >= MAX_RUNS or hour < now_ms // HOUR_MS):
                self._settle(bucket, hour)
            return
        raise Unavailable("too many writers merge these viewers' watch time at once; try again")

    def _settle(self, bucket: int, hour: int) -> None:
        """Steps 4 to 6: the hour's runs into one, unless another merge is at it."""
        item = self._table.get(_bucket(bucket), _hour(hour))
        names = _listed(item)
        if len(names) < 2:
            return
        present = list(self._objects.list(_runs(bucket, hour)))
        runs = [decode(name, data) for name in names if (data := self._objects.get(name)) is not None]
        if len(runs) < len(names):
            return
        merged = f"{_runs(bucket, hour)}{uuid4().hex}"
        self._objects.put(merged, encode(joined(runs)))
        try:
            self._put(bucket, hour, [merged], item)
        except VersionConflict:
            return
        for name in present:
            self._objects.delete(name)

    def _put(self, bucket: int, hour: int, names: list[str], item: Item | None) -> None:
        value = msgspec.json.encode(names)
        self._table.put(_bucket(bucket), _hour(hour), value, if_version=item.version if item else ABSENT)


def all_buckets() -> range:
    """Every bucket there is."""
    return range(BUCKETS)


def _listed(item: Item | None) -> list[str]:
    if item is None:
        return []
    try:
        return msgspec.json.decode(item.value, type=list[str])
    except msgspec.MsgspecError as error:
        raise CorruptData(f"viewer-log {item.partition}/{item.sort} cannot be read: {error}") from None


def _fresh(bucket: int) -> str:
    return f"fresh/{bucket:02d}/"


def _runs(bucket: int, hour: int) -> str:
    return f"runs/{bucket:02d}/{hour:07d}/"


def _bucket(bucket: int) -> str:
    return f"runs#{bucket:02d}"


def _hour(hour: int) -> str:
    return f"{hour:07d}"
