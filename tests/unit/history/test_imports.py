"""A function pays for the libraries that it uses and no others: a cloud's package leaves the others out."""

import subprocess
import sys
from pathlib import Path

import pytest

from adapters.local.suite import suite
from functions.archive.handler import archive
from functions.manifest import FUNCTIONS
from shared.history.lake import Lake
from shared.history.tables import CONTENT, FACTS, STAGING
from shared.settings import Settings
from shared.stream import NO_DEADLINE
from tests.builders import KICK_OFF, delivered, event, packed

LAKE = ("duckdb", "deltalake", "pyarrow")
ENTRIES = {function.name: function.entry.partition(":")[0] for function in FUNCTIONS}

WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {without!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
from pathlib import Path
from adapters.local.suite import suite
from shared.settings import Settings
from shared.stream import NO_DEADLINE
ports = suite(Path(sys.argv[1]), Settings())
"""
RUN = """
from {entry} import make
make(ports, Settings())(NO_DEADLINE)
"""
PREFER = f"""
from shared.preferences import also_watched, segments, top
from shared.preferences.rows import Span
span = Span({KICK_OFF - 1}, {KICK_OFF} + 3_600_000)
print(also_watched.also_watched(ports.warehouse(), "match", span, 3).viewers)
print(len(top.top(ports.warehouse(), "country", span, 3, 3).segments))
print(len(segments.segments(ports.warehouse(), "match", "country", span).segments))
"""
REBUILD = """
from functions.rebuild.rebuild import rebuild
print(rebuild(ports, Settings()))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where two batches wait to be committed, of what six viewers watched."""
    ports = suite(tmp_path, Settings())
    for start in range(2):
        events = [event(viewer_id=f"viewer{start}{number}") for number in range(6)]
        record = delivered(packed(events, exact=False))
        archive(ports.objects(STAGING), ports.meter("archive"), [record], NO_DEADLINE)
    return tmp_path


def run(program: str, folder: Path, *without: str) -> str:
    """What a new interpreter prints that has not got these libraries."""
    whole = WITHOUT.format(without=without) + program
    return subprocess.check_output([sys.executable, "-W", "error", "-c", whole, str(folder)], text=True)


@pytest.mark.parametrize(
    ("entry", "forbidden"),
    [
        ("functions.archive.handler", ("duckdb", "deltalake", "pydantic", "starlette", "cryptography")),
        ("functions.commit.handler", ("duckdb", "pydantic", "starlette", "cryptography")),
        ("functions.watch.handler", (*LAKE, "pydantic", "starlette", "cryptography")),
        ("functions.merge_watch.handler", (*LAKE, "pydantic", "starlette", "cryptography")),
        ("functions.preferences.routes", (*LAKE, "pydantic", "sqlglot", "cryptography")),
        ("functions.rebuild.handler", (*LAKE, "sqlglot")),
        ("functions.viewers.routes", (*LAKE, "pydantic", "numpy", "cryptography")),
    ],
)
def test_an_entry_imports_nothing_that_it_can_do_without(entry: str, forbidden: tuple[str, ...]) -> None:
    program = f"import {entry}, sys; print([name for name in {forbidden!r} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_what_keeps_the_history_runs_without_numpy(folder: Path) -> None:
    without = ("numpy", "duckdb", "sqlglot", "pandas")
    for name in ("commit", "compact", "dimensions"):
        run(RUN.format(entry=ENTRIES[name]), folder, *without)
    root, options = suite(folder, Settings()).history_uri()
    assert Lake(root, options, FACTS).snapshot().to_table().num_rows == 12
    assert Lake(root, options, CONTENT).snapshot().to_table(["content_id"]).to_pylist() == [{"content_id": "match"}]


def test_what_asks_the_history_runs_without_arrow(folder: Path) -> None:
    run(RUN.format(entry=ENTRIES["commit"]), folder)
    assert run(PREFER, folder, "numpy", "pyarrow", "duckdb").split() == ["12", "1", "1"]
    assert "unsure={}" in run(REBUILD, folder, "pyarrow", "duckdb")
