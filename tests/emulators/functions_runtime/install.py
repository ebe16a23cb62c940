"""The worker's library in a folder of the tests' own, and the classes of its protocol's messages."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final

import grpc_tools  # type: ignore[import-untyped]
from grpc_tools import protoc

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[2]
RUNTIME: Final = "azure-functions-runtime==1.3.0"
PROTO: Final = "function_rpc"
INSTALL_SECONDS: Final = 180


class NotInstalled(Exception):
    """The worker's library is not there and cannot be fetched; the message says why."""


@cache
def runtime() -> Path:
    """The folder with the library, with what it reads messages by, and with their classes. Raises NotInstalled."""
    python = f"py{sys.version_info.major}.{sys.version_info.minor}"
    folder = ROOT / ".tools" / f"{RUNTIME.replace('==', '-')}-{python}"
    if not folder.exists():
        making = folder.with_name(f"{folder.name}.{os.getpid()}")
        _install(making)
        try:
            making.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(making)
    _compile(folder)
    return folder


@cache
def messages() -> ModuleType:
    """The classes of the protocol's messages. Raises NotInstalled."""
    spec = importlib.util.spec_from_file_location(f"{PROTO}_pb2", runtime() / f"{PROTO}_pb2.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _install(folder: Path) -> None:
    """It says that it needs Python 3.13, where Azure runs it; what we use of it runs on 3.11 as well."""
    protobuf = f"protobuf=={importlib.metadata.version('protobuf')}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--ignore-requires-python", "--target", str(folder), RUNTIME, protobuf]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{RUNTIME} could not be fetched within {INSTALL_SECONDS} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise NotInstalled(f"{RUNTIME} could not be installed: {said[-1] if said else 'pip failed'}")


def _compile(folder: Path) -> None:
    """Compiled anew each time, to a file of this process that takes the other's place, since it is quick."""
    making = folder / f".{os.getpid()}"
    making.mkdir(exist_ok=True)
    known = Path(grpc_tools.__path__[0]) / "_proto"
    status = protoc.main(["", f"-I{HERE}", f"-I{known}", f"--python_out={making}", f"{PROTO}.proto"])
    if status:
        raise RuntimeError(f"{PROTO}.proto does not compile")
    (making / f"{PROTO}_pb2.py").replace(folder / f"{PROTO}_pb2.py")
    making.rmdir()
