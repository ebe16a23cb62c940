"""What a viewer agreed to be known by: age group, country, language, subscription and join date.

Kept under the viewer's pseudonym, and only with consent. Each attribute has the timestamp of whoever set it and
the latest wins, so that calls may arrive twice and in any order.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from shared.errors import CorruptData, Unavailable, VersionConflict
from shared.ports import ABSENT, Item, Table, query_all
from shared.viewing.buckets import BUCKETS, bucket_of

NAMES: Final = ("age_group", "country", "language", "subscription", "join_date")
CONSENTS: Final = ("analytics", "personalisation")
MAX_TRIES: Final = 50

Attributes = dict[str, str]
"""By name; what is not known is not there."""


class Stored(msgspec.Struct, kw_only=True):
    """One viewer's item. `fields` holds (timestamp in ms, value, None for cleared) by name."""

    fields: dict[str, tuple[int, str | None]] = {}
    erased_at: int = 0
    """What was said up to here, in ms since epoch, is forgotten and stays so when it is told again."""

    def known(self) -> Attributes:
        return {name: value for name, (_, value) in self.fields.items() if value is not None}


def put_attributes(
    table: Table,
    pseudonym: bytes,
    attributes: Mapping[str, str | None],
    timestamp_ms: int,
    consent: str | None,
    *,
    child: bool = False,
) -> bool:
    """Merge what was said of a viewer at `timestamp_ms` (no later than now) into table `viewers`.

    Names left out stay as they are and None clears; names other than NAMES are ignored. Nothing is stored without
    consent to analytics or personalisation; `none`, and being a child, also erase what is there. True when the
    attributes may be kept. Raises Unavailable.
    """
    if child or consent == "none":
        erase_attributes(table, pseudonym, timestamp_ms)
        return False
    if consent not in CONSENTS:
        return False
    said = {name: (timestamp_ms, attributes[name]) for name in NAMES if name in attributes}
    _merge(table, pseudonym, Stored(fields=said))
    return True


def erase_attributes(table: Table, pseudonym: bytes, timestamp_ms: int) -> None:
    """Forget what was said of a viewer up to `timestamp_ms`. Raises Unavailable."""
    _merge(table, pseudonym, Stored(erased_at=timestamp_ms))


def read_attributes(table: Table, pseudonyms: Iterable[bytes]) -> Attributes:
    """One viewer's attributes under all of its pseudonyms, an attribute's latest value first. Raises CorruptData."""
    found = table.batch_get([_key(pseudonym) for pseudonym in pseudonyms])
    merged = Stored()
    for item in found.values():
        merged = merge(merged, _decode(item))
    return merged.known()


def all_attributes(table: Table) -> Iterator[tuple[bytes, Attributes]]:
    """Every viewer of whom something is known: (pseudonym, attributes). Raises CorruptData."""
    for bucket in range(BUCKETS):
        for item in query_all(table, _partition(bucket)):
            if known := _decode(item).known():
                yield bytes.fromhex(item.sort), known


def merge(one: Stored, other: Stored) -> Stored:
    """Both together; commutative, associative and idempotent. At equal timestamps the greater value wins."""
    erased_at = max(one.erased_at, other.erased_at)
    fields: dict[str, tuple[int, str | None]] = {}
    for name in sorted({*one.fields, *other.fields}):
        values = [stored.fields[name] for stored in (one, other) if name in stored.fields]
        latest = max(values, key=lambda value: (value[0], value[1] is not None, value[1] or ""))
        if latest[0] > erased_at:
            fields[name] = latest
    return Stored(fields=fields, erased_at=erased_at)


def _merge(table: Table, pseudonym: bytes, said: Stored) -> None:
    partition, sort = _key(pseudonym)
    for _ in range(MAX_TRIES):
        item = table.get(partition, sort)
        before = _decode(item) if item else Stored()
        after = merge(before, said)
        if after == before:
            return
        try:
            table.put(partition, sort, msgspec.json.encode(after), if_version=item.version if item else ABSENT)
        except VersionConflict:
            continue
        return
    raise Unavailable("too many writers change this viewer's attributes at once; try again")


def _partition(bucket: int) -> str:
    return f"attributes#{bucket:02d}"


def _key(pseudonym: bytes) -> tuple[str, str]:
    return _partition(bucket_of(pseudonym)), pseudonym.hex()


def _decode(item: Item) -> Stored:
    try:
        return msgspec.json.decode(item.value, type=Stored)
    except msgspec.MsgspecError as error:
        raise CorruptData(f"viewer attributes {item.partition}/{item.sort} cannot be read: {error}") from None
