"""The files that a cloud's runtime looks for in an archive, and that no checkout holds."""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from adapters.packaging.resolving import Pinned
from adapters.packaging.target import Cloud, Target
from functions.manifest import Function

HANDLERS: Final = {
    Cloud.aws: "adapters.aws.main.handler",
    Cloud.azure: "function_app.app",
    Cloud.gcp: "main.handle",
}
"""What the runtime calls. Google is told `handle`: its build wants main.py."""

_FUNCTION_APP: Final = '''"""The functions of this app, as the runtime finds them."""

import os

from adapters.azure.app import make_app

app = make_app(os.environ)
'''
_MAIN: Final = '''"""What functions-framework serves: `handle`, of the signature `http`."""

from adapters.gcp.main import handle

__all__ = ["handle"]
'''


def written(function: Function, target: Target, provided: Iterable[Pinned]) -> Mapping[str, str]:
    """Each file's name in the archive and its text."""
    match target.cloud:
        case Cloud.aws:
            return {}
        case Cloud.azure:
            from adapters.azure.host import host_json

            return {"function_app.py": _FUNCTION_APP, "host.json": json.dumps(host_json(function), indent=2) + "\n"}
        case Cloud.gcp:
            pins = "".join(f"{each.name}=={each.version}\n" for each in provided)
            return {"main.py": _MAIN, "requirements.txt": pins}
