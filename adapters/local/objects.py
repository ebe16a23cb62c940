"""Objects as files in a folder.

An object `a/b` is the file `b` in the folder `a+`; the `+` keeps an object `a` apart from that folder. Every other
unusual character is percent-encoded, so no name can leave the folder, and long parts are cut into nested folders.
A put writes into `%tmp`, syncs, renames, and syncs the folder: it is seen whole or not at all.
"""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote
from uuid import uuid4

from adapters.common.limits import name_bytes
from adapters.local.store import fsync_folder
from shared.errors import Misconfigured, Unavailable

MAX_PART: Final = 200
"""Characters of one file's name; Linux and macOS take 255 bytes."""
TEMPORARY: Final = "%tmp"
"""No escaped part is called so."""
EMPTY: Final = "%_"
FOLDER: Final = "+"
MORE: Final = "%+"
"""Ends a folder that holds the rest of a part that was too long."""
STALE_SECONDS: Final = 3_600
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LocalObjects:
    """`shared.ports.ObjectStore` in `root`, which is made when first written to."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, name: str) -> bytes | None:
        with _translated(self._root):
            try:
                return self._path(name).read_bytes()
            except FileNotFoundError:
                return None

    def put(self, name: str, data: bytes) -> None:
        path = self._path(name)
        with _translated(self._root):
            _make_folder(self._root / TEMPORARY)
            _make_folder(path.parent)
            beside = self._root / TEMPORARY / uuid4().hex
            try:
                with beside.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                beside.replace(path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
            fsync_folder(path.parent)

    def list(self, prefix: str = "") -> Iterator[str]:
        head, _, _ = prefix.rpartition("/")
        start = self._root.joinpath(*_folders(head.split("/"))) if "/" in prefix else self._root
        with _translated(self._root):
            names = [name for path in _files(start) if (name := self._name(path)).startswith(prefix)]
        yield from sorted(names, key=str.encode)

    def delete(self, name: str) -> None:
        path = self._path(name)
        with _translated(self._root), suppress(FileNotFoundError):
            path.unlink()
            fsync_folder(path.parent)

    def sweep(self) -> int:
        """Remove what crashed writers left behind more than an hour ago; how many files."""
        before = time.time() - STALE_SECONDS
        swept = 0
        for path in (self._root / TEMPORARY).glob("*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    swept += 1
        return swept

    def _path(self, name: str) -> Path:
        name_bytes(name)
        *folders, last = name.split("/")
        *cut, rest = _cut(last)
        return self._root.joinpath(*_folders(folders), *cut, rest)

    def _name(self, path: Path) -> str:
        parts = path.relative_to(self._root).parts
        return unquote("".join(_unescape(part) for part in parts))


def _escape(part: str) -> str:
    """A part of a name as a file's name: never empty, hidden, or with a character some file system dislikes."""
    escaped = quote(part, safe="=@,")
    if escaped.startswith("."):
        escaped = "%2E" + escaped[1:]
    return escaped or EMPTY


def _unescape(piece: str) -> str:
    """One step of a path as what it adds to the (still percent-encoded) name."""
    if piece.endswith(MORE):
        return piece.removesuffix(MORE)
    slash = "/" if piece.endswith(FOLDER) else ""
    part = piece.removesuffix(FOLDER)
    return slash if part == EMPTY else part + slash


def _cut(part: str) -> list[str]:
    """The escaped part as nested names, each but the last a folder."""
    escaped = _escape(part)
    pieces = [escaped[i : i + MAX_PART] for i in range(0, len(escaped), MAX_PART)]
    return [piece + MORE for piece in pieces[:-1]] + pieces[-1:]


def _folders(parts: list[str]) -> Iterator[str]:
    for part in parts:
        *cut, last = _cut(part)
        yield from cut
        yield last + FOLDER


def _files(folder: Path) -> Iterator[Path]:
    """Every object's file below a folder; one that goes away meanwhile is left out."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name == TEMPORARY:
            continue
        if entry.is_dir():
            yield from _files(Path(entry.path))
        else:
            yield Path(entry.path)


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents, their names durable."""
    if folder.is_dir():
        return
    if not folder.parent.is_dir():
        _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    fsync_folder(folder.parent)


@contextmanager
def _translated(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable(f"The disk is full: {root} cannot grow. Free some space there.") from error
        if isinstance(error, PermissionError):
            raise Misconfigured(f"{root} cannot be used: {error}. Check the owner and mode of the folder.") from error
        raise Unavailable(f"{root}: {error}. Check the disk's health and that the folder is still there.") from error
