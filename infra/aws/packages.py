"""The packages that `grandstand package --cloud aws` made, as `package.json` beside them lists them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.errors import Misconfigured

LIST: Final = "package.json"
MAKE: Final = "Make the packages with: grandstand package --cloud aws --out DIR"
SNAP_START_SINCE: Final = (3, 12)


@dataclass(frozen=True, slots=True)
class Package:
    """One function's archive, and how Lambda runs it."""

    archive: Path
    handler: str
    runtime: str
    architecture: str

    @property
    def can_snap_start(self) -> bool:
        """Lambda takes snapshots of Python 3.12 and newer."""
        version = self.runtime.removeprefix("python").split(".")
        return tuple(int(part) for part in version) >= SNAP_START_SINCE


def read_packages(folder: Path, functions: Iterable[str]) -> Mapping[str, Package]:
    """The package of each of `functions`. Raises Misconfigured where one is missing, and says how to make it."""
    path = folder / LIST
    try:
        listed = json.loads(path.read_bytes())
        found = {one["name"]: _package(folder, one) for one in listed["functions"]}
    except FileNotFoundError:
        raise Misconfigured(f"There is no {path}. {MAKE}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured(f"{path} is not a list of packages: {error!r}. {MAKE}") from None
    missing = sorted(name for name in functions if name not in found or not found[name].archive.is_file())
    if missing:
        raise Misconfigured(f"{folder} has no package of {', '.join(missing)}. {MAKE}")
    return found


def _package(folder: Path, one: Mapping[str, Any]) -> Package:
    return Package(
        archive=folder / one["archive"],
        handler=one["handler"],
        runtime=one["runtime"],
        architecture=one["architecture"],
    )
