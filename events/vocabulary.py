"""The words that senders use again and again: devices, countries, tiers.

A decoder that knows a field's words gives each time the same string, ready hashed, and makes none: a body is then
decoded and sorted by its profiles a fifth sooner. What it knows changes no event; a word that is new sends the body
to the plain decoder, and is learned.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from events.event import CoreEvent

FIELDS: Final = ("quality_level", "device_type", "network_quality", "country", "tier", "age_group")
MAX_WORDS: Final = 256
MAX_CHARACTERS: Final = 32
LEARNED_FROM: Final = 50
"""Smaller bodies teach nothing: making a decoder costs as much as decoding a thousand events."""


class Vocabulary:
    """Known words by field. A field with too many of them, or long ones, is no vocabulary and is left alone."""

    def __init__(self) -> None:
        self._words: dict[str, dict[str, None]] = {name: {} for name in FIELDS}

    @property
    def empty(self) -> bool:
        """Whether no word is known."""
        return not any(self._words.values())

    def types(self) -> Mapping[str, Any]:
        """The known fields as types for msgspec."""
        return {name: _one_of(words) for name, words in self._words.items() if words}

    def learn(self, events: Sequence[CoreEvent]) -> bool:
        """Take in the words of a body; whether there was anything new."""
        if len(events) < LEARNED_FROM:
            return False
        grown = False
        for name, known in list(self._words.items()):
            new = dict.fromkeys(getattr(event, name) for event in events).keys() - known.keys() - {None}
            if len(known) + len(new) > MAX_WORDS or _any_long(new):
                del self._words[name]
            else:
                known.update(dict.fromkeys(sorted(new)))
            grown = grown or bool(new)
        return grown


def _one_of(words: Iterable[str]) -> Any:
    choice: Any = Literal.__getitem__(tuple(words))
    return choice | None


def _any_long(words: Iterable[str]) -> bool:
    return any(len(word) > MAX_CHARACTERS for word in words)
