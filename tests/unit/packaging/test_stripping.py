"""Shared libraries without what only a debugger reads."""

import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from adapters.packaging.stripping import is_shared_library, strip, stripped

LOADED = """
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.ExtensionFileLoader("zstandard.backend_c", sys.argv[1])
spec = importlib.util.spec_from_loader("zstandard.backend_c", loader)
module = importlib.util.module_from_spec(spec)
loader.exec_module(module)
packed = module.ZstdCompressor().compress(b"a goal " * 100)
assert module.ZstdDecompressor().decompress(packed) == b"a goal " * 100
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the library at hand is none of Linux")
def test_a_library_that_was_stripped_is_smaller_and_still_runs(tmp_path: Path) -> None:
    [original] = Path(zstandard.__file__).parent.glob("backend_c.*.so")
    copy = tmp_path / original.name
    copy.write_bytes(original.read_bytes())
    strip(copy)
    assert copy.stat().st_size < original.stat().st_size
    assert stripped(copy.read_bytes()) == copy.read_bytes(), "nothing more to take"
    subprocess.run([sys.executable, "-c", LOADED, str(copy)], check=True)


def test_what_is_no_library_stays_as_it_is() -> None:
    for value in (b"", b"import numpy\n", b"\x7fELF\x01\x01" + bytes(100)):
        assert stripped(value) == value


def test_libraries_are_known_by_their_names() -> None:
    assert is_shared_library("libarrow.so.2600")
    assert is_shared_library("_core.abi3.so")
    assert not is_shared_library("also.py")
    assert not is_shared_library("a.so.d/readme.txt")
