"""What of a distribution stays, and what goes."""

import pytest

from adapters.packaging.pruning import kept, used


@pytest.mark.parametrize(
    "name",
    [
        "numpy/core/tests/test_x.py",
        "msgspec/_core.pyi",
        "pyarrow/include/arrow/api.h",
        "pyarrow/libarrow_python.so",
        "pyarrow/libarrow_python.so.2600.1.0",
        "x-1.0.dist-info/RECORD",
        "deltalake-1.0.dist-info/sboms/deltalake.cyclonedx.json",
        "bin/f2py",
    ],
)
def test_what_never_runs_goes(name: str) -> None:
    distribution = name.partition("/")[0]
    assert not kept(distribution, name)


@pytest.mark.parametrize(
    "name",
    [
        "pyarrow/libarrow_python.so.2600",
        "numpy.libs/libopenblas.so",
        "numpy/typing/__init__.py",
        "x-1.0.dist-info/METADATA",
        "x-1.0.dist-info/entry_points.txt",
        "x-1.0.dist-info/licenses/LICENSE.txt",
        "x-1.0.dist-info/NOTICE",
        "certifi/cacert.pem",
    ],
)
def test_what_runs_and_whose_it_is_stays(name: str) -> None:
    assert kept(name.partition("/")[0], name)


def test_botocore_knows_the_services_that_are_called_and_no_others() -> None:
    services = {"dynamodb"}
    assert used("botocore", "botocore/data/dynamodb/2012-08-10/service-2.json.gz", (), services)
    assert not used("botocore", "botocore/data/ec2/2016-11-15/service-2.json.gz", (), services)
    assert used("botocore", "botocore/data/endpoints.json", (), services)


def test_a_part_of_pyarrow_goes_along_when_it_is_imported() -> None:
    for name in (
        "pyarrow/dataset.py",
        "pyarrow/__pycache__/dataset.cpython-313.pyc",
        "pyarrow/_dataset.cpython-313.so",
    ):
        assert used("pyarrow", name, {"pyarrow", "pyarrow.dataset"}, ())
        assert not used("pyarrow", name, {"pyarrow"}, ())
    assert used("pyarrow", "pyarrow/lib.cpython-313.so", {"pyarrow"}, ())
