"""Viewers and sessions as they are stored: keyed hashes, once per distinct viewer of a body."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from events.record import Profiles
from functions.ingest.told import Told, Who, number
from shared.hashing import viewer_hash
from shared.privacy.pseudonym import Key, KeyRing, Pseudonyms
from shared.units import WINDOW_MS


@dataclass(slots=True)
class Disguised:
    """A body's profiles, each event's row among them, and the ids of the keys that they refer to."""

    profiles: Profiles
    profile: Sequence[int]
    keys: list[str]
    event_id: Sequence[str | None]

    def hash_of(self, profile: int) -> int:
        """A profile's viewer as 64 bits."""
        return viewer_hash(self.profiles.viewer[profile])


class Disguise:
    """Gives pseudonyms by the key of each event's own window. Those of the ids met last are kept in memory."""

    def __init__(self, key_ring: Callable[[], KeyRing]) -> None:
        self._key_ring = key_ring
        self._pseudonyms: dict[Key, Pseudonyms] = {}

    def __call__(self, told: Told, moments: Sequence[int], earliest: int, latest: int) -> Disguised:
        """`earliest` and `latest` are the extremes of `moments`, in ms."""
        ring = self._key_ring()
        who, profile, key = told.who, told.profile, [0] * len(told.who)
        keys = [ring.at(earliest // WINDOW_MS)]
        if ring.at(latest // WINDOW_MS) is not keys[0]:
            keys, key_of = number(ring.at(moment // WINDOW_MS) for moment in moments)
            combinations, profile = number(zip(told.profile, key_of, strict=True))
            who, key = [told.who[each] for each, _ in combinations], [each for _, each in combinations]
        pseudonyms = [self._under(each) for each in keys]
        profiles = _profiles(who, key, pseudonyms)
        event_id: Sequence[str | None] = told.columns["event_id"]
        if any(profiles.no_profile):
            event_id = [
                pseudonyms[key[row]].of(each).hex() if each and _gives_away(each, who[row]) else each
                for each, row in zip(event_id, profile, strict=True)
            ]
        return Disguised(profiles, profile, [each.id for each in keys], event_id)

    def _under(self, key: Key) -> Pseudonyms:
        pseudonyms = self._pseudonyms.get(key)
        if pseudonyms is None:
            pseudonyms = self._pseudonyms[key] = Pseudonyms(key)
        return pseudonyms


def _profiles(who: list[Who], key: list[int], pseudonyms: Sequence[Pseudonyms]) -> Profiles:
    columns: list[Sequence[Any]] = list(zip(*who, strict=True))
    viewer, session, device, country, tier, age_group, network, report_every, consent, no_profile = columns
    if len(pseudonyms) == 1:
        viewers, sessions = pseudonyms[0].of_all(viewer), pseudonyms[0].of_all(session)
    else:
        viewers = [pseudonyms[each].of(name) for each, name in zip(key, viewer, strict=True)]
        sessions = [pseudonyms[each].of(name) for each, name in zip(key, session, strict=True)]
    if any(no_profile):
        told = zip(viewers, sessions, no_profile, strict=True)
        viewers = [hidden if alone else known for known, hidden, alone in told]
    return Profiles(
        viewers,
        sessions,
        _named(device),
        _named(country),
        _named(tier),
        _named(age_group),
        _named(network),
        consent,
        [each or 0 for each in report_every],
        no_profile,
        key,
    )


def _gives_away(event_id: str, who: Who) -> bool:
    """Whether an event's id names a viewer or a session of whom there may be no profile."""
    viewer, session, *_, no_profile = who
    return no_profile and (viewer in event_id or session in event_id)


def _named(words: Sequence[str | None]) -> Sequence[str | None]:
    """Words, of which an empty one says nothing."""
    return [word or None for word in words] if "" in words else words
