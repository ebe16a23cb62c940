"""Packaging as a whole, on a small checkout with wheels of its own."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from adapters.packaging import building
from adapters.packaging.target import LIMITS, Arch, Cloud, Limits
from shared.errors import Misconfigured
from tests.unit.packaging.house import PAGE, TALLY, House, names, no_shelf, read, write_wheel

FOREIGN = "keep me"


def test_an_archive_holds_what_its_function_imports_and_nothing_else(house: House, tmp_path: Path) -> None:
    building.build(house.job(), [TALLY], tmp_path / "out", check=True)
    assert names(tmp_path / "out/tally.zip") == sorted(
        [
            "adapters/__init__.py",
            "adapters/aws/__init__.py",
            "adapters/aws/main.py",
            "adapters/aws/ports.py",
            "adapters/aws/table.py",
            "botocore-1.0.dist-info/METADATA",
            "botocore-1.0.dist-info/licenses/LICENSE",
            "botocore/__init__.py",
            "botocore/data/dynamodb/service-2.json",
            "botocore/data/endpoints.json",
            "functions/__init__.py",
            "functions/tally/__init__.py",
            "functions/tally/handler.py",
            "jmespath-1.0.dist-info/METADATA",
            "jmespath-1.0.dist-info/licenses/LICENSE",
            "jmespath/__init__.py",
            "numpy-1.0.dist-info/METADATA",
            "numpy-1.0.dist-info/licenses/LICENSE",
            "numpy/__init__.py",
            "shared/__init__.py",
            "shared/counting.py",
        ]
    )


def test_a_function_that_speaks_http_carries_what_answers_it_and_its_pages(house: House, tmp_path: Path) -> None:
    building.build(house.job(), [PAGE], tmp_path / "out", check=True)
    held = names(tmp_path / "out/page.zip")
    assert {"functions/http/app.py", "functions/http/docs.html", "starlette/__init__.py"} <= set(held)
    assert "shared/counting.py" not in held


def test_every_source_has_its_bytecode_which_never_looks_at_the_source(house: House, tmp_path: Path) -> None:
    building.build(house.job(), [TALLY], tmp_path / "out", check=True)
    with zipfile.ZipFile(tmp_path / "out/tally.zip") as file:
        held = set(file.namelist())
        compiled = {name for name in held if name.endswith(".pyc")}
        assert len(compiled) == len([name for name in held if name.endswith(".py")])
        for name in compiled:
            assert file.read(name)[4:8] == b"\x01\0\0\0", "flags of PEP 552: hash-based, unchecked"


def test_two_builds_from_nothing_are_the_same_to_the_byte(house: House, tmp_path: Path) -> None:
    for number in ("one", "two"):
        building.build(
            house.job(cache=tmp_path / number / "cache"), [TALLY, PAGE], tmp_path / number / "out", check=True
        )
    for name in ("tally.zip", "page.zip", "package.json"):
        assert (tmp_path / "one/out" / name).read_bytes() == (tmp_path / "two/out" / name).read_bytes()


def test_the_choice_of_functions_does_not_show_in_an_archive(house: House, tmp_path: Path) -> None:
    building.build(house.job(cache=tmp_path / "cache-1"), [TALLY, PAGE], tmp_path / "both", check=False)
    building.build(house.job(cache=tmp_path / "cache-2"), [TALLY], tmp_path / "one", check=False)
    assert (tmp_path / "both/tally.zip").read_bytes() == (tmp_path / "one/tally.zip").read_bytes()


def test_no_path_of_this_machine_is_in_an_archive(house: House, tmp_path: Path) -> None:
    building.build(house.job(), [TALLY, PAGE], tmp_path / "out", check=False)
    for archive in (tmp_path / "out").glob("*.zip"):
        with zipfile.ZipFile(archive) as file:
            for name in file.namelist():
                assert str(tmp_path).encode() not in file.read(name)


def test_a_second_run_needs_no_index(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = building.build(house.job(), [TALLY], tmp_path / "out", check=True)
    with no_shelf(monkeypatch):
        again = building.build(house.job(), [TALLY], tmp_path / "out", check=True)
    assert again == first


def test_an_edit_reaches_the_next_archive(house: House, tmp_path: Path) -> None:
    building.build(house.job(), [TALLY], tmp_path / "out", check=True)
    house.write("shared/counting.py", "def count():\n    return 2\n")
    building.build(house.job(), [TALLY], tmp_path / "out", check=True)
    assert "return 2" in read(tmp_path / "out/tally.zip", "shared/counting.py")
    assert "numpy/__init__.py" not in names(tmp_path / "out/tally.zip")


def test_what_is_missing_from_the_archive_is_told_and_the_folder_stays_as_it_was(
    house: House, tmp_path: Path
) -> None:
    building.build(house.job(), [TALLY], tmp_path / "out", check=True)
    before = (tmp_path / "out/tally.zip").read_bytes()
    house.write("shared/counting.py", "import importlib\ncount = importlib.import_module('num' + 'ber')\n")
    with pytest.raises(Misconfigured, match=r"(?s)tally does not start from its archive.*No module named 'number'"):
        building.build(house.job(), [TALLY], tmp_path / "out", check=True)
    assert (tmp_path / "out/tally.zip").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_folder_with_other_things_in_it_is_left_alone(house: House, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/notes.txt").write_text(FOREIGN)
    with pytest.raises(Misconfigured, match="holds other things than packages"):
        building.build(house.job(), [TALLY], tmp_path / "out", check=False)
    assert (tmp_path / "out/notes.txt").read_text() == FOREIGN


def test_a_folder_that_cannot_be_made_is_told(house: House, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(FOREIGN)
    with pytest.raises(Misconfigured, match=r"file/out cannot be made: Not a directory .*--out"):
        building.build(house.job(), [TALLY], tmp_path / "file/out", check=False)


def test_what_an_earlier_call_packaged_gives_way(house: House, tmp_path: Path) -> None:
    building.build(house.job(), [TALLY, PAGE], tmp_path / "out", check=False)
    building.build(house.job(), [PAGE], tmp_path / "out", check=False)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["package.json", "page.zip"]


def test_what_passes_the_clouds_limit_is_told_with_its_largest_parts(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, Cloud.aws, Limits(unpacked=2_000))
    with pytest.raises(Misconfigured, match=r"tally is .* MiB unpacked; the limit is .*numpy .*--why PACKAGE"):
        building.build(house.job(), [TALLY], tmp_path / "out", check=False)
    assert not (tmp_path / "out").exists()


def test_a_library_that_nobody_knows_is_named(house: House, tmp_path: Path) -> None:
    house.write("shared/counting.py", "import brandnew\n")
    with pytest.raises(Misconfigured, match="which distribution has the module brandnew"):
        building.build(house.job(), [TALLY], tmp_path / "out", check=False)


def test_a_library_without_a_wheel_for_the_target_is_named(house: House, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    (shelf / "numpy-1.0-py3-none-any.whl").unlink()
    write_wheel(shelf, "numpy", {"numpy/__init__.py": ""}, tag="py3-none-manylinux_2_17_x86_64")
    building.build(house.job(arch=Arch.x86_64), [TALLY], tmp_path / "out", check=False)
    with pytest.raises(Misconfigured, match=r"numpy 1\.0 has no wheel for Python 3\.\d+ on Linux arm64"):
        building.build(house.job(arch=Arch.arm64), [TALLY], tmp_path / "arm", check=False)
    assert not (tmp_path / "arm").exists()


def test_a_version_that_the_lock_file_does_not_hold_is_refused(house: House, tmp_path: Path) -> None:
    lock = house.folder / "requirements/dev.lock"
    lock.write_text(lock.read_text().replace("jmespath==1.0\n", ""))  # which botocore needs
    with pytest.raises(Misconfigured, match=r"does not hold jmespath 1\.0"):
        building.build(house.job(), [TALLY], tmp_path / "out", check=False)


def test_without_a_lock_file_a_checkout_is_asked_for(house: House, tmp_path: Path) -> None:
    shutil.rmtree(house.folder / "requirements")
    with pytest.raises(Misconfigured, match="packages are made from a checkout"):
        building.build(house.job(), [TALLY], tmp_path / "out", check=False)


def test_package_json_tells_what_one_needs_to_run_an_archive_by_hand(house: House, tmp_path: Path) -> None:
    [built] = building.build(house.job(), [TALLY], tmp_path / "out", check=False)
    described = json.loads((tmp_path / "out/package.json").read_text())
    [function] = described["functions"]
    assert (described["cloud"], described["architecture"]) == ("aws", "x86_64")
    assert function["archive"] == "tally.zip"
    assert function["handler"] == "adapters.aws.main.handler"
    assert function["trigger"] == {"kind": "schedule", "every_seconds": 60, "started_every_seconds": 60}
    assert (function["memory_mb"], function["timeout_seconds"]) == (256, 20)
    assert (function["sha256"], function["zipped_bytes"]) == (built.sha256, built.zipped)
    assert {"name": "GRANDSTAND_FUNCTION", "value": "tally"}.items() <= function["settings"][0].items()
    assert function["libraries"] == {"botocore": "1.0", "jmespath": "1.0", "numpy": "1.0"}


def test_azure_finds_its_app_its_host_and_the_libraries_where_it_looks(house: House, tmp_path: Path) -> None:
    building.build(house.job(Cloud.azure), [TALLY], tmp_path / "out", check=True)
    archive = tmp_path / "out/tally.zip"
    assert {"function_app.py", "host.json", ".python_packages/lib/site-packages/numpy/__init__.py"} <= set(
        names(archive)
    )
    host = json.loads(read(archive, "host.json"))
    assert host["extensions"]["http"] == {"routePrefix": ""}
    assert host["functionTimeout"] > "00:00:20"


def test_google_installs_the_framework_itself_from_the_locked_versions(house: House, tmp_path: Path) -> None:
    building.build(house.job(Cloud.gcp), [TALLY], tmp_path / "out", check=True)
    archive = tmp_path / "out/tally.zip"
    assert read(archive, "requirements.txt") == "flask==1.0\nfunctions-framework==1.0\n"
    assert "main.py" in names(archive)
    assert not any(name.startswith(("flask", "functions_framework")) for name in names(archive))
