"""Packages functions: plan, fetch, put together, check, write; the folder appears whole, or stays as it was."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson

from adapters.packaging import checking, contents, describing, resolving, wheels
from adapters.packaging.archive import Member, write_archive
from adapters.packaging.contents import Plan
from adapters.packaging.job import Job
from adapters.packaging.target import LIMITS, Target
from functions.manifest import Function
from shared.errors import Misconfigured

DESCRIPTION: Final = "package.json"
_PURPOSE: Final = "grandstand package"
_MIB: Final = 1024 * 1024
_BIGGEST: Final = 8


@dataclass(frozen=True, slots=True)
class Built:
    """One function's archive. Sizes in bytes; `by_distribution` unpacked, `""` for our own modules."""

    function: Function
    path: Path
    zipped: int
    unpacked: int
    sha256: str
    by_distribution: dict[str, int]


def plans(job: Job, functions: Sequence[Function]) -> list[Plan]:
    """What each function's archive is to hold. Raises Misconfigured, Unavailable."""
    lock = resolving.read_lock(job.project)
    return [contents.plan(each, job, lock) for each in functions]


def build(job: Job, functions: Sequence[Function], out: Path, *, check: bool) -> list[Built]:
    """Write the archives and package.json; `out` then holds exactly these.

    `check`: import and start each one, where this machine can. Raises Misconfigured, Unavailable.
    """
    _refuse_foreign(out)
    planned = plans(job, functions)
    wanted = sorted({pinned.key: pinned for each in planned for pinned in (*each.pinned, *each.provided)}.items())
    prepared = wheels.prepare([pinned for _, pinned in wanted], job)
    own = contents.own_modules(job)
    held = [contents.members(each, job, own, prepared) for each in planned]
    for each, members in zip(planned, held, strict=True):
        _fits(each, members, job.target)
    with _beside(out) as folder:
        built = []
        for number, (each, members) in enumerate(zip(planned, held, strict=True), 1):
            job.say(f"[{number}/{len(planned)}] {each.function.name}")
            found = _write(each, members, folder, job)
            if check:
                provided = [prepared[pinned.name] for pinned in each.provided]
                checking.check(found.path, each, job, provided)
            built.append(found)
        (folder / DESCRIPTION).write_bytes(_description(planned, built, job.target))
    return [_moved(each, out) for each in built]


def sizes(members: Sequence[Member]) -> dict[str, int]:
    """Unpacked bytes by distribution, the largest first; `""`: our own modules."""
    found: dict[str, int] = {}
    for each in members:
        found[each.origin] = found.get(each.origin, 0) + each.size
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _write(planned: Plan, members: Sequence[Member], folder: Path, job: Job) -> Built:
    path = folder / f"{planned.function.name}.zip"
    written = write_archive(path, members, job.cache)
    by_distribution = sizes(members)
    return Built(planned.function, path, written.size, sum(by_distribution.values()), written.sha256, by_distribution)


def _fits(planned: Plan, members: Sequence[Member], target: Target) -> None:
    limit = LIMITS[target.cloud].unpacked
    by_distribution = sizes(members)
    unpacked = sum(by_distribution.values())
    if unpacked > limit:
        raise Misconfigured(_too_large(planned, by_distribution, unpacked, limit))


def _too_large(planned: Plan, by_distribution: dict[str, int], size: int, limit: int) -> str:
    name = planned.function.name
    largest = [
        f"{origin or 'our own modules'} {bytes_ / _MIB:.1f}"
        for origin, bytes_ in list(by_distribution.items())[:_BIGGEST]
    ]
    return (
        f"{name} is {size / _MIB:.1f} MiB unpacked; the limit is {limit / _MIB:.1f}. In MiB: {', '.join(largest)}. "
        f"What pulls one of them in: grandstand package --function {name} --why PACKAGE"
    )


def _description(planned: Sequence[Plan], built: Sequence[Built], target: Target) -> bytes:
    limits = LIMITS[target.cloud]
    functions = []
    for plan, each in zip(planned, built, strict=True):
        libraries = [(pinned.name, pinned.version) for pinned in plan.pinned]
        functions.append(
            {
                **describing.entry(plan.function, plan.ports, target, libraries),
                "archive": each.path.name,
                "zipped_bytes": each.zipped,
                "unpacked_bytes": each.unpacked,
                "sha256": each.sha256,
                "upload": "bucket" if limits.direct is not None and each.zipped > limits.direct else "direct",
            }
        )
    document: dict[str, Any] = {
        "made_by": _PURPOSE,
        "cloud": target.cloud.value,
        "runtime": target.runtime,
        "architecture": target.arch.value,
        "oldest_glibc": ".".join(map(str, target.glibc)),
        "functions": functions,
        "options": describing.options(),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def _refuse_foreign(out: Path) -> None:
    """Only a folder that we made, or an empty one, is replaced. Raises Misconfigured."""
    if not out.exists():
        return
    if not out.is_dir():
        raise Misconfigured(f"{out} is no folder. Choose another with --out.")
    if not any(out.iterdir()):
        return
    try:
        ours = orjson.loads((out / DESCRIPTION).read_bytes()).get("made_by") == _PURPOSE
    except (OSError, ValueError, AttributeError):
        ours = False
    if not ours:
        raise Misconfigured(f"{out} holds other things than packages. Choose an empty or a new folder with --out.")


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder that takes the place of `out` when all went well.

    1. Everything is written beside. A crash leaves `out` as it was, and a hidden folder.
    2. What `out` was is renamed, the new folder takes its name, the old one is deleted. A crash in between leaves
       both whole, the old one hidden.

    Raises Misconfigured where nothing may be written.
    """
    mark = uuid4().hex
    fresh, old = (out.with_name(f".{out.name}.{mark}.{what}") for what in ("new", "old"))
    try:
        fresh.mkdir(parents=True)
    except OSError as error:
        raise Misconfigured(
            f"{out} cannot be made: {error.strerror} ({out.parent}). Choose another with --out."
        ) from None
    try:
        yield fresh
        if out.exists():
            out.rename(old)
        fresh.rename(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)
        elif old.exists():
            old.rename(out)


def _moved(each: Built, out: Path) -> Built:
    return replace(each, path=out / each.path.name)
