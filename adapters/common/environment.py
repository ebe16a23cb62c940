"""What a provider reads of its surroundings, with one clear line for what is missing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from functions.manifest import FUNCTIONS, Function
from shared.errors import Misconfigured

FUNCTION = "GRANDSTAND_FUNCTION"
NAME = "GRANDSTAND_NAME"
DEFAULT_NAME = "grandstand"


def require(environ: Mapping[str, str], name: str, example: str) -> str:
    """A variable's value. Raises Misconfigured that names it where it is not set, or empty."""
    value = environ.get(name, "").strip()
    if not value:
        raise Misconfigured(f"{name} is not set. Set it, for example {name}={example}.")
    return value


def suite_name(environ: Mapping[str, str]) -> str:
    """What every resource's name begins with."""
    return environ.get(NAME, "").strip() or DEFAULT_NAME


def hosted_function(environ: Mapping[str, str]) -> Function:
    """The manifest's function that this deployment hosts. Raises Misconfigured."""
    name = require(environ, FUNCTION, "ingest")
    for function in FUNCTIONS:
        if function.name == name:
            return function
    known = ", ".join(function.name for function in FUNCTIONS)
    raise Misconfigured(f"{FUNCTION}={name!r} is no function of the suite. Set it to one of: {known}.")


@contextmanager
def needs_extra(cloud: str) -> Iterator[None]:
    """Names the extra to install where a cloud's library is missing, when that is used. Raises Misconfigured."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise Misconfigured(
            f"{missing.name} is not installed, which {cloud} needs: pip install 'grandstand[{cloud}]'"
        ) from missing
