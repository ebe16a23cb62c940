"""Stored states whose parts do not fit each other are told from sound ones."""

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
import zstandard
from msgspec.structs import replace

from shared.audience.codec import FORMAT, Stored, decode, encode
from shared.errors import CorruptData
from tests.unit.audience.crowds import crowd, state_of, told


def altered(value: bytes, change: Callable[[Stored], Stored]) -> bytes:
    stored = msgspec.msgpack.decode(zstandard.decompress(value[len(FORMAT) :]), type=Stored)
    return FORMAT + zstandard.compress(msgspec.msgpack.encode(change(stored)))


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: replace(stored, counters=stored.counters[:-8]),
        lambda stored: replace(stored, counters=stored.counters[:-3]),
        lambda stored: replace(stored, names=stored.names[:-1]),
        lambda stored: replace(stored, codes=stored.codes[:-2]),
        lambda stored: replace(stored, packed=stored.packed[:-4]),
        lambda stored: replace(stored, sketches=[b"short"], flags=b"\x00"),
    ],
)
def test_parts_that_do_not_fit_are_corrupt(change: Callable[[Stored], Stored]) -> None:
    value = encode(state_of(*told(crowd(40), countries=("FR", "DE"))))
    assert encode(decode(altered(value, lambda stored: stored))) == value
    with pytest.raises(CorruptData):
        decode(altered(value, change))


def test_a_state_of_many_viewers_with_many_values_keeps_who_is_who() -> None:
    state = state_of(*told(crowd(1_500), countries=("FR", "DE", None, "PL")))
    again = decode(encode(state))
    assert np.array_equal(again.splits.pairs, state.splits.pairs)
    assert np.array_equal(again.presence.viewers, state.presence.viewers)
    assert np.array_equal(again.presence.packed, state.presence.packed)
