"""A deployment of each cloud's, on its emulators: what the packaged functions of clouds.py talk to.

The emulators are those of the tests, and come with a checkout.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from adapters.packaging.target import Cloud
from functions.manifest import FUNCTIONS

HOT: Final = ("ingest", "aggregate", "audience")
KEYS: Final = {"write-keys": {"web": "write"}, "operator-keys": {"ops": "operator"}}
Environ = Mapping[str, str]


@contextmanager
def on_aws() -> Iterator[Environ]:
    """moto's server, in a process of its own."""
    from tests.emulators.aws_account import deployed, fresh_environ

    environ = fresh_environ()
    account = deployed(environ)
    for name in HOT:
        account.of(name)
    for secret, keys in KEYS.items():
        account.set_secret(secret, json.dumps(keys).encode())
    yield environ


@contextmanager
def on_azure() -> Iterator[Environ]:
    """Azurite in a process of its own, and the stand-ins for Event Hubs and Key Vault."""
    from adapters.azure.suite import Suite
    from lab.memory import MemorySecrets
    from shared.settings import Settings
    from tests.emulators.azurite import azurite
    from tests.emulators.event_hubs import event_hubs
    from tests.emulators.key_vault import key_vault

    with azurite() as storage, event_hubs() as hubs, key_vault() as vault:
        hubs.create("events")
        for name, value in MemorySecrets().values.items():
            vault.set(f"grandstand-{name}", value.decode())
        for name, keys in KEYS.items():
            vault.set(f"grandstand-{name}", json.dumps(keys))
        environ = {
            "GRANDSTAND_STORAGE_CONNECTION": storage.connection_string,
            "GRANDSTAND_EVENT_HUBS_CONNECTION": hubs.connection_string,
            "GRANDSTAND_KEY_VAULT": vault.url,
        }
        suite = Suite(Settings(), environ)
        for table in _tables():
            suite.clients.tables.create_table(suite.table_name(table))
        yield environ


@contextmanager
def on_gcp() -> Iterator[Environ]:
    """The stand-ins for Firestore, Pub/Sub and Secret Manager."""
    from adapters.gcp.pubsub import PubSub
    from lab.memory import MemorySecrets
    from tests.emulators.firestore import firestore
    from tests.emulators.pubsub import pubsub
    from tests.emulators.secret_manager import secret_manager

    with pubsub() as topics, firestore() as documents, secret_manager() as secrets:
        environ = {"GOOGLE_CLOUD_PROJECT": "bench", "GRANDSTAND_REGION": "europe-west1", "GRANDSTAND_BUCKET": "bench"}
        for each in (topics, documents, secrets):
            environ |= each.environ
        kept = MemorySecrets().values | {name: json.dumps(keys).encode() for name, keys in KEYS.items()}
        for name, value in kept.items():
            secrets.add("bench", f"grandstand-{name}", value)
        client = PubSub(environ)
        client.publisher.create_topic(name=client.topic("events"))
        yield environ


def _tables() -> list[str]:
    used = {each for one in FUNCTIONS if one.name in HOT for each in one.hosted_reads | one.hosted_writes}
    return sorted(each.partition(":")[2] for each in used if each.startswith("table:"))


STAGES: Final[Mapping[Cloud, Callable[[], AbstractContextManager[Environ]]]] = {
    Cloud.aws: on_aws,
    Cloud.azure: on_azure,
    Cloud.gcp: on_gcp,
}
