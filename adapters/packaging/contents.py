"""What one function's archive holds: planned first, put together once its distributions are there."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.packaging import entries, needs
from adapters.packaging.archive import Member, member
from adapters.packaging.bytecode import compile_folder
from adapters.packaging.cache import digest
from adapters.packaging.job import Job
from adapters.packaging.libraries import BY_THE_RUNTIME, distributions
from adapters.packaging.modules import ROOTS, Closure, Sources
from adapters.packaging.pruning import used
from adapters.packaging.resolving import Pinned, resolve
from adapters.packaging.target import Cloud, Target
from adapters.packaging.wheels import Prepared
from functions.manifest import Function
from shared.errors import Misconfigured

SITE_PACKAGES: Final = {Cloud.aws: "", Cloud.azure: ".python_packages/lib/site-packages/", Cloud.gcp: ""}
"""Where each cloud looks for the modules of others."""
LICENCES: Final = ("LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE")


@dataclass(frozen=True, slots=True)
class Plan:
    """One function's archive before anything is fetched.

    `roots`: the distributions that modules of ours import, each with those modules. `pinned`: all that go along.
    `provided`: what the runtime's own build installs.
    """

    function: Function
    ports: frozenset[str]
    closure: Closure
    roots: Mapping[str, list[str]]
    pinned: tuple[Pinned, ...]
    provided: tuple[Pinned, ...]


def plan(function: Function, job: Job, lock: bytes) -> Plan:
    """Raises Misconfigured, Unavailable as resolving.resolve does."""
    target, sources, cache = job.target, job.sources, job.cache
    used_ports = needs.ports(function, target.cloud, sources)
    starts = [needs.HOSTS[target.cloud], function.entry.partition(":")[0]]
    closure = sources.closure(starts, needs.left_out(function, target.cloud, used_ports))
    roots = distributions(closure.libraries)
    provided = resolve(BY_THE_RUNTIME[target.cloud], lock, target, cache)
    there = {each.name for each in provided}
    pinned = tuple(each for each in resolve(roots, lock, target, cache) if each.name not in there)
    return Plan(function, used_ports, closure, roots, pinned, provided)


def own_modules(job: Job) -> Path:
    """A copy of every module of ours, compiled; all at once, so that no choice of functions shows in a byte."""
    folder_of_ours, python = job.project, job.python
    files = sorted(path for root in ROOTS for path in (folder_of_ours / root).rglob("*.py"))
    names = [path.relative_to(folder_of_ours).as_posix() for path in files]
    key = digest(
        repr(python.version).encode(), *(name.encode() for name in names), *(each.read_bytes() for each in files)
    )

    def make(folder: Path) -> None:
        for path, name in zip(files, names, strict=True):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
        compile_folder(folder, python)

    return job.cache.make(job.cache.folder("own") / key, make)


def members(planned: Plan, job: Job, own: Path, prepared: Mapping[str, Prepared]) -> list[Member]:
    """Every file of the archive. Raises Misconfigured when two distributions claim one name."""
    found: dict[str, Member] = {}
    for each in _all(planned, job, own, prepared):
        there = found.setdefault(each.name, each)
        if there.sha256 != each.sha256:
            raise Misconfigured(
                f"Two different files want to be {each.name} in the archive of {planned.function.name}."
            )
    return list(found.values())


def _all(planned: Plan, job: Job, own: Path, prepared: Mapping[str, Prepared]) -> Iterator[Member]:
    target, cache = job.target, job.cache
    yield from _own(planned.closure, job.sources, own, target)
    for name, text in entries.written(planned.function, target, planned.provided).items():
        path = cache.folder("written") / digest(text.encode())
        if not path.exists():
            cache.write(path, text.encode())
        yield member(name, path)
    services = needs.services(planned.ports)
    prefix = SITE_PACKAGES[target.cloud]
    imported = planned.closure.libraries
    for pinned in planned.pinned:
        for each in prepared[pinned.name].members:
            if used(pinned.name, each.name, imported, services):
                yield Member(prefix + each.name, each.path, each.size, each.sha256, pinned.name)


def _own(closure: Closure, sources: Sources, own: Path, target: Target) -> Iterator[Member]:
    for module in closure.modules:
        path = sources.file(module)
        source = path.relative_to(sources.folder)
        yield member(source.as_posix(), own / source)
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-{target.python[0]}{target.python[1]}.pyc"
        yield member(compiled.as_posix(), own / compiled)
        if path.name == "__init__.py":
            for beside in sorted(path.parent.iterdir()):  # what its modules read, such as a page
                if beside.is_file() and beside.suffix != ".py" and not beside.name.startswith("."):
                    yield member((source.parent / beside.name).as_posix(), beside)
    for name in LICENCES:
        if (sources.folder / name).is_file():
            yield member(name, sources.folder / name)
