"""Compiles a folder for a Python, in a new interpreter each time, so that nothing but the sources shows in the bytes.

The .pyc say that their source is not to be looked at: an archive's times mean nothing, and a start saves looking.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.packaging.target import PYTHONS, Version
from shared.errors import Misconfigured

_COMPILE: Final = """
import os, py_compile, sys
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
os.chdir(sys.argv[1])
for name in sys.stdin.read().splitlines():
    try:
        py_compile.compile(name, dfile=name, doraise=True, invalidation_mode=unchecked)
    except py_compile.PyCompileError:
        pass  # a template, or written for another Python
"""
_VERSION: Final = "import sys; print(*sys.version_info[:2])"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python of this machine."""

    path: str
    version: Version


def interpreter(path: str) -> Interpreter:
    """Which version it is. Raises Misconfigured when it does not run, or no cloud runs it."""
    try:
        command = [path, "-I", "-S", "-c", _VERSION]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 (as asked)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Misconfigured(f"{path} does not run as a Python: {error}") from None
    major, minor = map(int, said.split())
    if (major, minor) not in PYTHONS:
        known = ", ".join(f"{each[0]}.{each[1]}" for each in PYTHONS)
        raise Misconfigured(f"{path} is Python {major}.{minor}; the clouds run {known}. Choose one with --python.")
    return Interpreter(path, (major, minor))


def compile_folder(folder: Path, python: Interpreter) -> None:
    """Put a .pyc beside every source that compiles."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))
    if names:
        subprocess.run(  # noqa: S603
            [python.path, "-S", "-s", "-c", _COMPILE, str(folder)],
            input="\n".join(names),
            text=True,
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"},
        )
