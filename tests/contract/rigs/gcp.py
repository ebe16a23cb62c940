"""Google Cloud, as the stand-ins for Pub/Sub, Firestore, Cloud Storage, Cloud Tasks and Secret Manager have it.

Each rig has a name of its own in them. All time is the rig's clock: that of leases, of backoffs and of tasks too.

With `--live gcp` the same rig works in a real project: it needs GOOGLE_CLOUD_PROJECT, GRANDSTAND_REGION, application
default credentials that may make and remove topics, subscriptions, queues, secrets, buckets and documents, and a
Firestore database in native mode. Take a sandbox project: each test takes a minute and some cents. Nothing that it
did not make is touched, and what it made it removes. Queues are paused, so that nothing is posted anywhere; mail goes
to a server of the test's own; no faults can be asked for.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Final

from adapters.common.settling import Settler
from adapters.gcp.delivery import Delivery as Deliveries
from adapters.gcp.delivery import Terms as GoogleTerms
from adapters.gcp.drain import Drain
from adapters.gcp.pubsub import PubSubSubscription
from adapters.gcp.push import take
from adapters.gcp.suite import Suite
from adapters.local.triggers import Delivery, Terms
from lab.memory import MemoryClock
from shared.dead_letters import DeadLetters
from shared.ports import Stream
from shared.settings import Settings
from shared.stream import EVENT_STREAM, NO_DEADLINE, BatchHandler
from tests.contract.rig import Fault, Poller, Rig
from tests.contract.rigs.gcp_hosts import CloudFunction, DrainPoller, PushPoller, TaskReceiver
from tests.contract.rigs.gcp_project import Project, StandIns
from tests.emulators.pubsub_push import Pusher
from tests.emulators.smtp import smtp_server

SETTINGS: Final = Settings()
_numbers = count(1)


@contextmanager
def gcp(_: Path, *, google: str | None = None, pushes: bool = False) -> Iterator[Rig]:
    """A rig against the stand-ins, but for Pub/Sub where Google's own emulator answers at `google`.

    Its consumers drain their subscription, or where it `pushes`, are pushed each message.
    """
    clock = MemoryClock()
    suites: list[Suite] = []
    with smtp_server() as smtp:
        project = StandIns(f"g{os.getpid()}-{next(_numbers)}", clock, smtp, google=google)
        yield _rig(project, clock, suites, clock.advance, pushes=pushes, fault=project.fault)
        project.post_office.close()
    for suite in suites:
        suite.close()


@contextmanager
def live(_: Path) -> Iterator[Rig]:
    """A rig in a real project. Its clock begins at the machine's time, and time passes by waiting."""
    from tests.contract.rigs.gcp_live import Account

    clock = MemoryClock(time.time_ns() // 1_000_000)
    suites: list[Suite] = []

    def pass_time(milliseconds: int) -> None:
        time.sleep(milliseconds / 1_000)
        clock.advance(milliseconds)

    with smtp_server() as smtp:
        account = Account(f"contract-{token_hex(4)}", clock, smtp)
        try:
            account.make()
            yield _rig(account, clock, suites, pass_time)
        finally:
            account.remove()
    for suite in suites:
        suite.close()


def _rig(
    project: Project,
    clock: MemoryClock,
    suites: list[Suite],
    pass_time: Callable[[int], None],
    *,
    pushes: bool = False,
    fault: Fault | None = None,
) -> Rig:
    suite = Suite(SETTINGS, project.environ, clock=clock)
    suites.append(suite)

    def stream(name: str) -> Stream:
        project.topic(name)
        return suite.ports.stream(name)

    ports = replace(suite.ports, stream=stream)

    def host(handler: BatchHandler, terms: Terms) -> Poller:
        settler = Settler("counter", handler, DeadLetters(ports, SETTINGS))
        promised = GoogleTerms(
            terms.batch_records, terms.window_ms, terms.timeout_ms, terms.max_attempts, terms.max_age_ms
        )
        delivery = Deliveries(settler, EVENT_STREAM, clock, promised)
        if pushes:
            name = project.subscription(EVENT_STREAM, "counter")
            return PushPoller(Pusher(project.messages, name, lambda body: _pushed(delivery, body)))
        subscription = PubSubSubscription(project.pubsub, EVENT_STREAM, "counter")
        return DrainPoller(Drain(delivery, subscription), project.patience_seconds)

    return Rig(
        name="gcp",
        ports=ports,
        clock=clock,
        deliveries=(Delivery.EACH,),
        appended=project.appended,
        host=host,
        receiver=lambda queue: TaskReceiver(project.tasks, f"{project.name}-{queue}", clock),
        entry=lambda name: CloudFunction(project, clock, name),
        mailbox=lambda: project.mails,
        reopen=lambda: _rig(project, clock, suites, pass_time, pushes=pushes, fault=fault),
        set_secret=project.set_secret,
        pass_time=pass_time,
        smuggle=project.smuggle,
        fault=fault,
    )


def _pushed(delivery: Deliveries, body: bytes) -> int:
    return 204 if take(delivery, body, NO_DEADLINE) else 503
