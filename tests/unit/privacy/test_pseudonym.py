"""Ids leave ingest only as keyed hashes, and a key changes at a window's edge."""

import json

import pytest

from shared.errors import Misconfigured
from shared.privacy.pseudonym import Key, Pseudonyms, load_key_ring, pseudonym

FIRST, SECOND = "11" * 32, "22" * 32


def secret(*keys: tuple[str, int, str]) -> bytes:
    return json.dumps([{"id": name, "from_ms": start, "key_hex": key} for name, start, key in keys]).encode()


def test_the_key_in_force_at_the_windows_start_serves_the_whole_window() -> None:
    ring = load_key_ring(secret(("new", 12_001, SECOND), ("old", 0, FIRST)))
    assert [ring.at(window).id for window in (0, 1, 2, 3, 4)] == ["old", "old", "old", "new", "new"]


def test_the_first_key_serves_what_is_older_than_itself() -> None:
    assert load_key_ring(secret(("only", 50_000, FIRST))).at(-3).id == "only"


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"[]",
        b'{"id": "k"}',
        secret(("k", 0, "zz")),
        secret(("short", 0, "11")),
        secret(("long", 0, "11" * 65)),
        secret(("k", 0, FIRST), ("k", 9_000, SECOND)),
    ],
)
def test_a_wrong_secret_is_named_without_being_told(wrong: bytes) -> None:
    with pytest.raises(Misconfigured, match="pseudonym-keys") as caught:
        load_key_ring(wrong)
    assert FIRST not in str(caught.value)


def test_a_pseudonym_depends_on_the_id_and_the_key_alone() -> None:
    first, second = (Pseudonyms(Key("k", 0, bytes.fromhex(key))) for key in (FIRST, SECOND))
    assert first.of("ada") == first.of("ada") == pseudonym(bytes.fromhex(FIRST), "ada")
    assert len({first.of("ada"), first.of("bob"), second.of("ada")}) == 3
    assert len(first.of("né à #/\n")) == 16


def test_forgetting_ids_changes_no_pseudonym() -> None:
    few = Pseudonyms(Key("k", 0, bytes.fromhex(FIRST)), cached_ids=3)
    names = [f"viewer-{i % 7}" for i in range(50)]
    assert [few.of(name) for name in names] == [pseudonym(bytes.fromhex(FIRST), name) for name in names]
