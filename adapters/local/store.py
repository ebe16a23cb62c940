"""What the local stores share: SQLite files that many processes use at once, and their errors.

Each file is in WAL mode, so readers never wait for the writer. With `synchronous=FULL` a commit is on the disk when
it returns. Writes of several threads share one commit: whoever gets the turn takes along all that wait.
"""

import os
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast
from uuid import uuid4

from shared.errors import CorruptData, GrandstandError, Misconfigured, Throttled, Unavailable

T = TypeVar("T")
BUSY_SECONDS: Final = 15.0
WAL_LIMIT_BYTES: Final = 64 * 1024 * 1024
FORMAT: Final = 1
"""Stored as `user_version`; a file of a later release is refused rather than misread."""

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_REFUSED: Final = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def damaged(path: Path, what: str) -> CorruptData:
    """The error for a file whose bytes cannot be read any more."""
    return CorruptData(
        f"{path} is damaged: {what}. Nothing was changed. Stop Grandstand and restore the file together with its "
        f"-wal and -shm neighbours from a backup, or move these files away to start that store empty."
    )


def translate(path: Path, error: sqlite3.Error) -> Exception:
    """The house's error for SQLite's (https://www.sqlite.org/rescode.html); a mistake of ours stays what it is."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return error
    primary = code & 0xFF
    if primary in _DAMAGED or code == sqlite3.SQLITE_IOERR_SHORT_READ:
        return damaged(path, str(error))
    if primary == sqlite3.SQLITE_FULL:
        return Unavailable(f"The disk is full: {path} cannot grow. Free some space there; what was accepted is kept.")
    if primary in _BUSY:
        return Throttled(f"{path} has been locked for {BUSY_SECONDS:.0f} s by another process; try again.")
    if primary in _REFUSED:
        return Misconfigured(f"{path} cannot be written: {error}. Check the owner and mode of file and folder.")
    return Unavailable(f"{path}: {error}. Check the disk's space and health, and that the folder is there.")


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    _fsync(folder)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Job(Generic[T]):
    """One caller's part of a commit."""

    __slots__ = ("error", "finished", "result", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self.work = work
        self.result: T | None = None
        self.error: Exception | None = None
        self.finished = False

    def run(self, connection: sqlite3.Connection) -> None:
        """Do the work; what it raises of its own, before it writes, is its caller's alone."""
        self.error = None
        try:
            self.result = self.work(connection)
        except (GrandstandError, ValueError) as error:
            self.error = error

    def fail(self, error: Exception) -> None:
        self.error = error
        self.finished = True

    def outcome(self) -> T:
        if self.error is not None:
            raise self.error
        return cast(T, self.result)


class Database:
    """One SQLite file. Made on first use, whole or not at all; safe for threads and processes, not across a fork."""

    def __init__(
        self, path: Path, schema: Sequence[str], *, synchronous: str = "FULL", page_size: int = 4096
    ) -> None:
        self.path = path
        self._schema = schema
        self._synchronous = synchronous
        self._page_size = page_size
        self._turn = threading.Lock()
        self._waiting: deque[_Job[Any]] = deque()
        self._writer: sqlite3.Connection | None = None
        self._unsynced = False
        self._readers: deque[sqlite3.Connection] = deque()
        self._open_now: set[sqlite3.Connection] = set()
        weakref.finalize(self, _close_all, self._open_now)

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on one consistent view of what is committed."""
        try:
            connection = self._readers.pop()
        except IndexError:
            connection = self._open()
        try:
            connection.execute("BEGIN")
            result = work(connection)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._drop(connection)
            raise translate(self.path, error) from error
        except BaseException:
            self._drop(connection)
            raise
        self._readers.append(connection)
        return result

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a write transaction; durable when this returns, undone when it raises.

        `work` may be run again, and shares its commit with others': it raises errors of its own before it writes.
        """
        job = _Job(work)
        self._waiting.append(job)
        with self._turn:
            if not job.finished:
                jobs = [self._waiting.popleft() for _ in range(len(self._waiting))]
                try:
                    self._commit(jobs)
                finally:
                    for other in jobs:
                        if not other.finished:
                            other.fail(Unavailable(f"The write to {self.path} was interrupted; try again."))
        return job.outcome()

    def sync(self) -> None:
        """Make every commit so far durable, where `synchronous=NORMAL` has left that open."""
        if self._unsynced:
            self._unsynced = False
            # the log is where commits are until a checkpoint, which syncs them itself, moves them into the file
            with self._translated(), suppress(FileNotFoundError):
                _fsync(self.path.with_name(f"{self.path.name}-wal"))

    def close(self) -> None:
        """Close every connection; the next use opens anew."""
        with self._turn:
            self._writer = None
            self._readers.clear()
            _close_all(self._open_now)

    def _commit(self, jobs: Sequence[_Job[Any]]) -> None:
        try:
            if self._writer is None:
                self._writer = self._open()
            self._writer.execute("BEGIN IMMEDIATE")
            for job in jobs:
                job.run(self._writer)
            self._writer.execute("COMMIT")
        except (sqlite3.Error, GrandstandError) as error:
            self._drop_writer()
            if len(jobs) > 1:  # one caller's trouble, or a commit too large for the disk, is not everyone's
                for job in jobs:
                    self._commit([job])
            else:
                jobs[0].fail(translate(self.path, error) if isinstance(error, sqlite3.Error) else error)
        except BaseException:
            self._drop_writer()
            raise
        else:
            self._unsynced = True
            for job in jobs:
                job.finished = True

    def _drop_writer(self) -> None:
        """Close the writing connection, which rolls back what it had begun."""
        if self._writer is not None:
            self._drop(self._writer)
            self._writer = None

    def _drop(self, connection: sqlite3.Connection) -> None:
        self._open_now.discard(connection)
        with suppress(sqlite3.Error):
            connection.close()

    def _open(self) -> sqlite3.Connection:
        """A connection to a file that is known to be ours and whole."""
        with self._translated():
            if not self.path.exists():
                self._create()
            if self.path.stat().st_size == 0:
                raise damaged(self.path, "it is empty, which it never is when we made it")
            connection = self._connect(self.path)
            try:
                (found,) = connection.execute("PRAGMA user_version").fetchone()
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                if found != FORMAT:
                    raise Misconfigured(
                        f"{self.path} has format {found}; this release reads {FORMAT}. "
                        f"Use the release that wrote it, or another data folder."
                    )
            except BaseException:
                connection.close()
                raise
        self._open_now.add(connection)
        return connection

    def _connect(self, path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            connection.execute(f"PRAGMA journal_size_limit={WAL_LIMIT_BYTES}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _create(self) -> None:
        """Make the file beside, then give it its name: it is never seen empty or half made."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f".{self.path.name}.{uuid4().hex}.new")
        connection = self._connect(beside)
        try:
            connection.execute(f"PRAGMA page_size={self._page_size}")
            connection.execute("PRAGMA journal_mode=WAL")
            for statement in self._schema:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={FORMAT}")
        finally:
            connection.close()
        try:
            with suppress(FileExistsError):  # another process was quicker; its file holds
                os.link(beside, self.path)
            fsync_folder(self.path.parent)
        finally:
            beside.unlink()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise translate(self.path, error) from error
        except OSError as error:
            raise Unavailable(
                f"{self.path}: {error.strerror}. Check that its folder exists and is writable."
            ) from error


def _close_all(connections: set[sqlite3.Connection]) -> None:
    while connections:
        with suppress(sqlite3.Error):
            connections.pop().close()
