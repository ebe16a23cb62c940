"""The stream consumers and schedules of a manifest, in one process: a thread for each function."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.common.hosting import Hosted
from adapters.local.pulsing import Pulsing
from adapters.local.suite import Suite
from adapters.local.table import purge
from adapters.local.triggers import Consumer, Delivery, Terms
from functions.manifest import Every, Function, OnQueue, OnStream
from shared.dead_letters import DeadLetters
from shared.errors import GrandstandError
from shared.health.meter import Backlog
from shared.health.metered import metered_batches, metered_run, told
from shared.settings import Settings
from shared.stream import Deadline, Run

log = logging.getLogger("grandstand.consumers")

IDLE_SECONDS: Final = 0.02
LONGEST_PAUSE_SECONDS: Final = 10.0
QUEUE_SECONDS: Final = 0.5
QUEUE_FIRST_MS: Final = 2_000
QUEUE_LONGEST_MS: Final = 5 * 60_000
HOUSEKEEPING_SECONDS: Final = 60
RETENTION_MS: Final = 3_600_000
"""How long a record stays in the log after every function has passed it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Something to run every so often."""

    name: str
    every_seconds: int
    timeout_seconds: int
    run: Callable[[Deadline], object]


class Host:
    """The threads of one suite. `start` loads every function first, so that a mistake in one is told at once."""

    def __init__(
        self,
        functions: Sequence[Function],
        suite: Suite,
        settings: Settings,
        delivery: Delivery = Delivery.ORDERED,
    ) -> None:
        self._suite = suite
        self._settings = settings
        self._delivery = delivery
        self._streaming = [(each, each.trigger) for each in functions if isinstance(each.trigger, OnStream)]
        self._queued = [(each, each.trigger) for each in functions if isinstance(each.trigger, OnQueue)]
        self._scheduled = [(each, each.trigger) for each in functions if isinstance(each.trigger, Every)]
        self._dead_letters = DeadLetters(suite.ports, settings)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._pulsing = Pulsing(suite, self._look)

    def start(self) -> None:
        """Begin to consume and to run schedules."""
        for function, trigger in self._streaming:
            self._thread(function.name, self._consume, function.name, self._consumer(function, trigger))
        for function, on_queue in self._queued:
            hosted = Hosted(function, self._suite.ports, self._settings)
            self._thread(function.name, self._take, on_queue.queue, hosted)
        for function, every in self._scheduled:
            run: Run = function.load()(self._suite.ports, self._settings)
            metered = metered_run(run, self._suite.ports.meter(function.name))
            schedule = Schedule(function.name, every.seconds, function.timeout_seconds, metered)
            self._thread(function.name, self._repeat, schedule)
        housekeeping = Schedule("housekeeping", HOUSEKEEPING_SECONDS, HOUSEKEEPING_SECONDS, self._keep_house)
        self._thread("housekeeping", self._repeat, housekeeping)
        for thread in self._threads:
            thread.start()
        self._pulsing.start()

    def stop(self) -> None:
        """Finish the batches in hand, save their checkpoints, and end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._pulsing.stop()

    def _thread(self, name: str, target: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments, name=name, daemon=True))

    def _consumer(self, function: Function, trigger: OnStream) -> Consumer:
        return Consumer(
            function.name,
            metered_batches(
                function.load()(self._suite.delivery_ports, self._settings), self._suite.ports.meter(function.name)
            ),
            flush=self._suite.flush,
            source=self._suite.stream(trigger.stream),
            progress=self._suite.progress(trigger.stream),
            dead_letters=self._dead_letters,
            clock=self._suite.clock,
            terms=Terms(
                batch_records=trigger.batch_records,
                window_ms=trigger.window_ms,
                timeout_ms=function.timeout_seconds * 1_000,
                delivery=self._delivery,
                max_age_ms=self._settings.horizon_seconds * 1_000,
            ),
        )

    def _consume(self, name: str, consumer: Consumer) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                pause = 0.0 if consumer.poll() else IDLE_SECONDS
                failures = 0
            except Exception as error:
                log.exception("%s: a delivery failed; it is tried again", name)
                self._suite.ports.meter(name).fail(told(error))
                failures += 1
                pause = min(LONGEST_PAUSE_SECONDS, 0.1 * 2 ** min(failures, 10))
            if pause:
                self._stop.wait(pause)

    def _take(self, name: str, hosted: Hosted) -> None:
        """Hand over a queue's messages, one at a time; one that is not settled waits longer each time."""
        timeout_seconds = hosted.function.timeout_seconds
        while not self._stop.wait(QUEUE_SECONDS):
            try:
                queue = self._suite.queue(name)
                for leased in queue.receive(limit=1, lease_ms=2_000 * timeout_seconds):
                    if hosted.message(leased, _deadline(timeout_seconds)):
                        queue.settle(leased)
                    else:
                        queue.postpone(leased, min(QUEUE_LONGEST_MS, QUEUE_FIRST_MS << min(leased.attempt - 1, 20)))
            except Exception:
                log.exception("%s: its queue cannot be read; it is tried again", hosted.function.name)

    def _look(self) -> None:
        """Tell health what waits for each consumer."""
        for function, trigger in self._streaming:
            stream, progress = self._suite.stream(trigger.stream), self._suite.progress(trigger.stream)
            heads = stream.heads()
            passed = progress.passed([function.name], heads.epoch, heads.positions)
            waiting = sum(max(0, head - passed[partition]) for partition, head in heads.positions.items())
            since = stream.waiting_since(passed) if waiting else None
            oldest_ms = max(0, self._suite.clock.now_ms() - since) if since is not None else 0
            parked = progress.parked(function.name)
            self._suite.ports.meter(function.name).tell(Backlog(waiting, oldest_ms, parked))

    def _repeat(self, schedule: Schedule) -> None:
        due = time.monotonic() + min(1, schedule.every_seconds)
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due = time.monotonic() + schedule.every_seconds
            try:
                schedule.run(_deadline(schedule.timeout_seconds))
            except Exception:
                log.exception("%s failed; it runs again in %d s", schedule.name, schedule.every_seconds)

    def _keep_house(self, _: Deadline) -> None:
        """Delete what has expired: items, records that everyone has passed, leftovers of crashes, old letters."""
        now = self._suite.clock.now_ms()
        errors: list[GrandstandError] = []
        for task in (
            lambda: purge(self._suite.table_store, now),
            lambda: self._trim(now - RETENTION_MS),
            self._suite.sweep_objects,
            lambda: self._dead_letters.sweep() if now // 60_000 % 60 == 0 else 0,
        ):
            try:
                task()
            except GrandstandError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _trim(self, before_ms: int) -> None:
        for name in {trigger.stream for _, trigger in self._streaming}:
            groups = [function.name for function, trigger in self._streaming if trigger.stream == name]
            stream = self._suite.stream(name)
            heads = stream.heads()
            stream.trim(self._suite.progress(name).passed(groups, heads.epoch, heads.positions), before_ms)


def _deadline(seconds: int) -> Deadline:
    end = time.monotonic() + seconds
    return Deadline(lambda: int(1_000 * (end - time.monotonic())))
