"""Secrets in one JSON file of the data folder, readable by its owner alone.

A member is a string, or JSON that whoever asks for it decodes: `{"web": "…"}` for the keys of a scope, by key id.
Edit the file to rotate a secret; it is read again as soon as it changes.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

import orjson

from adapters.common.fresh_secrets import fresh_secrets
from adapters.local.store import fsync_folder
from shared.errors import Misconfigured

FILE: Final = "secrets.json"
Stamp = tuple[int, int, int]


class LocalSecrets:
    """`shared.ports.Secrets`; the file is made with random keys when there is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[Stamp, dict[str, bytes]] | None = None

    def get(self, name: str) -> bytes:
        value = self._current().get(name)
        if value is None:
            raise Misconfigured(f"{self._path} holds no secret {name!r}. Add it as a member of the JSON object.")
        return value

    def _current(self) -> dict[str, bytes]:
        try:
            stamp = _stamp(self._path)
        except FileNotFoundError:
            create(self._path)
            stamp = _stamp(self._path)
        except OSError as error:
            raise self._unreadable(error) from error
        if self._read is not None and self._read[0] == stamp:
            return self._read[1]
        try:
            values = _parse(self._path.read_bytes())
        except (OSError, ValueError) as error:
            if self._read is not None:  # somebody is in the middle of editing it
                return self._read[1]
            raise self._unreadable(error) from error
        self._read = stamp, values
        return values

    def _unreadable(self, error: Exception) -> Misconfigured:
        return Misconfigured(
            f"{self._path} cannot be read: {error}. It is a JSON object of secrets, owned by this user, mode 0600. "
            f"Mend it or restore it from a backup: what the lost keys wrote cannot be read or matched with others."
        )


def create(path: Path) -> None:
    """Write a new file of random keys; one that is there already stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid4().hex}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(fresh_secrets(), indent=2).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(beside, path)
        fsync_folder(path.parent)
    finally:
        beside.unlink()


def _parse(text: bytes) -> dict[str, bytes]:
    values = orjson.loads(text)
    if not isinstance(values, dict):
        raise ValueError("it is not a JSON object")
    return {name: value.encode() if isinstance(value, str) else orjson.dumps(value) for name, value in values.items()}


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino
