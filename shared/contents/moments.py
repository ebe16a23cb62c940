"""Marked moments: a goal, a half-time whistle, an advert; what an operator wants to see in a curve.

Not to be mixed up with the marks of the stream contract (shared/audience/marks.py). Table `moments`: partition
`id#{content}` holds each moment under its id; `at#{content}#{block}` names those of 30 days in order of time.
"""

from typing import Final

import msgspec

from shared.errors import CorruptData, InvalidInput
from shared.keys import content_key
from shared.ports import MAX_BATCH_GET, Item, Key, Ports, query_all
from shared.settings import Settings
from shared.units import DAY_MS

MOMENTS_TABLE: Final = "moments"
BLOCK_MS: Final = 30 * DAY_MS
AHEAD_MS: Final = DAY_MS
"""How far ahead of time a moment may be marked."""
MAX_LISTED: Final = 1_000


class Moment(msgspec.Struct, frozen=True):
    """A moment of a content; `at` in ms since epoch."""

    moment_id: str
    at: int
    kind: str
    label: str = ""


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Moment)


class Moments:
    """Moments by content; kept as long as the history."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._clock = ports.clock
        self._moments = ports.table(MOMENTS_TABLE)
        self._kept_ms = settings.history_days * DAY_MS

    def get(self, content_id: str, moment_id: str) -> Moment | None:
        """One moment; None where there is none."""
        item = self._moments.get(*_id_key(content_id, moment_id))
        return _read(item) if item else None

    def put(self, content_id: str, moment: Moment) -> None:
        """Write a moment under its id; the same again changes nothing. Raises InvalidInput where it is out of time.

        Nothing is atomic over two items, so:
        1. Name the moment at its time.
        2. Write the moment.
        A crash in between, or another time than before, leaves a name at a time that the moment does not speak of.
        Readers believe the moment, the name expires with its time, and a second PUT begins with 1 again.
        """
        expires_at = moment.at + self._kept_ms
        now = self._clock.now_ms()
        if not now < expires_at or moment.at > now + AHEAD_MS:
            raise InvalidInput(
                f"at: a moment lies at most {self._kept_ms // DAY_MS} days back and {AHEAD_MS // DAY_MS} ahead.",
                reason="body",
            )
        self._moments.put(*_at_key(content_id, moment), moment.moment_id.encode(), expires_at=expires_at)
        self._moments.put(*_id_key(content_id, moment.moment_id), _encode(moment), expires_at=expires_at)

    def delete(self, content_id: str, moment_id: str) -> None:
        """Forget a moment, if there is one; its name at its time expires."""
        self._moments.delete(*_id_key(content_id, moment_id))

    def between(self, content_id: str, since: int, until: int) -> list[Moment]:
        """The moments in [since, until), in order of time, then id. Raises InvalidInput when they are too many."""
        now = self._clock.now_ms()
        since, until = max(0, since, now - self._kept_ms), min(until, now + AHEAD_MS + 1)
        found: list[Moment] = []
        for block in range(since // BLOCK_MS, -(-until // BLOCK_MS) if since < until else 0):
            names = list(
                query_all(self._moments, _at_partition(content_id, block), start=_at_sort(since), end=_at_sort(until))
            )
            found += self._told(content_id, names)
            if len(found) > MAX_LISTED:
                raise InvalidInput(
                    f"Between `from` and `to` are more than {MAX_LISTED:,} marks, which is the most that an answer "
                    "holds. Ask for one stretch after the other.",
                    reason="range",
                )
        return found

    def _told(self, content_id: str, names: list[Item]) -> list[Moment]:
        """The moments that the names speak of, where they lie at the time that a name says."""
        wanted = list({_id_key(content_id, name.value.decode()) for name in names})
        stored: list[Moment] = []
        for at in range(0, len(wanted), MAX_BATCH_GET):
            stored += map(_read, self._moments.batch_get(wanted[at : at + MAX_BATCH_GET]).values())
        named = {name.sort for name in names}
        there = (moment for moment in stored if _at_key(content_id, moment)[1] in named)
        return sorted(there, key=lambda moment: (moment.at, moment.moment_id))


def _id_key(content_id: str, moment_id: str) -> Key:
    return f"id#{content_key(content_id)}", moment_id


def _at_key(content_id: str, moment: Moment) -> Key:
    return _at_partition(content_id, moment.at // BLOCK_MS), f"{_at_sort(moment.at)}#{moment.moment_id}"


def _at_partition(content_id: str, block: int) -> str:
    return f"at#{content_key(content_id)}#{block}"


def _at_sort(time_ms: int) -> str:
    return f"{time_ms:015d}"


def _read(item: Item) -> Moment:
    try:
        return _decoder.decode(item.value)
    except msgspec.MsgspecError as error:
        raise CorruptData(f"a marked moment in table {MOMENTS_TABLE!r} cannot be read: {error}") from None
