"""The files that a cloud's runtime looks for in an archive, and that no checkout holds."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from adapters.packaging.resolving import Pinned
from adapters.packaging.target import Cloud, Target
from functions.manifest import Function, OnQueue, OnStream

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
_BUNDLE: Final = {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.0.0, 5.0.0)"}
_MORE_ATTEMPTS: Final = 5
"""After ours, until the host itself gives a message up: ours go to our dead letters, with their reason."""


def written(function: Function, target: Target, provided: Iterable[Pinned]) -> Mapping[str, str]:
    """Each file's name in the archive and its text."""
    match target.cloud:
        case Cloud.aws:
            return {}
        case Cloud.azure:
            return {"function_app.py": _FUNCTION_APP, "host.json": json.dumps(_host(function), indent=2) + "\n"}
        case Cloud.gcp:
            pins = "".join(f"{each.name}=={each.version}\n" for each in provided)
            return {"main.py": _MAIN, "requirements.txt": pins}


def _host(function: Function) -> dict[str, Any]:
    extensions: dict[str, Any] = {"http": {"routePrefix": ""}}
    trigger = function.trigger
    if isinstance(trigger, OnStream):
        extensions["eventHubs"] = {
            "maxEventBatchSize": trigger.batch_records,
            "minEventBatchSize": 1,
            "batchCheckpointFrequency": 1,
            "prefetchCount": trigger.batch_records,
        }
    elif isinstance(trigger, OnQueue):
        extensions["queues"] = {
            "batchSize": 1,
            "maxDequeueCount": trigger.max_attempts + _MORE_ATTEMPTS,
            "visibilityTimeout": "00:00:30",
            "messageEncoding": "base64",
        }
    minutes, seconds = divmod(function.timeout_seconds, 60)
    return {
        "version": "2.0",
        "extensionBundle": _BUNDLE,
        "extensions": extensions,
        "functionTimeout": f"00:{minutes:02}:{seconds:02}",
    }
