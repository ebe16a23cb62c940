"""A small checkout with its own shelf of wheels, so that packaging is tried whole without a network."""

import base64
import hashlib
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters.packaging.bytecode import interpreter
from adapters.packaging.cache import Cache
from adapters.packaging.job import Job
from adapters.packaging.target import Arch, Cloud, Target
from functions.manifest import Every, Function, Http

OF_THE_HOUSE = {
    "adapters/__init__.py": "",
    "adapters/aws/__init__.py": "",
    "adapters/aws/main.py": "from adapters.aws.ports import ports\n\nhandler = ports\n",
    "adapters/aws/ports.py": (
        "def ports():\n"
        "    from adapters.aws import queue, table\n"
        "    return queue, table\n\n\n"
        "def app():\n"
        "    from functions.http.app import build\n"
        "    return build\n"
    ),
    "adapters/aws/table.py": "import botocore\n",
    "adapters/aws/queue.py": "import azure.storage.queue\n",
    "adapters/azure/__init__.py": "",
    "adapters/azure/app.py": "def make_app(environ):\n    return environ['GRANDSTAND_FUNCTION']\n",
    "adapters/gcp/__init__.py": "",
    "adapters/gcp/main.py": "import functions_framework\n\n\ndef handle(request):\n    return functions_framework\n",
    "functions/__init__.py": "",
    "functions/http/__init__.py": "",
    "functions/http/app.py": "import starlette\n\n\ndef build():\n    return starlette\n",
    "functions/http/docs.html": "<h1>Docs</h1>\n",
    "functions/tally/__init__.py": "",
    "functions/tally/handler.py": "from shared.counting import count\n\nmake = count\n",
    "functions/page/__init__.py": "",
    "functions/page/routes.py": "import functions.http.app\n\n\ndef make(ports, settings):\n    return []\n",
    "shared/__init__.py": "",
    "shared/counting.py": "def count():\n    import numpy\n    return numpy\n",
    "shared/unused.py": "import duckdb\n",
}
ON_THE_SHELF: Mapping[str, Mapping[str, str]] = {
    "botocore": {
        "botocore/__init__.py": "import jmespath\n",
        "botocore/data/endpoints.json": "{}",
        "botocore/data/dynamodb/service-2.json": "{}",
        "botocore/data/ec2/service-2.json": "{}",
        "botocore/tests/test_it.py": "assert False\n",
    },
    "jmespath": {"jmespath/__init__.py": "", "jmespath/__init__.pyi": ""},
    "numpy": {"numpy/__init__.py": "def add(a, b):\n    return a + b\n", "numpy/tests/test_add.py": ""},
    "starlette": {"starlette/__init__.py": ""},
    "functions-framework": {"functions_framework/__init__.py": "import flask\n"},
    "flask": {"flask/__init__.py": ""},
}
NEEDED = {"botocore": ("jmespath",), "functions-framework": ("flask",)}
TALLY = Function(
    "tally",
    "functions.tally.handler:make",
    Every(60),
    reads=frozenset({"table:rows"}),
    memory_mb=256,
    timeout_seconds=20,
)
PAGE = Function("page", "functions.page.routes:make", Http())


@dataclass
class House:
    """The checkout, its cache, and what was said."""

    folder: Path
    cache: Path
    said: list[str] = field(default_factory=list)

    def job(self, cloud: Cloud = Cloud.aws, arch: Arch = Arch.x86_64, cache: Path | None = None) -> Job:
        python = interpreter(sys.executable)
        target = Target(cloud, arch, python.version, (2, 17))
        return Job(target, python, self.folder, Cache(cache or self.cache), self.said.append)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def build_house(folder: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """The checkout; uv finds nothing but what stands on the shelf."""
    house = House(folder / "house", folder / "cache")
    for name, text in OF_THE_HOUSE.items():
        house.write(name, text)
    shelf = folder / "shelf"
    shelf.mkdir()
    for name, files in ON_THE_SHELF.items():
        write_wheel(shelf, name, files, needs=NEEDED.get(name, ()))
    house.write("requirements/dev.lock", "".join(f"{name}==1.0\n    # via tests\n" for name in ON_THE_SHELF))
    for name in [each for each in os.environ if each.startswith("UV_")]:
        monkeypatch.delenv(name)
    (folder / "index").mkdir()
    monkeypatch.setenv("UV_DEFAULT_INDEX", (folder / "index").as_uri())
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(shelf))
    monkeypatch.setenv("UV_CACHE_DIR", str(folder / "uv"))
    return house


def write_wheel(
    shelf: Path, name: str, files: Mapping[str, str], *, needs: tuple[str, ...] = (), tag: str = "py3-none-any"
) -> None:
    """A wheel of version 1.0."""
    stem = f"{name.replace('-', '_')}-1.0"
    info = f"{stem}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + "".join(
        f"Requires-Dist: {each}\n" for each in needs
    )
    written = {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/licenses/LICENSE": "as you like it\n",
    }
    rows = [f"{path},sha256={_hash(text)},{len(text)}" for path, text in written.items()]
    written[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    with zipfile.ZipFile(shelf / f"{stem}-{tag}.whl", "w") as wheel:
        for path, text in written.items():
            wheel.writestr(path, text)


def names(archive: Path) -> list[str]:
    """The archive's files that are not compiled."""
    with zipfile.ZipFile(archive) as file:
        return [name for name in file.namelist() if not name.endswith(".pyc")]


def read(archive: Path, name: str) -> str:
    with zipfile.ZipFile(archive) as file:
        return file.read(name).decode()


@contextmanager
def no_shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """uv has nowhere to look any more."""
    with monkeypatch.context() as patched:
        patched.setenv("UV_FIND_LINKS", "/nowhere")
        patched.setenv("UV_CACHE_DIR", "/nowhere/cache")
        yield


def _hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
