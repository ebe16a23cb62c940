"""The states of one batch, each read, merged and written once; redone where another writer came between.

A record's tallies are counted in the first of its windows, and the mark there also decides which of several
receptions of the record is the one that counts: a retry may have been sampled or judged late otherwise, and events
of both must never mix. States of a content are therefore written in order of their windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from events.record import RecordHeader
from functions.aggregate.batch import Batch
from functions.aggregate.contributions import contributions
from functions.aggregate.states import Held, States
from shared.audience.measures import PLACE
from shared.audience.window import WindowState
from shared.errors import CorruptData, Unavailable, VersionConflict
from shared.stream import DONE, Answer, Deadline, Record, Reject, Retry
from shared.units import MINUTE_MS

MAX_TRIES: Final = 20
"""Conflicts on one state before its records are handed back."""


@dataclass(slots=True)
class _Plan:
    """What is to become of one state: marks and tallies are in already, the events of `touches` not yet."""

    held: Held
    touches: list[int]
    changed: bool
    delta: WindowState | None = None


class Merge:
    """One batch on its way into its states. `records` are those of the batch, in its order."""

    def __init__(self, states: States, batch: Batch, records: Sequence[Record], oldest_minute: int) -> None:
        self._states = states
        self._batch = batch
        self._records = records
        self._headers: Sequence[RecordHeader] = batch.headers
        self._oldest_minute = oldest_minute
        self._touch_record: list[int] = batch.touch_record.tolist()
        self._tally_place: list[int] = batch.tally_place.tolist()
        self._touches: list[list[int]] = [[] for _ in batch.places]
        for touch, place in enumerate(batch.touch_place.tolist()):
            self._touches[place].append(touch)
        self._counts: list[bool | None] = [None] * len(records)
        """Whether a record's events are to be merged, as the state with its tallies says."""
        self._stale: set[int] = set()
        """Records of which that has changed since the plans were made."""
        self._answers: list[Answer] = [DONE] * len(records)
        self.written: list[int] = []
        """Touches whose events are in a stored state now."""

    def run(self, deadline: Deadline) -> list[Answer]:
        """An answer for each record: Done only when all of its states are written."""
        # 1. Read the states that the batch touches, in one call.
        try:
            held = self._states.load(self._batch.places)
        except Unavailable as error:
            return [Retry(error.detail) for _ in self._records]
        # 2. Leave out every record whose record_id a state already holds among its marks.
        plans = [self._planned(number, held[place]) for number, place in enumerate(self._batch.places)]
        self._prepare(plans)
        # 3. Merge, add the marks, write with the version that was read.
        for number, plan in enumerate(plans):
            if deadline.near():
                self._fail(number, Retry("the deadline is near"))
            else:
                self._settle(number, plan)
        # 5. When all states that a record touches are written, it is Done.
        return self._answers

    def _settle(self, number: int, plan: _Plan | None) -> None:
        """Bring one state to its stored end."""
        try:
            if any(self._touch_record[touch] in self._stale for touch in self._touches[number]):
                plan = self._replanned(number)
            for _ in range(MAX_TRIES):
                if plan is None:
                    return
                try:
                    self._write(number, plan)
                    return
                except VersionConflict:
                    # 4. On conflict read that state again and redo 2 and 3.
                    plan = self._replanned(number)
            self._fail(number, Retry(f"too many writers of {self._batch.places[number]}"))
        except Unavailable as error:
            self._fail(number, Retry(error.detail))

    def _planned(self, number: int, held: Held | CorruptData) -> _Plan | None:
        """What the state's marks leave to do; None when that cannot be told, the records being answered."""
        if isinstance(held, CorruptData):
            self._fail(number, Reject(f"state unreadable: {held}"))
            return None
        try:
            self._states.turn_page(self._batch.places[number], held.state)
        except Unavailable as error:
            self._fail(number, Retry(error.detail))
            return None
        held.state.marks.prune(self._oldest_minute)
        touches, changed = self._decide(number, held.state)
        return _Plan(held, touches, changed)

    def _replanned(self, number: int) -> _Plan | None:
        return self._planned(number, self._states.reload(self._batch.places[number]))

    def _decide(self, number: int, state: WindowState) -> tuple[list[int], bool]:
        """The touches whose events are to be merged, and whether anything changes; marks and tallies are added."""
        marks, counters, changed = state.marks, state.counters.copy(), False
        touches = []
        for touch in self._touches[number]:
            index = self._touch_record[touch]
            record_id, header = self._records[index].record_id, self._headers[index]
            known = record_id in marks
            if self._tally_place[index] == number:
                self._set_counts(index, not known or marks.merged(record_id, header.reception))
                if marks.knows(record_id, header.reception):
                    continue
                counters[PLACE["received"]] += header.received
                if known:
                    counters[PLACE["duplicate"]] += header.received
                else:
                    counters[PLACE["sampled_out"]] += header.sampled_out
                    for code, count in header.rejected.items():
                        state.rejected[code] = state.rejected.get(code, 0) + count
                    touches.append(touch)
            elif known or not self._counts[index]:
                continue
            else:
                touches.append(touch)
            marks.add(record_id, header.reception, self._records[index].first_appended_at // MINUTE_MS)
            changed = True
        state.counters = counters
        return touches, changed

    def _prepare(self, plans: Sequence[_Plan | None]) -> None:
        """Count the events of all plans at once."""
        deltas = self._counted([touch for plan in plans if plan is not None for touch in plan.touches])
        for number, plan in enumerate(plans):
            if plan is not None:
                plan.delta = deltas.get(number)

    def _counted(self, touches: list[int]) -> dict[int, WindowState]:
        keep = np.zeros(len(self._touch_record), dtype=np.bool_)
        keep[touches] = True
        return contributions(self._batch, keep)

    def _write(self, number: int, plan: _Plan) -> None:
        place = self._batch.places[number]
        if not plan.changed:
            self._states.keep(place, plan.held)
            return
        if plan.touches:
            plan.held.state.merge(plan.delta or self._counted(plan.touches)[number])
        types = (self._headers[self._touch_record[touch]].content_type for touch in self._touches[number])
        self._states.write(place, plan.held, next((each for each in types if each is not None), None))
        self.written += plan.touches

    def _set_counts(self, index: int, counts: bool) -> None:
        if self._counts[index] is not None and self._counts[index] != counts:
            self._stale.add(index)
        self._counts[index] = counts

    def _fail(self, number: int, answer: Answer) -> None:
        """Answer for the records of a state that was not written. Retry outdoes Reject: not all of it is known."""
        for touch in self._touches[number]:
            index = self._touch_record[touch]
            if not isinstance(self._answers[index], Retry):
                self._answers[index] = answer
            if self._tally_place[index] == number:
                self._set_counts(index, counts=False)
