"""Records that came to `aggregate` after the horizon, counted by what the history says of their windows.

Their marks are gone, so nobody can tell from the states alone whether they were counted before. The history can: it
holds each record once. For every state that such a record touches, the events that the history has and the state has
not counted are either none, then the record was counted, or just those of the records that came too late, then none
of them was. Only in the second case is it merged, by aggregate's own conditional writes; when it is neither, the
record stays among the dead letters and the answer says so.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from events.columns import Columns, read
from functions.aggregate.handler import make as make_aggregate
from shared.audience.codec import decode
from shared.audience.keys import AUDIENCE_TABLE, state_key
from shared.audience.window import WindowState
from shared.dead_letters import DeadLetter, DeadLetters
from shared.errors import CorruptData
from shared.fan_out import TABLE as SCHEDULES
from shared.fan_out import read_fan_out
from shared.hashing import partition, viewer_hash
from shared.history.tables import BATCHES, STAGING
from shared.ports import Ports
from shared.settings import Settings
from shared.stream import DONE, NO_DEADLINE, Record
from shared.units import MINUTE_MS, WINDOW_MS

REASON: Final = "beyond_horizon"
BEHIND: Final = "the history is not up to date; try again in a minute, when `archive` and `commit` have run"
FRESH_MINUTES: Final = 10
"""What was first appended longer ago than this has been archived."""
FUNCTION: Final = "aggregate"
EVER_SECONDS: Final = 100 * 365 * 24 * 3_600

_ROWS: Final = """
    SELECT
        CAST(floor(date_part('epoch', event_timestamp) / $seconds) AS BIGINT) AS number, viewer_id, record_id,
        count(*) AS events, bool_and(exact) AS exact
    FROM fact_stream_events
    WHERE content_id = $content AND date >= $first AND date <= $last
        AND event_timestamp >= $start AND event_timestamp < $end
    GROUP BY 1, viewer_id, record_id
"""


class Place(NamedTuple):
    """A window state."""

    content_id: str
    k: int
    window: int


@dataclass
class Rebuilt:
    """Record ids (hex): counted now, found counted before, and with the reason those of which nobody can tell."""

    counted: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    unsure: dict[str, str] = field(default_factory=dict)


@dataclass
class _Late:
    letter: DeadLetter
    body: bytes
    columns: Columns
    events: Counter[Place]


@dataclass
class _History:
    """The events that the history has of each place, whether all came with a batch_id, and their records."""

    held: Counter[Place] = field(default_factory=Counter)
    exact: dict[Place, bool] = field(default_factory=lambda: defaultdict(lambda: True))
    records: set[bytes] = field(default_factory=set)


def rebuild(ports: Ports, settings: Settings) -> Rebuilt:
    """Settle the dead letters that are beyond the horizon; those counted, now or before, leave the list.

    Run again after a crash: what was merged is found counted. Raises what the stores raise.
    """
    rebuilt = Rebuilt()
    letters = DeadLetters(ports, settings)
    late = list(_late(letters, rebuilt))
    if any(True for _ in ports.objects(STAGING).list(BATCHES)):
        rebuilt.unsure |= {one.letter.record_id: BEHIND for one in late}
        return rebuilt
    aggregate = make_aggregate(ports, msgspec.structs.replace(settings, horizon_seconds=EVER_SECONDS))
    states = {place: _state(ports, place) for one in late for place in one.events}
    history = _history(ports, {*states})
    missing = _missing(late, states, history)
    fresh = ports.clock.now_ms() // MINUTE_MS - FRESH_MINUTES
    for one in late:
        record_id = bytes.fromhex(one.letter.record_id)
        answers = [missing[place] for place in one.events]
        merges = all(missing[place] or record_id in states[place].marks for place in one.events)
        if answers and _awaited(one, states, fresh) - history.records:
            rebuilt.unsure[one.letter.record_id] = BEHIND
        elif not answers or None in answers:
            rebuilt.unsure[one.letter.record_id] = "state and history differ by more than the records that came late"
        elif not any(answers):
            rebuilt.known.append(one.letter.record_id)
            letters.forget(one.letter)
        elif merges and list(aggregate([_record(one)], NO_DEADLINE)) == [DONE]:
            rebuilt.counted.append(one.letter.record_id)
            letters.forget(one.letter)
        else:
            rebuilt.unsure[one.letter.record_id] = "some of its windows had it and others had not"
    return rebuilt


def _late(letters: DeadLetters, rebuilt: Rebuilt) -> Iterable[_Late]:
    for letter in letters.all():
        if (letter.function, letter.reason) != (FUNCTION, REASON):
            continue
        try:
            body = letters.body(letter)
            columns = read(body)
            header = columns.header
            windows = (columns.timestamp // WINDOW_MS).tolist()
        except CorruptData as error:
            rebuilt.unsure[letter.record_id] = str(error)
            continue
        yield _Late(letter, body, columns, Counter(Place(header.content_id, header.k, window) for window in windows))


def _awaited(one: _Late, states: dict[Place, WindowState], fresh: int) -> set[bytes]:
    """What the history must hold before it can be compared: the record, and what its windows have just taken in."""
    marks = (mark for place in one.events for mark in states[place].marks.entries.items())
    return {bytes.fromhex(one.letter.record_id), *(record_id for record_id, (minute, _) in marks if minute >= fresh)}


def _missing(late: list[_Late], states: dict[Place, WindowState], history: _History) -> dict[Place, bool | None]:
    """Of each place whether the records that came late are missing there; None where nobody can tell."""
    awaited: Counter[Place] = Counter()
    for one in late:
        awaited.update(one.events)
    answers: dict[Place, bool | None] = {}
    for place, events in awaited.items():
        lacking = history.held[place] - states[place].tally("counted")
        answers[place] = True if lacking == events else False if lacking == 0 and history.exact[place] else None
    return answers


def _history(ports: Ports, places: set[Place]) -> _History:
    history = _History()
    for content_id in {place.content_id for place in places}:
        windows = [place.window for place in places if place.content_id == content_id]
        start, end = _utc(min(windows) * WINDOW_MS), _utc((max(windows) + 1) * WINDOW_MS)
        fan_out = read_fan_out(ports.table(SCHEDULES), content_id)
        rows = ports.warehouse().query(
            _ROWS,
            {
                "seconds": WINDOW_MS // 1_000,
                "content": content_id,
                "first": start.date(),
                "last": end.date(),
                "start": start,
                "end": end,
            },
        )
        for row in rows:
            window, events = int(str(row["number"])), int(str(row["events"]))
            k = partition(viewer_hash(bytes.fromhex(str(row["viewer_id"]))), fan_out.at(window))
            place = Place(content_id, k, window)
            history.held[place] += events
            history.exact[place] = history.exact[place] and bool(row["exact"])
            history.records.add(bytes.fromhex(str(row["record_id"])))
    return history


def _state(ports: Ports, place: Place) -> WindowState:
    item = ports.table(AUDIENCE_TABLE).get(*state_key(*place))
    return decode(item.value) if item else WindowState(place.window)


def _record(one: _Late) -> Record:
    letter = one.letter
    record_id = bytes.fromhex(letter.record_id)
    return Record(record_id, letter.key, "rebuild", None, letter.first_appended_at, None, one.body)


def _utc(ms: int) -> datetime:
    """As timestamps are in the warehouse: UTC, which they do not say."""
    return datetime.fromtimestamp(ms / 1_000, UTC).replace(tzinfo=None)
