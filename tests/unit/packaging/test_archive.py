"""Archives as bytes."""

import os
import zipfile
from pathlib import Path

from adapters.packaging.archive import Member, member, write_archive
from adapters.packaging.cache import Cache


def held(folder: Path, files: dict[str, bytes]) -> list[Member]:
    folder.mkdir()
    found = []
    for number, (name, value) in enumerate(files.items()):
        path = folder / str(number)
        path.write_bytes(value)
        found.append(member(name, path))
    return found


FILES = {"b.py": b"b" * 5_000, "a/empty.py": b"", "a/é.txt": "ü".encode(), "lib/x.so.1": os.urandom(3_000)}


def test_it_reads_as_any_zip_file(tmp_path: Path) -> None:
    write_archive(tmp_path / "x.zip", held(tmp_path / "files", FILES), Cache(tmp_path / "cache"))
    with zipfile.ZipFile(tmp_path / "x.zip") as file:
        assert file.testzip() is None
        assert file.namelist() == sorted(FILES)
        assert {name: file.read(name) for name in file.namelist()} == FILES


def test_neither_the_order_nor_the_times_of_files_show(tmp_path: Path) -> None:
    first = held(tmp_path / "one", FILES)
    second = held(tmp_path / "two", dict(reversed(FILES.items())))
    os.utime(second[0].path, (1, 1))
    one = write_archive(tmp_path / "one.zip", first, Cache(tmp_path / "cache"))
    two = write_archive(tmp_path / "two.zip", second, Cache(tmp_path / "another"))
    assert one == two
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_all_files_have_one_time_and_libraries_may_run(tmp_path: Path) -> None:
    write_archive(tmp_path / "x.zip", held(tmp_path / "files", FILES), Cache(tmp_path / "cache"))
    with zipfile.ZipFile(tmp_path / "x.zip") as file:
        assert {each.date_time for each in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        modes = {each.filename: oct(each.external_attr >> 16) for each in file.infolist()}
    assert modes["lib/x.so.1"] == "0o100755"
    assert modes["b.py"] == "0o100644"


def test_what_was_deflated_once_is_taken_from_the_cache(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    members = held(tmp_path / "files", FILES)
    first = write_archive(tmp_path / "one.zip", members, cache)
    for each in members:
        each.path.unlink()
    assert write_archive(tmp_path / "two.zip", members, cache) == first
