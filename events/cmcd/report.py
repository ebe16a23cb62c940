"""One CMCD report with every value in its key's type, whatever the player made of it.

Players in the wild send decimals where integers are due, quote tokens, leave strings bare, unlist lists. Each such
break of a rule is mended and counted by name; a value that cannot be mended is left out and counted.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from events.cmcd.keys import HUNDREDS, MAX_CHARACTERS, REQUIRED_WITH, TYPES, VERSION_1_KEYS, Type
from events.cmcd.parse import Bare, Item, Member

LARGEST: Final = 999_999_999_999_999
"""The largest integer of RFC 8941."""
LARGEST_AMOUNT: Final = 2**31 - 1
"""The largest duration or bitrate that makes sense (24 days, 2 Tbit/s); points in time and counts may be larger."""
NO_AMOUNTS: Final = frozenset(("ts", "pt", "sn"))
FASTEST: Final = 1_000
"""The largest playback rate that makes sense."""

Numbers = list[tuple[int, tuple[str, ...]]]
"""A list of integers, each with the object types it is for."""

_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{0,40})?(?:[eE][+-]?\d{1,3})?")


@dataclass(slots=True)
class Report:
    """What a player said at one moment. `version` 1 or 2; `custom` holds the hyphenated keys of the sender's own."""

    version: int
    integers: dict[str, int] = field(default_factory=dict)
    decimals: dict[str, float] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, Numbers] = field(default_factory=dict)
    strings: dict[str, list[str]] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether it holds anything that CMCD knows."""
        known = (self.integers, self.decimals, self.flags, self.texts, self.numbers, self.strings)
        return any(known)


class _NotMendable(Exception):
    """The value says nothing that its key could mean."""


def report_of(members: Mapping[str, Member], broken: Counter[str]) -> Report:
    """Give every member its type. Breaks of a rule are counted in `broken` by rule."""
    report = Report(version=_version(members, broken))
    for key, member in members.items():
        kind = TYPES.get(key)
        try:
            if kind is None:
                _keep_custom(report, key, member, broken)
            else:
                _READERS[kind](report, key, member, broken)
        except _NotMendable:
            broken["unusable_value"] += 1
    if report.version > 1:
        _count_missing(report, broken)
    _count_too_long(report, broken)
    return report


def _version(members: Mapping[str, Member], broken: Counter[str]) -> int:
    """`v` says it; a report of an event that forgot `v` is taken as version 2."""
    if "v" not in members:
        broken["missing_v"] += "e" in members
        return 2 if "e" in members else 1
    try:
        version = _integer(members["v"], broken)
    except _NotMendable:
        return 2
    broken["unknown_version"] += version not in (1, 2)
    return 1 if version == 1 else 2


def _keep_custom(report: Report, key: str, member: Member, broken: Counter[str]) -> None:
    if "-" not in key.strip("-"):
        broken["unknown_key"] += 1
        return
    broken["custom_key_not_lowercase"] += key != key.lower()
    report.custom[key] = _plain(_single(member, broken).value)


def _plain(value: bool | int | float | str) -> bool | int | float | str:
    if isinstance(value, Bare) and _NUMBER.fullmatch(value):
        number = float(value)
        return int(number) if number.is_integer() and abs(number) <= LARGEST else number
    return str(value) if isinstance(value, str) else value


def _read_integer(report: Report, key: str, member: Member, broken: Counter[str]) -> None:
    report.integers[key] = _counted(key, _integer(member, broken), broken)


def _read_decimal(report: Report, key: str, member: Member, broken: Counter[str]) -> None:
    number = _number(_single(member, broken), broken)
    if number > FASTEST:
        raise _NotMendable
    report.decimals[key] = number


def _read_flag(report: Report, key: str, member: Member, broken: Counter[str]) -> None:
    value = _single(member, broken).value
    if not isinstance(value, bool):
        said = str(value).lower()
        if said not in ("true", "false", "1", "0"):
            raise _NotMendable
        value = said in ("true", "1")
        broken["boolean_with_value"] += 1
    report.flags[key] = value


def _read_text(report: Report, key: str, member: Member, broken: Counter[str]) -> None:
    value = _single(member, broken).value
    if isinstance(value, bool) or value == "":
        raise _NotMendable
    broken["unquoted_string"] += isinstance(value, Bare) or not isinstance(value, str)
    report.texts[key] = str(value)


def _read_token(report: Report, key: str, member: Member, broken: Counter[str]) -> None:
    value = _single(member, broken).value
    if not isinstance(value, str):
        raise _NotMendable
    broken["quoted_token"] += not isinstance(value, Bare)
    report.texts[key] = str(value)


def _read_numbers(report: Report, key: str, member: Member, broken: Counter[str]) -> None:
    is_list = isinstance(member, list)
    if key in VERSION_1_KEYS or report.version > 1:
        broken["list_for_scalar" if is_list else "scalar_for_list"] += is_list == (report.version == 1)
    items = member if isinstance(member, list) else [member]
    numbers = [(_counted(key, _whole(_number(item, broken), broken), broken), item.parameters) for item in items]
    if not numbers:
        raise _NotMendable
    report.numbers[key] = numbers


def _read_strings(report: Report, key: str, member: Member, broken: Counter[str]) -> None:
    broken["scalar_for_list"] += report.version > 1 and not isinstance(member, list)
    items = member if isinstance(member, list) else [member]
    strings = [str(item.value) for item in items if not isinstance(item.value, bool)]
    if not strings:
        raise _NotMendable
    report.strings[key] = strings


_READERS: Final[Mapping[Type, Callable[[Report, str, Member, Counter[str]], None]]] = {
    Type.INTEGER: _read_integer,
    Type.DECIMAL: _read_decimal,
    Type.BOOLEAN: _read_flag,
    Type.STRING: _read_text,
    Type.TOKEN: _read_token,
    Type.INTEGER_LIST: _read_numbers,
    Type.STRING_LIST: _read_strings,
}


def _single(member: Member, broken: Counter[str]) -> Item:
    if isinstance(member, Item):
        return member
    if not member:
        raise _NotMendable
    broken["list_for_scalar"] += 1
    return member[0]


def _integer(member: Member, broken: Counter[str]) -> int:
    return _whole(_number(_single(member, broken), broken), broken)


def _number(item: Item, broken: Counter[str]) -> float:
    value = item.value
    if isinstance(value, bool):
        raise _NotMendable
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise _NotMendable
        broken["quoted_number"] += not isinstance(value, Bare)
        value = float(value)
    if not 0 <= value <= LARGEST:
        raise _NotMendable
    return value


def _whole(number: float, broken: Counter[str]) -> int:
    broken["decimal_for_integer"] += number != int(number)
    return math.floor(number + 0.5)


def _counted(key: str, number: int, broken: Counter[str]) -> int:
    """Values that should be rounded to hundreds are counted, and kept as exact as they came."""
    if number > LARGEST_AMOUNT and key not in NO_AMOUNTS:
        raise _NotMendable
    broken["not_rounded_to_hundred"] += key in HUNDREDS and number % 100 != 0
    return number


def _count_missing(report: Report, broken: Counter[str]) -> None:
    event = report.texts.get("e")
    if event is None:
        return
    said = (report.integers, report.decimals, report.texts, report.numbers, report.strings)
    for key in ("ts", REQUIRED_WITH.get(event, "e")):
        broken[f"missing_{key}"] += not any(key in values for values in said)


def _count_too_long(report: Report, broken: Counter[str]) -> None:
    for key, limit in MAX_CHARACTERS.items():
        broken["string_too_long"] += len(report.texts.get(key, "")) > limit
