"""What an event must keep to beyond its types, checked column by column.

Each rule looks at a column's extremes first; only a column that breaks it is walked through event by event.
"""

from array import array
from collections.abc import Callable, Collection, Sequence
from math import isfinite
from typing import Any, Final

import msgspec

from events.event import MAX_ID_BYTES, TYPE_CODE, Rejection
from events.limits import AMOUNTS, MAX_AMOUNT, MAX_EXTRA_BYTES, NUMBERS, REPORT_EVERY, SIZES
from functions.ingest.told import CORE, WHO, Told, distinct

CONSENTS: Final = frozenset({None, "none", "analytics", "personalisation"})

SIZED: Final = tuple((name, limit) for name, limit in SIZES.items() if name != "content_id")
RULES: Final = (SIZED, AMOUNTS, tuple(NUMBERS.items()))
CORE_RULES: Final = (
    tuple((name, limit) for name, limit in SIZED if name in CORE),
    tuple(name for name in AMOUNTS if name in CORE),
    tuple((name, bounds) for name, bounds in NUMBERS.items() if name in CORE),
)

Fault = tuple[str, str]
"""A code, which is counted, and the reason that the sender is told."""
Faults = dict[int, Fault]
"""By row."""


def check(told: Told) -> Faults:
    """The events that break a rule, by row, each with the first rule it breaks."""
    faults: Faults = {}
    columns = told.columns
    if not columns or told.sound:
        return faults
    if not TYPE_CODE.keys() >= set(columns["event_type"]):
        _note(faults, columns["event_type"], _unknown_type)
    contents = distinct(columns["content_id"])
    if not all(contents) or _longest(contents) * 4 > MAX_ID_BYTES:
        _note(faults, columns["content_id"], _too_long("content_id", MAX_ID_BYTES))
        _note(faults, columns["content_id"], lambda value: None if value else ("missing", "content_id is empty"))
    sizes, amounts, numbers = CORE_RULES if len(columns) == len(CORE) else RULES
    for name, limit in sizes:
        column = columns.get(name)
        if column is not None and _longest(column) * 4 > limit:
            _note(faults, column, _too_long(name, limit))
    for name in amounts:
        column = columns.get(name)
        if column is not None and not _are_amounts(column):
            _note(faults, column, _no_amount(name))
    for name, (low, high) in numbers:
        column = columns.get(name)
        if column is not None and not _are_inside(column, low, high):
            _note(faults, column, _out_of_range(name, low, high))
    if "extra" in columns:
        _note(faults, columns["extra"], _extra)
    _check_who(faults, told)
    return faults


def rejections(faults: Faults, index: Sequence[int]) -> list[Rejection]:
    """The faults as the sender is told them."""
    return [Rejection(index[row], *fault) for row, fault in faults.items()]


def _check_who(faults: Faults, told: Told) -> None:
    viewers, sessions, *words, intervals, consents, _ = zip(*told.who, strict=True)
    if (
        all(viewers)
        and _longest(viewers + sessions) * 4 <= MAX_ID_BYTES
        and _longest(set().union(*words)) * 4 <= MAX_ID_BYTES
        and all(_is_interval(each) for each in set(intervals))
        and CONSENTS.issuperset(consents)
    ):
        return
    wrong = {row: fault for row, who in enumerate(told.who) if (fault := _who(who)) is not None}
    for row, profile in enumerate(told.profile):
        if profile in wrong:
            faults.setdefault(row, wrong[profile])


def _who(who: Sequence[Any]) -> Fault | None:
    viewer, session, *words, report_every, consent, _ = who
    if not viewer:
        return "missing", "viewer_id or session_id is needed"
    texts = (viewer, session, *words)
    if sum(map(len, filter(None, texts))) * 4 > MAX_ID_BYTES:
        for text, name in zip(texts, ("viewer_id", "session_id", *WHO), strict=False):
            if text and len(text.encode()) > MAX_ID_BYTES:
                return "too_long", f"{name} is over {MAX_ID_BYTES} bytes"
    if not _is_interval(report_every):
        return "out_of_range", f"report_every_seconds must be from {REPORT_EVERY[0]} to {REPORT_EVERY[1]}"
    if consent not in CONSENTS:
        return "wrong_value", "consent must be none, analytics or personalisation"
    return None


def _is_interval(seconds: int | None) -> bool:
    return seconds is None or REPORT_EVERY[0] <= seconds <= REPORT_EVERY[1]


def _note(faults: Faults, column: Sequence[Any], rule: Callable[[Any], Fault | None]) -> None:
    for row, value in enumerate(column):
        if value is not None and (fault := rule(value)) is not None:
            faults.setdefault(row, fault)


def _longest(column: Collection[str | None]) -> int:
    """The length in characters of the longest text."""
    texts: Collection[Any] = column
    try:
        return max(map(len, texts))
    except TypeError:
        return max(map(len, filter(None, texts)), default=0)


def _are_amounts(column: Sequence[int | None]) -> bool:
    """Whether every value is a whole number from 0 to MAX_AMOUNT."""
    values: Sequence[Any] = column
    try:
        array("i", values)
    except TypeError:
        values = _present(column)
        return all(isinstance(value, int) and 0 <= value <= MAX_AMOUNT for value in values)
    except OverflowError:
        return False
    return bool(min(values) >= 0)


def _are_inside(column: Sequence[float | None], low: float, high: float) -> bool:
    """Whether every value is a number from low to high."""
    try:
        return _span(column, low, high)
    except TypeError:
        return _span(_present(column), low, high)


def _span(values: Sequence[Any], low: float, high: float) -> bool:
    """A sum of finite numbers is finite: it tells of NaN, which is neither smaller nor larger than anything."""
    if not values:
        return True
    return bool(low <= min(values) and max(values) <= high and isfinite(sum(values)))


def _present(column: Sequence[Any]) -> list[Any]:
    return [value for value in column if value is not None]


def _unknown_type(value: str) -> Fault | None:
    return None if value in TYPE_CODE else ("unknown_type", f"event_type {value[:40]!r} is not known")


def _too_long(name: str, limit: int) -> Callable[[Any], Fault | None]:
    return lambda text: ("too_long", f"{name} is over {limit} bytes") if len(text.encode()) > limit else None


def _no_amount(name: str) -> Callable[[Any], Fault | None]:
    told = "out_of_range", f"{name} must be a whole number from 0 to {MAX_AMOUNT}"
    return lambda value: None if isinstance(value, int) and 0 <= value <= MAX_AMOUNT else told


def _out_of_range(name: str, low: float, high: float) -> Callable[[Any], Fault | None]:
    return lambda value: None if low <= value <= high else ("out_of_range", f"{name} must be from {low} to {high}")


def _extra(value: dict[str, Any]) -> Fault | None:
    if len(msgspec.json.encode(value)) <= MAX_EXTRA_BYTES:
        return None
    return "too_long", f"the extra fields are over {MAX_EXTRA_BYTES} bytes together"
