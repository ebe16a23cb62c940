"""What a function app tells the Functions host beside its functions: `host.json`, and the names of its settings."""

from typing import Any, Final

from adapters.azure.schedules import invocation_seconds
from functions.manifest import FUNCTIONS, Function, OnQueue, OnStream

EVENT_HUBS_SETTING: Final = "GRANDSTAND_EVENT_HUBS_CONNECTION"
"""The host reads `…__fullyQualifiedNamespace`, `…__credential=managedidentity` and `…__clientId`.

Not GRANDSTAND_EVENT_HUBS: the host takes a setting of the very name for a connection string, whatever follows `__`.
"""
STORAGE_SETTING: Final = "GRANDSTAND_STORAGE_CONNECTION"
"""The host reads `…__queueServiceUri`, `…__credential=managedidentity` and `…__clientId`."""
BUNDLE: Final = {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.0.0, 5.0.0)"}
MARGIN_SECONDS: Final = 30
"""After our own deadline, until the host ends the process."""
MAX_WAIT_SECONDS: Final = 600
HOST_ATTEMPTS: Final = 10_000
"""Until the host itself gives a message up: ours go to our dead letters long before, with their reason."""
CHECK_SECONDS: Final = 30
"""How soon a message that was not settled comes again."""


def host_json(function: Function | None) -> dict[str, Any]:
    """The content of `host.json` for the app of one function; None for an app of all of them."""
    extensions: dict[str, Any] = {"http": {"routePrefix": ""}}
    hosted = (function,) if function else FUNCTIONS
    streams = [each.trigger for each in hosted if isinstance(each.trigger, OnStream)]
    if streams:
        extensions["eventHubs"] = _event_hubs(min(streams, key=lambda each: (each.batch_records, each.window_ms)))
    if any(isinstance(each.trigger, OnQueue) for each in hosted):
        extensions["queues"] = {
            "batchSize": 1,
            "newBatchThreshold": 0,
            "maxDequeueCount": HOST_ATTEMPTS,
            "visibilityTimeout": _span(CHECK_SECONDS),
            "messageEncoding": "base64",
        }
    return {
        "version": "2.0",
        "extensionBundle": BUNDLE,
        "extensions": extensions,
        "functionTimeout": _span(max(map(invocation_seconds, hosted)) + MARGIN_SECONDS),
        "logging": {
            "logLevel": {"default": "Warning", "Function": "Information", "Host.Results": "Information"},
            "applicationInsights": {"samplingSettings": {"isEnabled": True, "excludedTypes": "Exception"}},
        },
    }


def _event_hubs(trigger: OnStream) -> dict[str, Any]:
    """A window is gathered by waiting for a full batch, but no longer than that."""
    gathered = {
        "minEventBatchSize": trigger.batch_records,
        "maxWaitTime": _span(min(MAX_WAIT_SECONDS, -(-trigger.window_ms // 1_000))),
    }
    return {
        "maxEventBatchSize": trigger.batch_records,
        "prefetchCount": 2 * trigger.batch_records,
        "batchCheckpointFrequency": 1,
        "initialOffsetOptions": {"type": "fromStart"},
        **(gathered if trigger.window_ms else {}),
    }


def _span(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"
