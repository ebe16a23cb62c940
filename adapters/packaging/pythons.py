"""Which Python of this machine a package is compiled by: the runtime's is the same, to the minor version."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from adapters.packaging.bytecode import Interpreter, interpreter
from adapters.packaging.resolving import uv_path
from adapters.packaging.target import Cloud
from shared.errors import Misconfigured

_FOR_LAMBDA: Final = ("3.13", "3.12")
_AMAZON_LINUX_2023: Final = (3, 12)


def choose_python(cloud: Cloud, asked: str | None) -> Interpreter:
    """The one asked for, by version or path; else the one that runs this.

    Lambda's python3.11 runs on Amazon Linux 2, too old for the wheels of numpy, pyarrow and deltalake: there a newer
    Python of this machine is taken when there is one. Raises Misconfigured.
    """
    if asked is not None:
        if not asked.replace(".", "").isdecimal():
            return interpreter(asked)
        found = _find(asked)
        if found is None:
            raise Misconfigured(
                f"This machine has no Python {asked}. Get it, for example by: uv python install {asked}"
            )
        return found
    running = interpreter(sys.executable)
    if cloud is Cloud.aws and running.version < _AMAZON_LINUX_2023:
        newer = (_find(version) for version in _FOR_LAMBDA)
        return next((each for each in newer if each is not None), running)
    return running


def _find(version: str) -> Interpreter | None:
    return _by_uv(version) or _by_pyenv(version)


def _by_uv(version: str) -> Interpreter | None:
    command = [uv_path(), "python", "find", "--no-python-downloads", "--no-project", version]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return interpreter(done.stdout.strip()) if done.returncode == 0 else None


def _by_pyenv(version: str) -> Interpreter | None:
    """pyenv's own, which uv cannot see while another version is chosen."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted(root.glob(f"versions/{version}*/bin/python{version}"))
    return interpreter(str(found[-1])) if found else None
