"""Which modules a function needs, as found in their source."""

from pathlib import Path

import pytest

from adapters.packaging.modules import Sources
from shared.errors import Misconfigured


def closure(folder: Path, files: dict[str, str], *, left_out: str = "") -> tuple[set[str], set[str]]:
    """What `functions.entry` needs, of ours and of others."""
    for name, text in {"functions/__init__.py": "", "shared/__init__.py": "", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    found = Sources(folder).closure(["functions.entry"], lambda module: module == left_out)
    return set(found.modules), set(found.libraries)


def test_imports_inside_functions_count(tmp_path: Path) -> None:
    files = {"functions/entry.py": "def f():\n    from shared import late\n", "shared/late.py": "import numpy\n"}
    ours, theirs = closure(tmp_path, files)
    assert ours == {"functions", "functions.entry", "shared", "shared.late"}
    assert theirs == {"numpy"}


def test_what_only_a_type_checker_reads_does_not_count(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy\nelse:\n    import orjson\n"
    assert closure(tmp_path, {"functions/entry.py": text})[1] == {"orjson"}


def test_a_package_runs_before_its_modules_and_is_needed_with_them(tmp_path: Path) -> None:
    files = {
        "functions/entry.py": "import shared.deep.end\n",
        "shared/deep/__init__.py": "import msgspec\n",
        "shared/deep/end.py": "",
    }
    ours, theirs = closure(tmp_path, files)
    assert {"shared.deep", "shared.deep.end"} <= ours
    assert theirs == {"msgspec"}


def test_a_name_of_a_package_is_not_taken_for_a_module(tmp_path: Path) -> None:
    files = {
        "functions/entry.py": "from shared.things import Thing, other\n",
        "shared/things/__init__.py": "Thing = 1\n",
    }
    files["shared/things/other.py"] = ""
    assert closure(tmp_path, files)[0] >= {"shared.things", "shared.things.other"}


def test_relative_imports_are_followed(tmp_path: Path) -> None:
    files = {"functions/entry.py": "from . import near\nfrom .near import x\n", "functions/near.py": "x = 1\n"}
    assert "functions.near" in closure(tmp_path, files)[0]


def test_modules_imported_by_their_name_in_a_string_are_followed(tmp_path: Path) -> None:
    files = {
        "functions/entry.py": "from importlib import import_module\nimport_module('shared.named')\n",
        "shared/named.py": "",
    }
    assert "shared.named" in closure(tmp_path, files)[0]


def test_what_a_module_can_do_without_is_not_packed(tmp_path: Path) -> None:
    text = (
        "def f():\n    try:\n        import numpy\n    except ImportError:\n        return None\n    return numpy\n"
    )
    assert closure(tmp_path, {"functions/entry.py": text})[1] == set()


def test_what_a_module_only_complains_about_is_packed(tmp_path: Path) -> None:
    text = "try:\n    import numpy\nexcept ModuleNotFoundError:\n    raise SystemExit('numpy?') from None\n"
    assert closure(tmp_path, {"functions/entry.py": text})[1] == {"numpy"}


def test_what_is_left_out_is_not_followed(tmp_path: Path) -> None:
    files = {"functions/entry.py": "def f():\n    import shared.other\n", "shared/other.py": "import numpy\n"}
    assert closure(tmp_path, files, left_out="shared.other") == ({"functions", "functions.entry"}, set())


def test_what_a_module_imports_at_once_cannot_be_left_out(tmp_path: Path) -> None:
    files = {"functions/entry.py": "import shared.other\n", "shared/other.py": "import numpy\n"}
    assert closure(tmp_path, files, left_out="shared.other")[1] == {"numpy"}


def test_modules_that_import_each_other_are_found_once(tmp_path: Path) -> None:
    files = {
        "functions/entry.py": "import shared.a\n",
        "shared/a.py": "import shared.b\n",
        "shared/b.py": "import shared.a\n",
    }
    assert {"shared.a", "shared.b"} <= closure(tmp_path, files)[0]


def test_a_module_that_is_not_there_is_named_with_who_wants_it(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"no module shared\.gone, which functions\.entry imports in line 2"):
        closure(tmp_path, {"functions/entry.py": "\nimport shared.gone\n"})
