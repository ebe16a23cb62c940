"""Functions packaged for a cloud as `grandstand package` does, for this machine's processor and Python."""

import atexit
import os
import platform
import shutil
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import pytest

from adapters.packaging.building import Built, build
from adapters.packaging.bytecode import interpreter
from adapters.packaging.cache import Cache
from adapters.packaging.job import Job
from adapters.packaging.target import Arch, Cloud, Target
from functions.manifest import FUNCTIONS
from shared.errors import Unavailable

PROJECT = Path(__file__).parent.parent
GLIBC = (2, 28)
"""Older than any machine that runs the tests, and new enough for every wheel."""


def job(cloud: Cloud, cache_folder: Path | None = None) -> Job:
    """What to package for: here, so that it can be started."""
    arch = Arch.arm64 if platform.machine() in ("arm64", "aarch64") else Arch.x86_64
    python = interpreter(sys.executable)
    return Job(
        Target(cloud, arch, python.version, GLIBC), python, PROJECT, Cache(cache_folder or _kept()), _say_nothing
    )


@cache
def packaged(cloud: Cloud, name: str, *, check: bool = True) -> Built:
    """A function's archive, made once in this process; what was fetched and compiled is kept for the next.

    `check`: as the command does. Skips where the package index cannot be reached.
    """
    target = job(cloud)
    if not target.target.runs_here:
        pytest.skip(f"{cloud} packages cannot be started on {platform.platform()}")
    [function] = [each for each in FUNCTIONS if each.name == name]
    folder = Path(tempfile.mkdtemp(prefix="grandstand-packages-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        [built] = build(target, [function], folder / name, check=check)
    except Unavailable as error:
        pytest.skip(str(error))
    return built


@cache
def unpacked(cloud: Cloud, name: str) -> Path:
    """The folder that a function's runtime would see; whoever asks runs it, which checks it."""
    archive = packaged(cloud, name, check=False).path
    folder = archive.parent.with_name(f"{name}-unpacked")
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    return folder


def _kept() -> Path:
    return Path(tempfile.gettempdir(), f"grandstand-packages-{os.getuid()}")


def _say_nothing(_: str) -> None:
    """Tests are told enough."""
