"""CMCD text into raw members: the dictionary of RFC 8941, read as players in the wild write it.

Nothing is judged here but the syntax: what a bare value means depends on its key (`cid=007` is text, `br=007` a
number), so it stays as it was written until `events.cmcd.report` knows the key.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from events.cmcd.keys import TYPES, Type

MAX_MEMBERS: Final = 200
"""In one report: some 60 keys are reserved, and the rest of a longer one is left out."""


class Bare(str):
    """A token or number as it was written, without quotes."""

    __slots__ = ()


class Item(NamedTuple):
    """One value with its parameters' names: `5000;v` is Item("5000", ("v",)). A key without a value is True."""

    value: bool | int | float | str
    parameters: tuple[str, ...] = ()


Member = Item | list[Item]
"""A list is an inner list: `(5000;v 128;a)`."""

_KEY = re.compile(r"[A-Za-z*][A-Za-z0-9_.*-]*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r'[^\s,;()"]+')
_PARAMETER = re.compile(r';\s*([A-Za-z*][A-Za-z0-9_.*-]*)(?:=(?:"(?:[^"\\]|\\.)*"|[^\s,;()"]*))?')
_PLAIN_MEMBER = re.compile(r'\s*([A-Za-z*][A-Za-z0-9_.*-]*)(?:=(?:"([^"\\]*)"|([^\s,;()"\\?]+)))?\s*(?:,|\Z)')
"""Most members by far, in one step: no list, no parameters, no escapes."""
_SPACE = re.compile(r"\s*")
_REST_OF_MEMBER = re.compile(r'(?:"(?:[^"\\]|\\.?)*+"?|[^,"])*+,?', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class _SyntaxError(Exception):
    """This member cannot be read."""


def parse(text: str, broken: Counter[str]) -> dict[str, Member]:
    """The members of one report by key. A member that cannot be read is left out and counted in `broken`."""
    members: dict[str, Member] = {}
    at = found = 0
    while at < len(text):
        found += 1
        if found > MAX_MEMBERS:
            broken["too_many_members"] += 1
            break
        if plain := _PLAIN_MEMBER.match(text, at):
            key, quoted, bare = plain.groups()
            broken["duplicate_key"] += key in members
            members[key] = Item(Bare(bare) if bare is not None else True if quoted is None else quoted)
            at = plain.end()
            continue
        start = _skip_space(text, at)
        try:
            key, member, at = _member(text, start)
        except _SyntaxError:
            broken["malformed_member"] += 1
            at = _end(_REST_OF_MEMBER, text, start)
            continue
        if key:
            broken["duplicate_key"] += key in members
            members[key] = member
    return members


def members_of(json_object: Mapping[str, Any], broken: Counter[str]) -> dict[str, Member]:
    """The same from CMCD's JSON form, where an item with parameters is `{"value": …, "params": {…}}`."""
    members: dict[str, Member] = {}
    broken["too_many_members"] += len(json_object) > MAX_MEMBERS
    for key, value in islice(json_object.items(), MAX_MEMBERS):
        try:
            is_token = TYPES.get(key) is Type.TOKEN and isinstance(value, str)
            members[key] = Item(Bare(value)) if is_token else _json_member(value)
        except _SyntaxError:
            broken["malformed_member"] += 1
    return members


def _member(text: str, at: int) -> tuple[str, Member, int]:
    """The member that starts at `at`, and where the next one starts; an empty key where there is none."""
    found = _KEY.match(text, at)
    if found is None:
        return "", Item(value=True), _past_comma(text, at)
    key, at = found[0], found.end()
    member: Member = Item(value=True)
    if text.startswith("=", at):
        member, at = _value(text, _skip_space(text, at + 1))
    parameters, at = _parameters(text, at)
    if parameters and isinstance(member, Item):
        member = Item(member.value, parameters)
    return key, member, _past_comma(text, at)


def _value(text: str, at: int) -> tuple[Member, int]:
    if text.startswith("(", at):
        return _inner_list(text, at + 1)
    return _bare_item(text, at)


def _bare_item(text: str, at: int) -> tuple[Item, int]:
    if found := _QUOTED.match(text, at):
        return Item(_ESCAPE.sub(r"\1", found[1])), found.end()
    if found := _BARE.match(text, at):
        return Item(_boolean_or_bare(found[0])), found.end()
    raise _SyntaxError


def _inner_list(text: str, at: int) -> tuple[list[Item], int]:
    items = []
    at = _skip_space(text, at)
    while not text.startswith(")", at):
        item, at = _bare_item(text, at)
        parameters, at = _parameters(text, at)
        items.append(Item(item.value, parameters))
        at = _skip_space(text, at)
    return items, at + 1


def _parameters(text: str, at: int) -> tuple[tuple[str, ...], int]:
    names = []
    while found := _PARAMETER.match(text, at):
        names.append(found[1])
        at = found.end()
    return tuple(names), at


def _past_comma(text: str, at: int) -> int:
    at = _skip_space(text, at)
    if at < len(text) and text[at] != ",":
        raise _SyntaxError
    return at + 1


def _skip_space(text: str, at: int) -> int:
    return _end(_SPACE, text, at)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _boolean_or_bare(text: str) -> bool | Bare:
    return text == "?1" if text in ("?0", "?1") else Bare(text)


def _json_member(value: Any) -> Member:
    return [_json_item(part) for part in value] if isinstance(value, list) else _json_item(value)


def _json_item(value: Any) -> Item:
    if isinstance(value, bool | int | float | str):
        return Item(value)
    if isinstance(value, dict) and isinstance(value.get("value"), bool | int | float | str):
        return Item(value["value"], tuple(_set_parameters(value.get("params"))))
    raise _SyntaxError


def _set_parameters(parameters: Any) -> Iterator[str]:
    if isinstance(parameters, dict):
        yield from (name for name, value in parameters.items() if value is not False)
