"""A stand-in for Azure Event Hubs: an AMQP 1.0 server that the real SDK talks to as its development emulator.

It keeps events in memory. Faults are planned with `EventHubs.plan`; nothing is ever throttled by itself.
"""

from tests.emulators.event_hubs.broker import Fault
from tests.emulators.event_hubs.server import EventHubs, event_hubs

__all__ = ["EventHubs", "Fault", "event_hubs"]
