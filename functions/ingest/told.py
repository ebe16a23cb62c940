"""The events of a body as columns, and who tells them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count, repeat
from operator import itemgetter
from typing import Any, Final, TypeVar, cast

import msgspec

from events.event import Body, CoreEvent, Event

Value = TypeVar("Value")

CORE: Final = CoreEvent.__struct_fields__
KNOWN: Final = frozenset(Event.__struct_fields__)
SPARSE: Final = tuple(
    name for name in Event.__struct_fields__ if name not in {*CORE, "content_type", "consent", "child"}
)
"""What few events carry, stored beside the columns."""

WHO: Final = (
    "device_type",
    "country",
    "tier",
    "age_group",
    "network_quality",
    "report_every_seconds",
)
"""What a profile holds beside its viewer and session, in the order of its tuple."""

Who = tuple[str, str, str | None, str | None, str | None, str | None, str | None, int | None, str | None, bool]
"""viewer, session, then WHO, consent, and whether there may be no profile."""


@dataclass(slots=True)
class Told:
    """Columns of equal length by field; of the optional fields only those that some event has.

    `index` is each event's place in its body, `who` the distinct profiles, and `profile` each event's row there.
    `sound` tells that every event is known to keep to the rules.
    """

    index: Sequence[int]
    columns: dict[str, Sequence[Any]]
    who: list[Who]
    profile: Sequence[int]
    sound: bool = False

    def __len__(self) -> int:
        return len(self.profile)

    def without(self, rows: Iterable[int]) -> "Told":
        """The events but those in `rows`."""
        left_out = set(rows)
        kept = [row for row in range(len(self)) if row not in left_out]
        columns = {name: take(column, kept) for name, column in self.columns.items()}
        used, profile = number(take(self.profile, kept))
        return Told(take(self.index, kept), columns, [self.who[each] for each in used], profile)


def take(column: Sequence[Value], rows: Sequence[int]) -> Sequence[Value]:
    """The entries of `column` at `rows`, which ascend."""
    if len(rows) == len(column):
        return column
    if len(rows) < 2:
        return [column[row] for row in rows]
    picked: Sequence[Value] = itemgetter(*rows)(column)
    return picked


def distinct(column: Sequence[Value]) -> Collection[Value]:
    """The different values; a body mostly speaks of one content, and equality is sooner known than a hash."""
    return column[:1] if column.count(column[0]) == len(column) else set(column)


def number(values: Iterable[Value]) -> tuple[list[Value], list[int]]:
    """The distinct values in order of appearance, and each value's place among them."""
    places: defaultdict[Value, int] = defaultdict(count().__next__)
    rows = list(map(places.__getitem__, values))
    return list(places), rows


def tell(body: Body) -> Told:
    """The body's events as columns. A viewer id that is missing is made up for by the session's, and vice versa."""
    events: Sequence[CoreEvent] = body.core or body.events
    if not events:
        return Told((), {}, [], ())
    columns = _columns(events)
    if not body.core:
        columns = {
            name: column
            for name, column in columns.items()
            if name in CORE or (name in KNOWN and column.count(None) < len(column))
        }
    viewers, sessions = columns["viewer_id"], columns["session_id"]
    words = [columns[name] for name in WHO]
    if "consent" not in columns and "child" not in columns:
        hidden = bool(body.child) or body.consent == "none"
        complete = all(viewers) and all(sessions)
        if not complete:
            viewers, sessions = _stand_in(columns, repeat(hidden))
        alike, profile = number(zip(viewers, sessions, *words, strict=True))
        in_common = (body.consent, hidden)
        who = cast(list[Who], [each + in_common for each in alike])
        return Told(body.indices, columns, who, profile, sound=body.sound and (complete or all(viewers)))
    no_profile, consent = _privacy(body, columns)
    if not (all(viewers) and all(sessions)):
        viewers, sessions = _stand_in(columns, no_profile)
    people, profile = number(zip(viewers, sessions, *words, consent, no_profile, strict=True))
    return Told(body.indices, columns, cast(list[Who], people), profile)


def _columns(events: Sequence[CoreEvent]) -> dict[str, Sequence[Any]]:
    """The events' fields; all values in one list first, since that makes no garbage and costs less than zip."""
    flat: list[Any] = []
    for event in events:
        flat += msgspec.structs.astuple(event)
    names = events[0].__struct_fields__
    return {name: flat[place :: len(names)] for place, name in enumerate(names)}


def _privacy(body: Body, columns: dict[str, Sequence[Any]]) -> tuple[list[bool], list[str | None]]:
    """For each event whether there may be no profile, and its consent; the stricter of body and event holds."""
    n = len(columns["event_type"])
    said = columns.get("consent") or [None] * n
    children = columns.get("child") or [None] * n
    consent = ["none" if body.consent == "none" else each or body.consent for each in said]
    no_profile = [bool(child or body.child) or each == "none" for child, each in zip(children, consent, strict=True)]
    return no_profile, consent


def _stand_in(columns: dict[str, Sequence[Any]], no_profile: Iterable[bool]) -> tuple[Sequence[str], Sequence[str]]:
    """Viewers and sessions without gaps; both are "" where an event has neither.

    Without a profile and without a session id, a viewer's events of one content make the session: their viewer
    cannot be followed from one content to another.
    """
    viewers, sessions = [], []
    told = zip(columns["viewer_id"], columns["session_id"], columns["content_id"], no_profile, strict=False)
    for viewer, session, content, hidden in told:
        viewers.append(viewer or session or "")
        sessions.append(session or (_passing(viewer, content) if viewer and hidden else viewer) or "")
    return viewers, sessions


def _passing(viewer: str, content: str) -> str:
    return blake2b(f"{viewer}\0{content}".encode(), digest_size=16).hexdigest()
