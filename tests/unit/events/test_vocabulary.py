"""Words are learned from what senders use, and change nothing of what is decoded."""

import json

from events.native import Native
from events.vocabulary import MAX_WORDS, Vocabulary
from tests.builders import event

CORE = {"event_type": "play", "event_timestamp": 1, "content_id": "match", "viewer_id": "ada"}


def test_words_are_learned_from_large_bodies_only() -> None:
    vocabulary = Vocabulary()
    assert not vocabulary.learn([event(country="DE")])
    assert vocabulary.empty
    assert vocabulary.learn([event(country="DE"), event(country=None, tier="free")] * 30)
    assert set(vocabulary.types()) == {"country", "tier"}
    assert not vocabulary.learn([event(country="DE")] * 50)


def test_a_field_of_endless_or_long_words_is_left_alone() -> None:
    vocabulary = Vocabulary()
    vocabulary.learn([event(country=f"c{i}", tier="t" * 33, age_group="18-24") for i in range(MAX_WORDS + 1)])
    assert set(vocabulary.types()) == {"age_group"}
    vocabulary.learn([event(country=f"c{i}") for i in range(50)])
    assert set(vocabulary.types()) == {"age_group"}


def test_a_decoder_that_learns_decodes_as_one_that_knows_nothing() -> None:
    bodies = [
        [{**CORE, "event_id": str(i), "country": ("DE", "FR", None)[i % 3], "tier": tier} for i in range(60)]
        for tier in ("free", "premium", "gold", "free", None, "x" * 40, "free")
    ]
    bodies += [[{**bodies[0][0], "country": "IT"}], [{**bodies[0][0], "stall_ms": 4}] * 60]
    learning = Native()
    for body in bodies:
        for data in (json.dumps(body).encode(), json.dumps({"events": body}).encode()):
            learned, fresh = learning.decode(data), Native().decode(data)
            assert [*map(repr, learned.core)] == [*map(repr, fresh.core)]
            assert [*map(repr, learned.events)] == [*map(repr, fresh.events)]
