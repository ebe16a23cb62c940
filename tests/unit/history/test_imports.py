"""A function pays for the libraries that it uses and no others."""

import subprocess
import sys

import pytest

LAKE = ("duckdb", "deltalake", "pyarrow")


@pytest.mark.parametrize(
    ("entry", "forbidden"),
    [
        ("functions.archive.handler", ("duckdb", "deltalake", "pydantic", "starlette", "cryptography")),
        ("functions.commit.handler", ("duckdb", "pydantic", "starlette", "cryptography")),
        ("functions.watch.handler", (*LAKE, "pydantic", "starlette", "cryptography")),
        ("functions.merge_watch.handler", (*LAKE, "pydantic", "starlette", "cryptography")),
        ("functions.preferences.routes", (*LAKE, "pydantic", "cryptography")),
        ("functions.viewers.routes", (*LAKE, "pydantic", "numpy", "cryptography")),
    ],
)
def test_an_entry_imports_nothing_that_it_can_do_without(entry: str, forbidden: tuple[str, ...]) -> None:
    program = f"import {entry}, sys; print([name for name in {forbidden!r} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"
