"""Which parts of a provider a function needs, by its manifest entry: what it does not use is not packed."""

from collections.abc import Callable
from typing import Final

from adapters.packaging.modules import Sources
from adapters.packaging.target import Cloud
from functions.manifest import Function, Http, OnQueue, OnStream

HOSTS: Final = {
    Cloud.aws: "adapters.aws.main",
    Cloud.azure: "adapters.azure.app",
    Cloud.gcp: "adapters.gcp.main",
}
"""The module that each cloud's runtime calls."""

_PORTS: Final = ("stream", "table", "objects", "queue", "secrets", "mailer", "history", "warehouse")
"""Modules of a provider's folder that its suite.py imports when their port is asked for."""
_WORDS: Final = {"table": "table:", "objects": "objects:", "queue": "queue:", "secrets": "secret:"}
_HTTP: Final = "functions.http"
_DEAD_LETTER_KEY: Final = "secret:dead-letter-key"
"""Who does not read it has no dead letters to seal (shared/dead_letters.py)."""
_WAREHOUSE: Final = "adapters.common.warehouse"

_LIBRARIES: Final = {
    "stream": ("azure.eventhub", "google.cloud.pubsub"),
    "table": ("azure.data.tables", "google.cloud.firestore"),
    "objects": ("azure.storage.blob", "libcloud"),
    "queue": ("azure.storage.queue", "google.cloud.tasks"),
    "secrets": ("azure.keyvault", "google.cloud.secretmanager"),
    "mailer": ("azure.communication",),
}
"""What each port's clients are made of, which one module of a provider may make for all ports."""

_SERVICES: Final = {
    "stream": "kinesis",
    "table": "dynamodb",
    "objects": "s3",
    "queue": "sqs",
    "secrets": "secretsmanager",
    "mailer": "sesv2",
    "history": "s3",
}
"""What each port calls on AWS."""


def ports(function: Function, cloud: Cloud, sources: Sources) -> frozenset[str]:
    """The ports that a function or its host uses."""
    resources = function.hosted_reads | function.hosted_writes
    used = {port for port, word in _WORDS.items() if any(each.startswith(word) for each in resources)}
    drains = cloud is Cloud.gcp and isinstance(function.trigger, OnStream)
    if drains or any(each.startswith("stream:") for each in function.writes):
        used.add("stream")
    if isinstance(function.trigger, OnQueue):
        used.add("queue")
    if "mail" in resources:
        used.add("mailer")
    if "history" in resources:
        used.add("history")
        if _asks_the_warehouse(function, sources):
            used.add("warehouse")
    return frozenset(used)


def left_out(function: Function, cloud: Cloud, used: frozenset[str]) -> Callable[[str], bool]:
    """Whether a module stays out where one imports it inside a function: that is never called."""
    unused = {f"adapters.{cloud}.{port}" for port in _PORTS if port not in used}
    if "warehouse" not in used:
        unused.add(_WAREHOUSE)
    prefixes = tuple(each for port in _LIBRARIES if port not in used for each in _LIBRARIES[port])
    if _DEAD_LETTER_KEY not in function.hosted_reads:
        prefixes += ("cryptography",)
    if not isinstance(function.trigger, Http):
        unused |= {f"adapters.{cloud}.http", _HTTP}
        prefixes += (f"{_HTTP}.",)
    return lambda module: module in unused or module.startswith(prefixes)


def services(used: frozenset[str]) -> frozenset[str]:
    """The AWS services that the ports call."""
    return frozenset({"sts", *(_SERVICES[port] for port in used if port in _SERVICES)})


def _asks_the_warehouse(function: Function, sources: Sources) -> bool:
    entry = function.entry.partition(":")[0]
    modules = sources.closure([entry], lambda module: module.startswith("adapters")).modules
    return any("warehouse" in sources.attributes(each) for each in modules if each.startswith("functions."))
