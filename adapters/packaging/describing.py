"""`package.json`: what a person needs to know to run each archive by hand."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec

from adapters.packaging.entries import HANDLERS
from adapters.packaging.target import Cloud, Target
from functions.manifest import Every, Function, Http, OnQueue, OnStream
from shared.settings import PREFIX, Settings

_SCHEDULER_SECONDS: Final = 60
"""How often a cloud's scheduler starts a function at most: one that is due more often repeats inside."""


@dataclass(frozen=True, slots=True)
class Setting:
    """An environment variable. `value` where it is known already, else `example`; not `needed`: it has a default."""

    name: str
    about: str
    needed: bool = True
    value: str | None = None
    example: str | None = None


def timeout_seconds(function: Function) -> int:
    """What the cloud is told: a schedule of seconds runs for the minute until it is started again."""
    trigger = function.trigger
    repeats = isinstance(trigger, Every) and trigger.seconds < _SCHEDULER_SECONDS
    return function.timeout_seconds + (_SCHEDULER_SECONDS if repeats else 0)


def trigger(function: Function) -> dict[str, Any]:
    """What starts it, in words of its own."""
    match function.trigger:
        case Http():
            return {"kind": "http"}
        case OnStream(stream, batch_records, window_ms):
            return {"kind": "stream", "stream": stream, "batch_records": batch_records, "window_ms": window_ms}
        case OnQueue(queue, max_attempts):
            return {"kind": "queue", "queue": queue, "max_attempts": max_attempts}
        case Every(seconds):
            return {"kind": "schedule", "every_seconds": seconds, "started_every_seconds": max(seconds, 60)}


def settings(function: Function, ports: frozenset[str], cloud: Cloud) -> list[Setting]:
    """The environment variables of one deployed function."""
    return [
        Setting("GRANDSTAND_FUNCTION", "which function of the suite this deployment is", value=function.name),
        Setting("GRANDSTAND_NAME", "what every resource's name begins with", needed=False, example="grandstand"),
        *_OF_CLOUDS[cloud](function, ports),
    ]


def options() -> dict[str, str]:
    """Every setting of the suite that has a default, with it."""
    return {
        PREFIX + info.name.upper(): ",".join(info.default) if isinstance(info.default, tuple) else str(info.default)
        for info in msgspec.structs.fields(Settings)
    }


def entry(
    function: Function, ports: frozenset[str], target: Target, libraries: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """What package.json says of one function, but for its archive."""
    return {
        "name": function.name,
        "handler": HANDLERS[target.cloud],
        "runtime": target.runtime,
        "architecture": target.arch.value,
        "trigger": trigger(function),
        "memory_mb": function.memory_mb,
        "timeout_seconds": timeout_seconds(function),
        "reads": sorted(function.hosted_reads),
        "writes": sorted(function.hosted_writes),
        "settings": [
            {name: value for name, value in asdict(each).items() if value is not None}
            for each in settings(function, ports, target.cloud)
        ],
        "libraries": dict(libraries),
    }


def _of_aws(_: Function, ports: frozenset[str]) -> Iterator[Setting]:
    if ports & {"objects", "history"}:
        yield Setting("GRANDSTAND_BUCKET", "the suite's S3 bucket", example="acme-grandstand")
    if "mailer" in ports:
        yield Setting("GRANDSTAND_MAIL_FROM", "a sender that SES has verified", example="live@example.com")


def _of_azure(function: Function, ports: frozenset[str]) -> Iterator[Setting]:
    from adapters.azure.host import EVENT_HUBS_SETTING, STORAGE_SETTING

    host: dict[str, tuple[str, str]] = {}
    if isinstance(function.trigger, OnStream):
        host[EVENT_HUBS_SETTING] = "fullyQualifiedNamespace", "acme.servicebus.windows.net"
    elif isinstance(function.trigger, OnQueue):
        host[STORAGE_SETTING] = "queueServiceUri", "https://acmegrandstand.queue.core.windows.net"
    for name, (address, example) in host.items():
        yield Setting(f"{name}__{address}", "where the trigger's host looks", example=example)
        yield Setting(f"{name}__credential", "how the host signs in", value="managedidentity")
        yield Setting(f"{name}__clientId", "the managed identity, where the app has several", needed=False)
    yield Setting("GRANDSTAND_STORAGE_ACCOUNT", "the storage account's name", example="acmegrandstand")
    if "stream" in ports or isinstance(function.trigger, OnStream):
        example = "acme.servicebus.windows.net"
        yield Setting("GRANDSTAND_EVENT_HUBS", "the Event Hubs namespace's host name", example=example)
    if "secrets" in ports:
        yield Setting("GRANDSTAND_KEY_VAULT", "the Key Vault's URL", example="https://acme.vault.azure.net")
    yield Setting("AZURE_CLIENT_ID", "the managed identity, where the app has several", needed=False)
    if "mailer" in ports:
        example = "https://acme.communication.azure.com"
        yield Setting("GRANDSTAND_MAIL_ENDPOINT", "of Azure Communication Services", example=example)
        yield Setting("GRANDSTAND_MAIL_FROM", "a sender that it has verified", example="live@example.com")


def _of_gcp(function: Function, ports: frozenset[str]) -> Iterator[Setting]:
    yield Setting("GOOGLE_CLOUD_PROJECT", "the project's id", example="acme-live")
    if ports & {"objects", "history"}:
        yield Setting("GRANDSTAND_BUCKET", "the suite's bucket", example="acme-grandstand")
    if "queue" in ports:
        yield Setting("GRANDSTAND_REGION", "where the Cloud Tasks queues are", example="europe-west1")
    sent_to = sorted(name.partition(":")[2] for name in function.hosted_writes if name.startswith("queue:"))
    for queue in sent_to:
        name = f"GRANDSTAND_QUEUE_URL_{queue.upper().replace('-', '_')}"
        yield Setting(name, f"the URL of the function that takes {queue}", example="https://….a.run.app")
    if sent_to:
        about = "the service account whose OIDC token opens that URL"
        yield Setting("GRANDSTAND_INVOKER", about, example="invoker@acme-live.iam.gserviceaccount.com")
    if "mailer" in ports:
        yield Setting("GRANDSTAND_SMTP_URL", "where mail is handed over", example="smtps://user@mail.example.com:465")
        yield Setting("GRANDSTAND_MAIL_FROM", "who mail comes from", example="live@example.com")


_OF_CLOUDS: Final = {Cloud.aws: _of_aws, Cloud.azure: _of_azure, Cloud.gcp: _of_gcp}
