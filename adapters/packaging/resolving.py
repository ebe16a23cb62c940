"""Which versions a package holds: those of the lock file, resolved by uv for the target's platform, wheels only."""

import re
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from adapters.packaging.cache import Cache, digest
from adapters.packaging.libraries import NEVER_IMPORTED
from adapters.packaging.target import Target
from shared.errors import Misconfigured, Unavailable

LOCK: Final = Path("requirements", "dev.lock")
_PINNED: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)(?:[^#]*#\s*via\s*(.*))?")
_LOCKED: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
_NO_WHEEL: Final = re.compile(r"(?:Because |and )([A-Za-z0-9._-]+)(?:==|>=)?(\S*) has no (?:usable )?wheels")
_UNREACHABLE: Final = (
    "Failed to fetch",
    "error sending request",
    "Could not connect",
    "dns error",
    "network was disabled",
)
_TIMEOUT_SECONDS: Final = 900
_COMPILE: Final = (
    *("pip", "compile", "-", "--quiet"),
    *("--no-header", "--annotation-style", "line", "--no-emit-index-url"),
)


@dataclass(frozen=True, slots=True)
class Pinned:
    """One distribution of a package. `via`: the distributions that ask for it; none: a module of ours imports it."""

    name: str
    version: str
    via: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        """What it is, whoever asks for it."""
        return self.name, self.version


def uv_path() -> str:
    """Where uv is. Raises Misconfigured when it is not installed."""
    try:
        from uv import find_uv_bin
    except ModuleNotFoundError:
        raise Misconfigured("Packaging needs uv, which is not installed: pip install 'uv>=0.9'") from None
    try:
        return find_uv_bin()
    except FileNotFoundError:
        raise Misconfigured(
            "Packaging needs uv, whose program is missing: pip install --force-reinstall uv"
        ) from None


def read_lock(project: Path) -> bytes:
    """The lock file. Raises Misconfigured where there is none, as in an installed wheel."""
    try:
        return (project / LOCK).read_bytes()
    except FileNotFoundError:
        raise Misconfigured(
            f"There is no {project / LOCK}: packages are made from a checkout of Grandstand, with its lock file."
        ) from None


def resolve(roots: Iterable[str], lock: bytes, target: Target, cache: Cache) -> tuple[Pinned, ...]:
    """Every distribution that the roots need, at the lock file's versions, sorted by name.

    Raises Misconfigured that names what has no wheel for the target, Unavailable when the index cannot be reached.
    """
    wanted = sorted(set(roots))
    if not wanted:
        return ()
    key = digest(
        lock, target.tag.encode(), *(each.encode() for each in wanted), *map(str.encode, sorted(NEVER_IMPORTED))
    )
    kept = cache.folder("resolved") / f"{key}.json"
    if not kept.exists():
        found = _from_the_lock(_parse(_compile(wanted, lock, target)), lock)
        rows = [{"name": each.name, "version": each.version, "via": each.via} for each in found]
        cache.write(kept, orjson.dumps(rows))
    return tuple(Pinned(row["name"], row["version"], tuple(row["via"])) for row in orjson.loads(kept.read_bytes()))


def run_uv(arguments: list[str], target: Target, given: str = "") -> str:
    """What uv prints. Raises Misconfigured or Unavailable in one line that says what to do."""
    command = [uv_path(), *arguments, "--python-platform", target.platform, "--python-version", target.python_text]
    try:
        done = subprocess.run(  # noqa: S603 (uv, with names of ours)
            [*command, "--only-binary", ":all:", "--no-progress"],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"The package index has not answered for {_TIMEOUT_SECONDS} s. Try again.") from None
    if done.returncode:
        raise _failure(done.stderr, target)
    return done.stdout


def _compile(wanted: list[str], lock: bytes, target: Target) -> str:
    with tempfile.TemporaryDirectory(prefix="grandstand-") as folder:
        constraints, overrides = Path(folder, "lock.txt"), Path(folder, "overrides.txt")
        constraints.write_bytes(lock)
        overrides.write_text("".join(f"{name} ; python_version < '0'\n" for name in sorted(NEVER_IMPORTED)))
        return run_uv(
            [*_COMPILE, "--constraint", str(constraints), "--override", str(overrides)],
            target,
            "\n".join(wanted),
        )


def _parse(text: str) -> list[Pinned]:
    found = []
    for line in text.splitlines():
        matched = _PINNED.match(line)
        if matched:
            name, version, via = matched.groups()
            by = {each.strip() for each in (via or "").split(",")}
            asked = tuple(sorted(each for each in by if each and not each.startswith("-")))
            found.append(Pinned(name, version, asked))
    return sorted(found, key=lambda each: each.name)


def _from_the_lock(found: list[Pinned], lock: bytes) -> list[Pinned]:
    locked = {(name, version) for name, version in _LOCKED.findall(lock.decode())}
    strangers = [f"{each.name} {each.version}" for each in found if (each.name, each.version) not in locked]
    if strangers:
        raise Misconfigured(f"{LOCK} does not hold {', '.join(strangers)}. Resolve it anew: make lock")
    return found


def _failure(said: str, target: Target) -> Misconfigured | Unavailable:
    text = " ".join(said.split())
    missing = _NO_WHEEL.search(text)
    if missing is None and any(each in said for each in _UNREACHABLE):
        where = next((line.strip() for line in said.splitlines() if "Failed to fetch" in line), "")
        return Unavailable(f"The package index cannot be reached. {where} Check the network and uv's index settings.")
    if missing is None:
        return Misconfigured(f"uv cannot get the packages: {text}")
    name = " ".join(part for part in missing.groups() if part)
    system = f"Linux {target.arch} with glibc {target.glibc[0]}.{target.glibc[1]}"
    return Misconfigured(f"{name} has no wheel for Python {target.python_text} on {system}.{_hint(target)}")


def _hint(target: Target) -> str:
    if target.cloud == "aws" and target.python < (3, 12):
        return (
            " Lambda's python3.11 runs on Amazon Linux 2, which is older than that. Package with a newer Python of "
            "this machine, such as --python 3.13 (uv python install 3.13 gets one), or say --glibc 2.34 where the "
            "functions run in an image of your own."
        )
    return " Choose another version of it in pyproject.toml, then: make lock"
