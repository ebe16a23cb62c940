"""What of a distribution never runs in a function, and so stays out of its archive.

Licences and notices always stay, and METADATA and entry points, which libraries read to find versions and plugins.
"""

from collections.abc import Collection
from fnmatch import fnmatchcase
from typing import Final

_EVERYWHERE: Final = (
    "*.pyi",
    "*.pyx",
    "*.pxd",
    "*.pxi",
    "*.c",
    "*.cc",
    "*.cpp",
    "*.h",
    "*.hpp",
    "*.a",
    "*.lib",
    "*.cmake",
    "*.f90",
    "*.proto",
    "*.pyc",
    "*.pth",
    "*/py.typed",
    ".lock",
    "*/tests/*",
    "*/test/*",
    "bin/*",
    "include/*",
    "share/*",
    "etc/*",
)
_OF_METADATA_KEPT: Final = ("METADATA", "entry_points.txt", "licen", "copying", "notice", "author")
_OF_METADATA_DROPPED: Final = ("sboms/",)

_NEVER: Final[dict[str, tuple[str, ...]]] = {
    "aws-lambda-powertools": ("*/event_handler/*",),
    "boto3": ("boto3/data/*", "boto3/examples/*"),
    "botocore": ("botocore/data/*/examples-1.json", "botocore/docs/bcdoc/textwriter.py"),
    "numpy": (
        "numpy/f2py/*",
        "numpy/distutils/*",
        "numpy/_pyinstaller/*",
        "numpy/_core/include/*",
        "numpy/_core/lib/*",
        "numpy/conftest.py",
    ),
    "apache-libcloud": (
        "libcloud/test/*",
        "libcloud/compute/drivers/*",
        "libcloud/compute/constants/*",
        "libcloud/container/drivers/*",
        "libcloud/dns/drivers/*",
        "libcloud/loadbalancer/drivers/*",
        "libcloud/backup/drivers/*",
        "libcloud/data/*",
    ),
    # one library under three names; the extension modules ask for the middle one
    "pyarrow": ("pyarrow/libarrow_python*.so", "pyarrow/lib*.so.*.*.*", "pyarrow/include/*", "pyarrow/src/*"),
    "zstandard": ("zstandard/_cffi.*", "zstandard/backend_cffi.py"),  # the other backend, for PyPy
}

_UNLESS_IMPORTED: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "pyarrow": {
        "pyarrow.flight": ("pyarrow/flight.py", "pyarrow/_flight.*", "pyarrow/libarrow*flight.*"),
        "pyarrow.substrait": ("pyarrow/substrait.py", "pyarrow/_substrait.*"),
        "pyarrow.dataset": ("pyarrow/dataset.py", "pyarrow/_dataset*"),
        "pyarrow.orc": ("pyarrow/orc.py", "pyarrow/_orc.*"),
        "pyarrow.csv": ("pyarrow/csv.py", "pyarrow/_csv.*"),
        "pyarrow.json": ("pyarrow/json.py", "pyarrow/_json.*"),
        "pyarrow.feather": ("pyarrow/feather.py", "pyarrow/_feather.*"),
        "pyarrow.cuda": ("pyarrow/cuda.py", "pyarrow/_cuda.*"),
        "pyarrow.cffi": ("pyarrow/cffi.py",),
        "pyarrow.jvm": ("pyarrow/jvm.py",),
        "pyarrow.interchange": ("pyarrow/interchange/*",),
        "pyarrow.parquet.encryption": (
            "pyarrow/parquet/encryption.py",
            "pyarrow/_parquet_encryption.*",
            "pyarrow/libarrow_python_parquet_encryption.*",
        ),
        # file systems of its own: the history's bytes come through delta-rs and the object store's port
        "pyarrow._s3fs": (
            "pyarrow/_s3fs.*",
            "pyarrow/_gcsfs.*",
            "pyarrow/_azurefs.*",
            "pyarrow/_hdfs.*",
            "pyarrow/libarrow_s3.*",
        ),
        "pyarrow._pyarrow_cpp_tests": ("pyarrow/_pyarrow_cpp_tests.*", "pyarrow/conftest.py"),
    },
}
_BOTOCORE_DATA: Final = "botocore/data/"


def kept(distribution: str, name: str) -> bool:
    """Whether a file of a distribution may run, or says whose it is."""
    folder, _, rest = name.partition("/")
    if folder.endswith(".dist-info"):
        low = rest.lower()
        if any(low.startswith(each) for each in _OF_METADATA_DROPPED):
            return False
        return any(each.lower() in low for each in _OF_METADATA_KEPT)
    if any(fnmatchcase(name, pattern) for pattern in _EVERYWHERE):
        return False
    return not any(fnmatchcase(name, pattern) for pattern in _NEVER.get(distribution, ()))


def used(distribution: str, name: str, imported: Collection[str], services: Collection[str]) -> bool:
    """Whether one function may reach a file: by the modules that it imports and the AWS services that it calls."""
    if distribution == "botocore" and name.startswith(_BOTOCORE_DATA):
        service, _, inside = name.removeprefix(_BOTOCORE_DATA).partition("/")
        return not inside or service in services
    for module, patterns in _UNLESS_IMPORTED.get(distribution, {}).items():
        if module not in imported and any(fnmatchcase(_source_name(name), pattern) for pattern in patterns):
            return False
    return True


def _source_name(name: str) -> str:
    """Of a .pyc, its source: both stay, or both go."""
    if not name.endswith(".pyc"):
        return name
    folder, _, file = name.rpartition("/__pycache__/")
    return f"{folder}/{file.partition('.')[0]}.py"
