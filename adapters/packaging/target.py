"""Where a package is to run: cloud, processor, Python and the oldest C library of the runtime's Linux."""

import platform
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.errors import Misconfigured


class Cloud(StrEnum):
    """A provider that functions are packaged for."""

    aws = "aws"
    azure = "azure"
    gcp = "gcp"


class Arch(StrEnum):
    """A processor, as package indexes and users say it."""

    arm64 = "arm64"
    x86_64 = "x86_64"


Version = tuple[int, int]

PYTHONS: Final = ((3, 11), (3, 12), (3, 13))
"""What all three clouds run."""
ARCHES: Final = {
    Cloud.aws: (Arch.arm64, Arch.x86_64),
    Cloud.azure: (Arch.x86_64,),
    Cloud.gcp: (Arch.x86_64,),
}
"""The first one is what is packaged for when none is named."""
_WHY_NOT: Final = {
    Cloud.azure: "Azure Functions Flex Consumption",
    Cloud.gcp: "Cloud Functions",
}

# Lambda's python3.11 stands on Amazon Linux 2, 3.12 and later on Amazon Linux 2023. Azure's images are Debian 11 at
# the oldest, Google's Ubuntu 22.04.
_OLDEST_GLIBC: Final = {Cloud.aws: (2, 34), Cloud.azure: (2, 31), Cloud.gcp: (2, 35)}
_AMAZON_LINUX_2_GLIBC: Final = (2, 26)
_WHEEL_GLIBCS: Final = (
    (2, 40),
    (2, 39),
    (2, 38),
    (2, 37),
    (2, 36),
    (2, 35),
    (2, 34),
    (2, 33),
    (2, 32),
    (2, 31),
    (2, 28),
)
_MANYLINUX_2014: Final = (2, 17)
_MACHINES: Final = {"arm64": Arch.arm64, "aarch64": Arch.arm64, "x86_64": Arch.x86_64, "amd64": Arch.x86_64}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes. `direct` is what can be handed over at once; a larger archive goes by way of a bucket."""

    unpacked: int
    direct: int | None = None


LIMITS: Final = {
    Cloud.aws: Limits(unpacked=262_144_000, direct=50 * 1024 * 1024),
    Cloud.azure: Limits(unpacked=1024**3),
    Cloud.gcp: Limits(unpacked=1024**3),
}
"""AWS: Lambda's quotas. Azure's Flex Consumption and Google's second generation state none: 1 GiB is ours."""


@dataclass(frozen=True, slots=True)
class Target:
    """What archives are made for."""

    cloud: Cloud
    arch: Arch
    python: Version
    glibc: Version

    @property
    def python_text(self) -> str:
        return f"{self.python[0]}.{self.python[1]}"

    @property
    def runtime(self) -> str:
        """The runtime's name as the cloud spells it."""
        major, minor = self.python
        names = {
            Cloud.aws: f"python{major}.{minor}",
            Cloud.azure: f"python|{major}.{minor}",
            Cloud.gcp: f"python{major}{minor}",
        }
        return names[self.cloud]

    @property
    def platform(self) -> str:
        """uv's name for the platform whose wheels run there."""
        machine = "aarch64" if self.arch is Arch.arm64 else "x86_64"
        if self.glibc < _WHEEL_GLIBCS[-1]:
            return f"{machine}-manylinux_{_MANYLINUX_2014[0]}_{_MANYLINUX_2014[1]}"
        newest = next(each for each in _WHEEL_GLIBCS if each <= self.glibc)
        return f"{machine}-manylinux_{newest[0]}_{newest[1]}"

    @property
    def tag(self) -> str:
        """Names what a prepared distribution was made for."""
        return f"py{self.python[0]}{self.python[1]}-{self.platform}"

    @property
    def runs_here(self) -> bool:
        """Whether this machine can import what is packaged, with the Python that it is packaged for."""
        if sys.platform != "linux" or _MACHINES.get(platform.machine().lower()) is not self.arch:
            return False
        return _glibc_here() >= self.glibc


def choose_arch(cloud: Cloud, arch: Arch | None) -> Arch:
    """The processor asked for, or the cloud's usual one. Raises Misconfigured where the cloud has no such one."""
    runs = ARCHES[cloud]
    if arch is None:
        return runs[0]
    if arch not in runs:
        raise Misconfigured(f"{_WHY_NOT[cloud]} runs on {runs[0]} only. Leave --arch out, or say --arch {runs[0]}.")
    return arch


def runtime_glibc(cloud: Cloud, python: Version) -> Version:
    """The C library of the cloud's runtime for a Python."""
    return _AMAZON_LINUX_2_GLIBC if cloud is Cloud.aws and python < (3, 12) else _OLDEST_GLIBC[cloud]


def parse_version(text: str, option: str) -> Version:
    """`3.13` or `2.28`. Raises Misconfigured."""
    major, dot, minor = text.partition(".")
    if not (dot and major.isdecimal() and minor.isdecimal()):
        raise Misconfigured(f"{option} {text!r} is no version of two numbers, such as 3.13.")
    return int(major), int(minor)


def _glibc_here() -> Version:
    name, version = platform.libc_ver()
    major, _, minor = version.partition(".")
    return (int(major), int(minor)) if name == "glibc" and minor.isdecimal() else (0, 0)
