"""What was fetched, pruned, compiled and compressed once is not done again. All is named by what it was made of."""

import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from uuid import uuid4


def digest(*parts: bytes) -> str:
    """A name for the parts together."""
    found = sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.hexdigest()[:32]


def default_folder() -> Path:
    """Beside other programs' caches; it may be deleted at any time."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "grandstand" / "packaging"


class Cache:
    """A folder of finished things: each is made beside and renamed, so that what is there is whole."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, name: str) -> Path:
        found = self.root / name
        found.mkdir(parents=True, exist_ok=True)
        return found

    def write(self, path: Path, value: bytes) -> None:
        """A file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{uuid4().hex}.new")
        beside.write_bytes(value)
        beside.replace(path)

    def make(self, path: Path, make: Callable[[Path], None]) -> Path:
        """A folder that `make` fills, unless it is there already; of two who make it, one is kept."""
        if path.is_dir():
            return path
        beside = path.with_name(f".{uuid4().hex}.new")
        beside.mkdir(parents=True)
        try:
            make(beside)
            if not path.is_dir():
                try:
                    beside.rename(path)
                except OSError:
                    if not path.is_dir():  # else somebody else has just made the same
                        raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return path
