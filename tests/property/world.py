"""A whole suite whose processes die and whose messengers err, while its stores live on.

Every function is the real one. A history is a list of steps, each with the mishaps that strike in it, so a failing
one can be shrunk and repeated.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from adapters.common.settling import Settler
from adapters.local.stream import Heads
from adapters.local.triggers import Consumer, Delivery, Log, Terms
from functions.aggregate.handler import make as make_aggregate
from functions.archive.handler import make as make_archive
from functions.commit.handler import make as make_commit
from functions.ingest.handler import Ingest, Receipt, Sent
from functions.roll.handler import make as make_roller
from lab.faults import Crash, FaultyDelivery, Mishap, Plan, faulty
from lab.memory import MemoryStream, MemorySuite
from shared.audience.dirty import DIRTY_TABLE, partitions
from shared.audience.keys import AUDIENCE_TABLE
from shared.dead_letters import DeadLetters
from shared.errors import GrandstandError
from shared.fan_out import TABLE as SCHEDULES
from shared.fan_out import set_fan_out
from shared.history.lake import Lake
from shared.history.tables import FACTS, STAGING
from shared.ports import query_all
from shared.settings import Settings
from shared.stream import NO_DEADLINE, Answer, BatchHandler, Deadline, Record, Run
from tests.property.translations import MAX_ATTEMPTS, Route
from tests.unit.history.world import FaultyLake

SETTINGS: Final = Settings(chunk_events=3)
CONSUMERS: Final = {"aggregate": (make_aggregate, AUDIENCE_TABLE), "archive": (make_archive, STAGING)}
"""How to make each, and the store it cannot do without."""
SCHEDULED: Final = {"commit": make_commit, "roll": make_roller}
NEIGHBOURS: Final = {"aggregate": "roll", "roll": "aggregate", "archive": "commit", "commit": "archive"}
INSTANCES: Final = 2
"""Of each consumer. Each keeps states warm that the other changes."""
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

Mishaps = Mapping[int, Mishap]
"""What strikes at which of the moments at which something may."""
Told = dict[str, Any]
"""An event as the oracle reads it."""


@dataclass
class Post:
    """One body of a sender's, and which of its events must be taken."""

    sent: Sent
    accepted: Sequence[Told]
    rejected: Sequence[int]
    exact: bool
    """Whether it carries a batch_id, and so may be sent again."""
    answered: bool = False


class Weather(Plan):
    """A plan in which whole stores may be down for a while, and some kinds of steps be spared."""

    down: frozenset[str] = frozenset()
    spared: tuple[str, ...] = ()

    def draw(self, step: str) -> Mishap:
        if step.endswith(self.spared):
            return Mishap.NONE
        return Mishap.FAIL if step.split(".", maxsplit=1)[0] in self.down else super().draw(step)


class World:
    """The stores, and the instances of the functions on them."""

    def __init__(self, route: Route, batch: int, folder: Path) -> None:
        self.suite = MemorySuite(partitions=2)
        self.clock = self.suite.clock
        self.route = route
        self.batch = batch
        self.lake = Lake(str(folder), {}, FACTS)
        self.plan = Weather()
        self.ports = replace(self.suite.ports, history_uri=lambda: (str(folder), {}))
        self.weak = faulty(self.ports, self.plan)
        """The same stores, as functions see them."""
        self.letters = DeadLetters(self.ports, SETTINGS)
        self.posts: list[Post] = []
        self.rescheduled = False
        self.started = self.clock.now_ms()
        self.ingest = Ingest(self.weak, SETTINGS)
        self._warm: dict[str, Run] = {}
        self.workers = {(name, n): Worker(self, name, n) for name in CONSUMERS for n in range(INSTANCES)}

    def send(self, post: Post, mishaps: Mishaps) -> None:
        """Post a body; without an answer it is not known what became of it."""
        self.deal(mishaps)
        try:
            receipt: Receipt = self.ingest.ingest(post.sent)
        except Crash:
            self.ingest = Ingest(self.weak, SETTINGS)
        except GrandstandError:
            pass
        else:
            assert sorted(each.index for each in receipt.rejected) == post.rejected
            assert receipt.accepted == len(post.accepted)
            post.answered = True

    def poll(self, name: str, instance: int, mishaps: Mishaps) -> int:
        """One delivery from each partition; how many records were handed over."""
        return self.workers[name, instance].poll(mishaps)

    def go_on(self, name: str, instance: int, mishaps: Mishaps) -> int:
        """As `poll`, by an instance that does not know what others have done since."""
        return self.workers[name, instance].go_on(mishaps)

    def outage(self, name: str) -> None:
        """The function's store is down for so long that what is delivered is given up."""
        self.plan.down = frozenset({CONSUMERS[name][1]})
        for _ in range(8):
            self.poll(name, 0, {})
            self.clock.advance(10 * SECOND)
        self.plan.down = frozenset()

    def commit(self, mishaps: Mishaps) -> None:
        self._scheduled("commit", mishaps)

    def roll(self, mishaps: Mishaps) -> None:
        self._scheduled("roll", mishaps)

    def replay(self, mishaps: Mishaps) -> None:
        """An operator replays every dead letter."""
        letters = [letter.record_id for letter in self.letters.all()]
        self.deal(mishaps)
        with suppress(Crash, GrandstandError):
            DeadLetters(self.weak, SETTINGS).replay("events", letters)

    def fan_out(self, content_id: str, partitions: int) -> None:
        self.rescheduled = True
        set_fan_out(self.ports.table(SCHEDULES), content_id, partitions, self.clock.now_ms())

    def rebuild(self) -> None:
        """The hub is made anew, and positions start again."""
        self.suite.stream("events").rebuild()

    def settle(self) -> None:
        """No more mishaps: senders get their answers, and all that waits is done. Roll-ups stay behind."""
        for post in self.posts:
            if not post.answered:
                self.send(post, {})
                assert post.answered
        quiet = 0
        for _ in range(200):
            handed_over = sum(self.poll(*worker, {}) for worker in self.workers)
            self.replay({})
            quiet = 0 if handed_over or self.letters.count() else quiet + 1
            if quiet > 2:
                break
            self.clock.advance(15 * SECOND)  # longer than what is parked waits
        else:
            raise AssertionError("the stream never drains")
        self.commit({})
        assert not list(self.ports.objects(STAGING).list())

    def catch_up(self) -> None:
        """Time passes until every minute and hour is rolled up."""
        for _ in range(40):
            self.clock.advance(5 * MINUTE)
            self.roll({})
            if not [item for shard in partitions() for item in query_all(self.ports.table(DIRTY_TABLE), shard)]:
                return
        raise AssertionError("some minute or hour stays dirty")

    def deal(self, mishaps: Mishaps) -> None:
        """Let these strike from now on."""
        last = max(mishaps, default=-1)
        self.plan.deal(mishaps.get(moment, Mishap.NONE) for moment in range(last + 1))
        self.plan.others = {}

    def _scheduled(self, name: str, mishaps: Mishaps) -> None:
        """One run of an instance that lives on between runs, unless it crashes."""
        make = SCHEDULED[name]
        self.deal(mishaps)
        self.plan.others = {
            Mishap.RIVAL: lambda: make(self.ports, SETTINGS)(NO_DEADLINE),
            Mishap.NEIGHBOUR: self.workers[NEIGHBOURS[name], 1].take_over,
        }
        run = self._warm.setdefault(name, make(self.weak, SETTINGS))
        try:
            run(NO_DEADLINE)
        except Crash:
            del self._warm[name]
        except GrandstandError:
            pass


