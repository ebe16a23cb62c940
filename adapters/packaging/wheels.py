"""Distributions made ready for archives: fetched once, pruned, stripped, compiled and listed, then kept."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from adapters.packaging.archive import Member, member
from adapters.packaging.bytecode import compile_folder
from adapters.packaging.cache import Cache, digest
from adapters.packaging.job import Job
from adapters.packaging.pruning import kept
from adapters.packaging.resolving import Pinned, run_uv
from adapters.packaging.stripping import is_shared_library, strip

_FILES: Final = "files"
_LISTING: Final = "listing.json"
_WORKERS: Final = 4


@dataclass(frozen=True, slots=True)
class Prepared:
    """A distribution's files, named as they are imported."""

    name: str
    version: str
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        return sum(each.size for each in self.members)


def prepare(pinned: Sequence[Pinned], job: Job) -> dict[str, Prepared]:
    """Each distribution by name. Raises Misconfigured, Unavailable as resolving.run_uv does."""
    target = job.target
    folder = job.cache.folder("distributions")
    recipe = _recipe()
    paths = {each.key: folder / f"{each.name}-{each.version}-{target.tag}-{recipe}" for each in pinned}
    missing = {key for key, path in paths.items() if not path.is_dir()}
    if missing:
        job.say(f"Fetching and compiling {len(missing)} of {len(pinned)} distributions for {target.tag}")

    def made(each: Pinned) -> Prepared:
        path = job.cache.make(paths[each.key], lambda beside: _make(each, job, beside))
        if each.key in missing:
            job.say(f"  {each.name} {each.version}")
        return _read(each, path)

    with ThreadPoolExecutor(_WORKERS) as workers:
        return {each.name: each for each in workers.map(made, pinned)}


def _make(each: Pinned, job: Job, folder: Path) -> None:
    files = folder / _FILES
    # copied, since what is shortened or compiled must not be uv's own
    arguments = ["pip", "install", "--quiet", "--no-deps", "--link-mode", "copy", "--target", str(files)]
    run_uv([*arguments, f"{each.name}=={each.version}"], job.target)
    for path in sorted(files.rglob("*")):
        if path.is_file() and not kept(each.name, path.relative_to(files).as_posix()):
            path.unlink()
        elif path.is_file() and is_shared_library(path.name):
            strip(path)
    compile_folder(files, job.python)
    listing = [
        {"name": found.name, "size": found.size, "sha256": found.sha256}
        for found in (
            member(path.relative_to(files).as_posix(), path) for path in sorted(files.rglob("*")) if path.is_file()
        )
    ]
    (folder / _LISTING).write_bytes(orjson.dumps(listing))


def _read(each: Pinned, path: Path) -> Prepared:
    rows = orjson.loads((path / _LISTING).read_bytes())
    files = path / _FILES
    found = tuple(Member(row["name"], files / row["name"], row["size"], row["sha256"]) for row in rows)
    return Prepared(each.name, each.version, found)


def _recipe() -> str:
    """Changes when the way in which distributions are prepared does."""
    here = Path(__file__).parent
    sources = ("pruning.py", "stripping.py", "bytecode.py", "wheels.py")
    return digest(*((here / name).read_bytes() for name in sources))[:8]


def forget(cache: Cache) -> None:
    """Delete what was kept; the next package is made from nothing."""
    shutil.rmtree(cache.root, ignore_errors=True)
