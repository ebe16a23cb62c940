"""Data files of a table, where its store is: a folder, or whatever delta-rs reaches with its storage options.

Everything is read and written by the thread that asks: what Arrow's own threads hold of delta-rs' files aborts the
interpreter at exit.
"""

import os
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from deltalake.fs import DeltaStorageHandler

WHOLE_BYTES: Final = 64 * 1024 * 1024
"""A stored file up to this size is fetched at once where every column is wanted, rather than column by column."""


class Files(Protocol):
    """Files by their path under the table's root. Raises OSError and what delta-rs raises."""

    def open(self, path: str, size: int, *, whole: bool) -> pa.NativeFile: ...

    def create(self, path: str) -> pa.NativeFile: ...

    def settle(self, path: str) -> None:
        """What was written there is durable when this returns."""
        ...


def files_at(uri: str, options: dict[str, str]) -> Files:
    """The files of a table; `uri` is a folder's path where it names no scheme."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return LocalFiles(Path(unquote(parts.path)))
    return StoredFiles(uri, options) if "://" in uri else LocalFiles(Path(uri))


class LocalFiles:
    """In a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def open(self, path: str, _: int, *, whole: bool) -> pa.NativeFile:  # noqa: ARG002 - a disk needs no telling
        return pa.OSFile(str(self._root / path), "rb")

    def create(self, path: str) -> pa.NativeFile:
        (self._root / path).parent.mkdir(parents=True, exist_ok=True)
        return pa.OSFile(str(self._root / path), "wb")

    def settle(self, path: str) -> None:
        place = self._root / path
        for each in (place, *(parent for parent in place.parents if parent.is_relative_to(self._root))):
            handle = os.open(each, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


class StoredFiles:
    """In a cloud's store, through delta-rs: it signs in as it does for the table's log."""

    def __init__(self, uri: str, options: dict[str, str]) -> None:
        self._uri = uri
        self._options = options

    def open(self, path: str, size: int, *, whole: bool) -> pa.NativeFile:
        handler = DeltaStorageHandler(self._uri, self._options, {path: size})
        file: pa.NativeFile = handler.open_input_file(path)
        if not whole or size > WHOLE_BYTES:
            return file
        with file:
            return pa.BufferReader(file.read())

    def create(self, path: str) -> pa.NativeFile:
        created: pa.NativeFile = self._handler.open_output_stream(path)
        return created

    def settle(self, path: str) -> None:
        """A store answers when it is."""

    @cached_property
    def _handler(self) -> DeltaStorageHandler:
        return DeltaStorageHandler(self._uri, self._options)