class Share:
    """What one of several subscribers gets of a log when messages are dealt out one by one, as by Pub/Sub."""

    def __init__(self, log: MemoryStream, instance: int) -> None:
        self._log = log
        self._instance = instance

    def heads(self) -> Heads:
        return self._log.heads()

    def read(self, partition: str, after: int, limit: int, max_bytes: int) -> Sequence[Record]:
        rest = self._log.read(partition, after, 1 << 30, 1 << 40)
        return [record for record in rest if hash(record.position) % INSTANCES == self._instance][:limit]


class Worker:
    """One instance of one consumer. It dies of a Crash, and begins anew with nothing but what is stored."""

    def __init__(self, world: World, name: str, instance: int) -> None:
        self._world = world
        self._name = name
        self._apart = world.route.delivery is Delivery.EACH
        self._group = f"{name}-{instance}" if self._apart else name
        log: MemoryStream = world.suite.stream("events")
        self._log: Log = Share(log, instance) if self._apart else log
        self._in_hand: Sequence[Record] = ()
        self._start()

    def poll(self, mishaps: Mishaps) -> int:
        """Take the partitions over, and deliver once from each."""
        self._subscribe()
        return self.go_on(mishaps)

    def go_on(self, mishaps: Mishaps) -> int:
        """Deliver from where this instance believes to be, whatever another has done meanwhile."""
        self._world.deal(mishaps)
        neighbour = SCHEDULED[NEIGHBOURS[self._name]]
        self._world.plan.others = {
            Mishap.RIVAL: self._rival,
            Mishap.NEIGHBOUR: lambda: neighbour(self._world.ports, SETTINGS)(NO_DEADLINE),
        }
        try:
            return self._consumer.poll() + self._translated.replay()
        except Crash:
            self._start()
        except GrandstandError:
            pass
        return 1

    def take_over(self) -> None:
        """Take the partitions over, and deliver once from each, whatever mishaps are dealt."""
        self._subscribe()
        self._consumer.poll()

    def _rival(self) -> None:
        """Another instance does what this one is about to do; where each has its share, it goes on with its own."""
        if self._apart:
            for other in self._world.workers.values():
                if other is not self and other._name == self._name:
                    other.take_over()
        else:
            rival: BatchHandler = CONSUMERS[self._name][0](self._world.ports, SETTINGS)
            rival(self._in_hand, NO_DEADLINE)

    def _start(self) -> None:
        handler: BatchHandler = CONSUMERS[self._name][0](self._world.weak, SETTINGS)

        def handle(records: Sequence[Record], deadline: Deadline) -> Sequence[Answer | None]:
            self._in_hand = records
            return handler(records, deadline)

        settler = Settler(self._group, handle, DeadLetters(self._world.weak, SETTINGS))
        self._translated = self._world.route.through(settler, handle, self._world.weak)
        self._subscribe()

    def _subscribe(self) -> None:
        suite = self._world.suite
        self._consumer = Consumer(
            self._group,
            self._translated,
            source=self._log,
            progress=suite.progress("events"),
            dead_letters=DeadLetters(self._world.weak, SETTINGS),
            clock=suite.clock,
            terms=Terms(
                batch_records=self._world.batch, delivery=self._world.route.delivery, max_attempts=MAX_ATTEMPTS
            ),
            faults=FaultyDelivery(self._world.plan),
        )


def lake_of(world: World) -> Callable[..., Lake]:
    """What the committer makes its lake by, so that mishaps strike there too."""
    return lambda root, options, name: FaultyLake(root, world.plan, name)
