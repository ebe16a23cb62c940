"""The live page as files, and what a CDN must say of each. `python -m infra.aws.page` prints `openapi.json`."""

import json
import sys
from pathlib import Path
from typing import Final

from functions.http.app import always_ready
from functions.http.openapi import openapi
from functions.http.pages import make as beside
from functions.manifest import FUNCTIONS, Http
from infra.aws.config import WEB
from infra.manifest import served
from shared.errors import Misconfigured
from shared.settings import Settings

EVERYWHERE: Final = "/*"


def check_built(page: Path) -> None:
    """Raises Misconfigured where the page has not been built."""
    if not (page / "index.html").is_file():
        raise Misconfigured(f"{page} holds no live page. Build it with `make web`, or say where it is: -c page=DIR")


def header_rules(web: Path = WEB) -> dict[str, dict[str, str]]:
    """Headers by address from `web/security-headers.json`; an address has those of all, and its own over them."""
    rules: dict[str, dict[str, str]] = json.loads((web / "security-headers.json").read_bytes())
    everywhere = rules[EVERYWHERE]
    return {address: {**everywhere, **own} for address, own in rules.items()}


def openapi_document() -> str:
    """The document of every HTTP function: each one's own has its endpoints only."""
    settings = Settings()
    endpoints = [one for function in FUNCTIONS if isinstance(function.trigger, Http) for one in served(function)]
    everything = [*endpoints, *beside(endpoints, settings, loopback=False, ready=always_ready)]
    return json.dumps(openapi(everything, settings, loopback=False), sort_keys=True)


if __name__ == "__main__":
    sys.stdout.write(openapi_document())
