"""Viewers and sessions as they are stored: keyed hashes, once per distinct viewer of a body."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from events.record import Profile
from functions.ingest.told import Told, Who, number
from shared.hashing import viewer_hash
from shared.privacy.pseudonym import Key, KeyRing, Pseudonyms

WINDOW_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Disguised:
    """A body's profiles, each event's row among them, and the ids of the keys that they refer to."""

    profiles: list[Profile]
    profile: Sequence[int]
    keys: list[str]
    event_id: Sequence[str | None]

    def hash_of(self, profile: int) -> int:
        """A profile's viewer as 64 bits."""
        return viewer_hash(self.profiles[profile].viewer)


class Disguise:
    """Gives pseudonyms by the key of each event's own window. Those of the ids met last are kept in memory."""

    def __init__(self, key_ring: Callable[[], KeyRing]) -> None:
        self._key_ring = key_ring
        self._pseudonyms: dict[Key, Pseudonyms] = {}

    def __call__(self, told: Told, moments: Sequence[int]) -> Disguised:
        ring = self._key_ring()
        first, last = ring.at(min(moments) // WINDOW_MS), ring.at(max(moments) // WINDOW_MS)
        if first is last:
            keys, profile = [first], told.profile
            profiles = [_profile(who, self._under(first), 0) for who in told.who]
        else:
            keys, key = number(ring.at(moment // WINDOW_MS) for moment in moments)
            combinations, profile = number(zip(told.profile, key, strict=True))
            profiles = [_profile(told.who[who], self._under(keys[place]), place) for who, place in combinations]
        event_id: Sequence[str | None] = told.columns["event_id"]
        if any(each.no_profile for each in profiles):
            event_id = [
                self._under(keys[profiles[row].key]).of(each).hex() if each and profiles[row].no_profile else each
                for each, row in zip(event_id, profile, strict=True)
            ]
        return Disguised(profiles, profile, [key.id for key in keys], event_id)

    def _under(self, key: Key) -> Pseudonyms:
        pseudonyms = self._pseudonyms.get(key)
        if pseudonyms is None:
            pseudonyms = self._pseudonyms[key] = Pseudonyms(key)
        return pseudonyms


def _profile(who: Who, pseudonyms: Pseudonyms, key: int) -> Profile:
    viewer, session, device, country, tier, age_group, network, report_every, consent, no_profile = who
    hidden = pseudonyms.of(session)
    return Profile(
        hidden if no_profile else pseudonyms.of(viewer),
        hidden,
        device or None,
        country or None,
        tier or None,
        age_group or None,
        network or None,
        consent,
        report_every or 0,
        no_profile,
        key,
    )
