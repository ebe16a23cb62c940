"""Parked records come again: a timer's work, in the order in which they are due."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock
from typing import Final

from adapters.azure.parking import Parked, Parking, Tail, Waiting
from adapters.azure.triggers import MARGIN_MS, Terms, settle
from adapters.common.settling import Settler
from shared.ports import Clock
from shared.stream import Deadline, Record

MAX_TOGETHER: Final = 100
"""Parked records that are tried again together."""
LONGEST_REST_SECONDS: Final = 5.0


class ParkedReplay:
    """Replays one function's parked records.

    1. Each tail is parked anew as one more attempt, `alone` and due when this one must be over; then the old object
       goes. So a record that ends the process uses up its attempts, and is by itself from then on.
    2. Records are tried together, then each of those left by itself, so that one cannot hold up another.
    3. What is left and has had its attempts or its time goes to the dead letters; what is left beside is parked for
       later.
    4. The objects of step 1 go.
    """

    def __init__(
        self,
        settler: Settler,
        parking: Callable[[], Parking],
        clock: Clock,
        terms: Terms,
        *,
        turns: "Lock | None" = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`turns` is shared with the function's `StreamTrigger`."""
        self._turns = turns or Lock()
        self._settler = settler
        self._parking = parking
        self._clock = clock
        self._terms = terms
        self._sleep = sleep

    def run(self, deadline: Deadline, until_ms: int) -> int:
        """Replay until nothing is parked, or due before `until_ms`; how many records were handed over."""
        replayed = 0
        while True:
            handed_over = self.once(deadline)
            replayed += handed_over
            due, now = self._parking().next_due(), self._clock.now_ms()
            if due is None or (due <= now and not handed_over):  # what is left there only another release can read
                return replayed
            if max(due, now) >= until_ms or deadline.near(MARGIN_MS):
                return replayed
            self._sleep(min(LONGEST_REST_SECONDS, max(0, due - now) / 1_000))

    def once(self, deadline: Deadline) -> int:
        """Replay what is due now; how many records were handed over."""
        due = self._parking().due(self._clock.now_ms(), MAX_TOGETHER)
        together = [each for each in due if not each.tail.alone]
        for each in due:
            if each.tail.alone:
                self._replay_apart(each, deadline)
        if together:
            self._replay(together, deadline)
        return sum(len(each.tail.waiting) for each in due)

    def _replay_apart(self, parked: Parked, deadline: Deadline) -> None:
        """A tail that may end the process, record by record, each in an object of its own before any is tried."""
        single = [parked]
        if len(parked.tail.waiting) > 1:
            tails = [Tail(attempt=parked.tail.attempt, alone=True, waiting=[each]) for each in parked.tail.waiting]
            single = [self._parking().park(tail, parked.due_at) for tail in tails]
            self._parking().forget([parked])
        for each in single:
            spent = each.tail.attempt >= self._terms.max_attempts
            if spent and self._gives_up(each.tail.waiting[0].record, each.tail.attempt):
                self._parking().forget([each])
            elif not deadline.near(MARGIN_MS):
                self._replay([each], deadline)

    def _replay(self, parked: Sequence[Parked], deadline: Deadline) -> None:
        claims = [self._claimed(each) for each in parked]
        later: dict[int, list[Waiting]] = {}
        for attempt, waiting in self._left(claims, deadline):
            if not self._gives_up(waiting.record, attempt):
                later.setdefault(attempt, []).append(waiting)
        for attempt, each in later.items():
            due_at = self._clock.now_ms() + self._terms.wait_ms(attempt)
            self._parking().park(Tail(attempt=attempt, waiting=each), due_at)
        self._parking().forget(claims)

    def _claimed(self, parked: Parked) -> Parked:
        attempt = parked.tail.attempt + 1
        due_at = self._clock.now_ms() + self._terms.timeout_ms + self._terms.wait_ms(attempt)
        claim = self._parking().park(Tail(attempt=attempt, alone=True, waiting=parked.tail.waiting), due_at)
        self._parking().forget([parked])
        return claim

    def _left(self, claims: Sequence[Parked], deadline: Deadline) -> list[tuple[int, Waiting]]:
        """What must come again, with the attempts it has had: tried together, then each of those left by itself."""
        tried = [
            (claim.tail.attempt, Waiting(replace(waiting.record, attempt=claim.tail.attempt), waiting.problem))
            for claim in claims
            for waiting in claim.tail.waiting
        ]
        left = self._settle([waiting for _, waiting in tried], deadline)
        if len(tried) > 1 and not deadline.near(MARGIN_MS):
            left = [each for each in left if self._settle([each], deadline)]
        remaining = {id(each) for each in left}
        return [(attempt, waiting) for attempt, waiting in tried if id(waiting) in remaining]

    def _settle(self, waiting: Sequence[Waiting], deadline: Deadline) -> list[Waiting]:
        with self._turns:
            return settle(self._settler, waiting, deadline, stop=False)

    def _gives_up(self, record: Record, attempts: int) -> bool:
        """Whether a record has had its attempts or its time, and is now safe among the dead letters."""
        if attempts >= self._terms.max_attempts:
            return self._settler.bury(record, f"gave up after {attempts} attempts: {self._settler.reason}")
        if self._clock.now_ms() - record.first_appended_at >= self._terms.max_age_ms:
            spent = self._terms.max_age_ms // 1_000
            return self._settler.bury(record, f"gave up after {spent} s: {self._settler.reason}")
        return False
