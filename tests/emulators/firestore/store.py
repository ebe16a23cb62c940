"""Documents in memory, by collection, in order of their ids' UTF-8 bytes."""

import re
import threading
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tests.emulators.firestore.rules import check_size, split
from tests.emulators.google_rpc import Code, Instants, Refused

DATABASE: Final = re.compile(r"projects/[^/]+/databases/[^/]+")


class Collection:
    """Documents of one collection; `ids` are sorted."""

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self.documents: dict[bytes, Any] = {}

    def put(self, id_: bytes, document: Any) -> None:
        if id_ not in self.documents:
            insort(self.ids, id_)
        self.documents[id_] = document

    def remove(self, id_: bytes) -> None:
        if self.documents.pop(id_, None) is not None:
            del self.ids[bisect_left(self.ids, id_)]


class Documents:
    """Every database of every project; `missing` names projects that have none."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self._collections: dict[str, Collection] = {}
        self._instants = Instants()
        self._lock = threading.RLock()

    def commit(self, database: str, writes: Sequence[Any]) -> tuple[list[int | None], int]:
        """All of the writes or none; each one's update time (None: a delete), and the commit's, in microseconds."""
        self.check(database)
        with self._lock:
            for write in writes:
                self._check_write(database, write)
            now = self._instants.next()
            return [self._apply(database, write, now) for write in writes], now

    def read(self, database: str, names: Sequence[str]) -> tuple[list[tuple[str, Any | None]], int]:
        """Each name with its document, or None, all as of one time."""
        self.check(database)
        with self._lock:
            return [(name, self._find(database, name)) for name in dict.fromkeys(names)], self._instants.next()

    def range(self, database: str, path: str) -> tuple[list[tuple[bytes, Any]], int]:
        """The documents of a collection with their ids, in order."""
        self.check(database)
        with self._lock:
            held = self._collections.get(f"{database}/documents/{path}")
            found = [(id_, held.documents[id_]) for id_ in held.ids] if held else []
            return found, self._instants.next()

    def delete_where(self, database: str, field: str, before_ms: int) -> int:
        """What a TTL policy on a timestamp field does, when it gets to it; how many documents it deleted."""
        with self._lock:
            due = [
                (held, id_)
                for held in self._within(database)
                for id_, document in held.documents.items()
                if field in document.fields and _ms(document.fields[field].timestamp_value) <= before_ms
            ]
            for held, id_ in due:
                held.remove(id_)
            return len(due)

    def check(self, database: str) -> None:
        """Raises Refused where there is no such database."""
        if not DATABASE.fullmatch(database):
            raise Refused(Code.INVALID_ARGUMENT, f'Invalid database name "{database}".')
        _, project, _, name = database.split("/")
        if project in self.missing:
            raise Refused(
                Code.NOT_FOUND,
                f"The database {name} does not exist for project {project}. Please visit "
                "https://console.cloud.google.com/datastore/setup to add a Cloud Firestore database",
            )

    def _within(self, database: str) -> Iterator[Collection]:
        yield from (held for path, held in self._collections.items() if path.startswith(f"{database}/"))

    def _find(self, database: str, name: str) -> Any | None:
        path, id_ = split(name, database)
        held = self._collections.get(f"{database}/documents/{path}")
        return held.documents.get(id_.encode()) if held else None

    def _check_write(self, database: str, write: Any) -> None:
        kind = write.WhichOneof("operation")
        if kind not in ("update", "delete") or write.HasField("update_mask") or write.update_transforms:
            raise Refused(Code.UNIMPLEMENTED, "the stand-in knows whole updates and deletes only")
        name = write.delete if kind == "delete" else write.update.name
        found = self._find(database, name)
        if kind == "update":
            check_size(write.update, database)
        if write.HasField("current_document"):
            _check_precondition(write.current_document, name, found)

    def _apply(self, database: str, write: Any, now: int) -> int | None:
        deletes = write.WhichOneof("operation") == "delete"
        path, id_ = split(write.delete if deletes else write.update.name, database)
        held = self._collections.setdefault(f"{database}/documents/{path}", Collection())
        if deletes:
            held.remove(id_.encode())
            return None
        old = held.documents.get(id_.encode())
        if old is not None and _same(old, write.update):
            return _micros(old.update_time)
        new = type(write.update)()
        new.CopyFrom(write.update)
        new.update_time.FromMicroseconds(now)
        new.create_time.FromMicroseconds(_micros(old.create_time) if old is not None else now)
        held.put(id_.encode(), new)
        return now


def _check_precondition(precondition: Any, name: str, found: Any | None) -> None:
    if precondition.WhichOneof("condition_type") == "exists":
        if precondition.exists and found is None:
            raise Refused(Code.NOT_FOUND, f"No document to update: {name}")
        if not precondition.exists and found is not None:
            raise Refused(Code.ALREADY_EXISTS, f"Document already exists: {name}")
        return
    wanted = precondition.update_time
    if wanted.nanos % 1_000:
        raise Refused(Code.INVALID_ARGUMENT, "the required base version is not aligned to a microsecond")
    there = _micros(found.update_time) if found is not None else 0
    if there != _micros(wanted):
        raise Refused(
            Code.FAILED_PRECONDITION,
            f"the stored version ({there}) does not match the required base version ({_micros(wanted)})",
        )


def _same(old: Any, new: Any) -> bool:
    return old.fields.keys() == new.fields.keys() and all(old.fields[name] == new.fields[name] for name in old.fields)


def _micros(timestamp: Any) -> int:
    return int(timestamp.seconds * 1_000_000 + timestamp.nanos // 1_000)


def _ms(timestamp: Any) -> int:
    return _micros(timestamp) // 1_000
