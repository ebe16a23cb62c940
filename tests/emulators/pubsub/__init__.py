"""Pub/Sub on a port of this machine, for the real `google-cloud-pubsub`.

with pubsub() as server:
    environ["PUBSUB_EMULATOR_HOST"] = server.address
    server.broker.now = lambda: clock.now_ms() / 1_000
    server.faults.fail("Publish", grpc.StatusCode.RESOURCE_EXHAUSTED)
"""

from tests.emulators.pubsub.broker import Broker
from tests.emulators.pubsub.google import google_emulator
from tests.emulators.pubsub.server import PubSubServer, pubsub

__all__ = ["Broker", "PubSubServer", "google_emulator", "pubsub"]
