"""What can run where."""

from pathlib import Path

import pytest

from adapters.packaging.resolving import read_lock, resolve
from adapters.packaging.target import Arch, Cloud, Target, choose_arch, parse_version, runtime_glibc
from shared.errors import Misconfigured, Unavailable
from tests.unit.packaging.house import House, write_wheel


def test_lambda_runs_both_processors_and_arm64_when_none_is_named() -> None:
    assert choose_arch(Cloud.aws, None) is Arch.arm64
    assert choose_arch(Cloud.aws, Arch.x86_64) is Arch.x86_64


@pytest.mark.parametrize("cloud", [Cloud.azure, Cloud.gcp])
def test_the_others_refuse_arm64_and_say_why(cloud: Cloud) -> None:
    assert choose_arch(cloud, None) is Arch.x86_64
    with pytest.raises(Misconfigured, match="runs on x86_64 only"):
        choose_arch(cloud, Arch.arm64)


@pytest.mark.parametrize(
    ("python", "platform"),
    [((3, 11), "aarch64-manylinux_2_17"), ((3, 12), "aarch64-manylinux_2_34"), ((3, 13), "aarch64-manylinux_2_34")],
)
def test_wheels_are_those_that_the_runtimes_linux_can_load(python: tuple[int, int], platform: str) -> None:
    assert Target(Cloud.aws, Arch.arm64, python, runtime_glibc(Cloud.aws, python)).platform == platform


def test_each_cloud_has_its_own_word_for_a_python() -> None:
    said = [Target(cloud, Arch.x86_64, (3, 13), (2, 34)).runtime for cloud in Cloud]
    assert said == ["python3.13", "python|3.13", "python313"]


def test_a_version_that_is_none_is_refused() -> None:
    assert parse_version("2.28", "--glibc") == (2, 28)
    with pytest.raises(Misconfigured, match="--glibc 'new' is no version"):
        parse_version("new", "--glibc")


def test_an_index_that_cannot_be_reached_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    job = house.job()
    with pytest.raises(Unavailable, match="index cannot be reached"):
        resolve(["numpy"], read_lock(job.project), job.target, job.cache)


def test_lambdas_python_3_11_is_too_old_for_a_wheel_and_the_way_out_is_told(house: House, tmp_path: Path) -> None:
    job = house.job()
    old = Target(Cloud.aws, Arch.arm64, (3, 11), runtime_glibc(Cloud.aws, (3, 11)))
    (tmp_path / "shelf/numpy-1.0-py3-none-any.whl").unlink()
    write_wheel(tmp_path / "shelf", "numpy", {"numpy/__init__.py": ""}, tag="cp311-cp311-manylinux_2_28_aarch64")
    with pytest.raises(Misconfigured, match=r"numpy 1\.0 has no wheel .* glibc 2\.26\..*--python 3\.13"):
        resolve(["numpy"], read_lock(job.project), old, job.cache)
