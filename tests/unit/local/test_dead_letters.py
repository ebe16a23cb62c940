import pytest

from lab.faults import Mishap, Plan, faulty
from lab.memory import MemoryClock, MemorySecrets, MemorySuite
from shared.dead_letters import MAX_REASON, STORE, TABLE, DeadLetters, parse_ids, seal, unseal
from shared.errors import CorruptData, InvalidInput, Misconfigured, Unavailable
from shared.settings import Settings
from shared.stream import NewRecord, Record

KEY, NEW_KEY = b"k" * 32, b"n" * 32
NAME = bytes(range(16))


@pytest.fixture
def suite() -> MemorySuite:
    return MemorySuite()


@pytest.fixture
def letters(suite: MemorySuite) -> DeadLetters:
    return DeadLetters(suite.ports, Settings())


def record(number: int, clock: MemoryClock) -> Record:
    return Record(number.to_bytes(16, "big"), "match#0", "0", number, clock.now_ms(), None, b"goal %d" % number)


def secrets(suite: MemorySuite) -> MemorySecrets:
    assert isinstance(suite.ports.secrets, MemorySecrets)
    return suite.ports.secrets


def test_letters_are_listed_page_by_page(suite: MemorySuite, letters: DeadLetters) -> None:
    for number in range(5):
        letters.put(record(number, suite.clock), "unreadable", "aggregate")

    first = letters.list(limit=3)
    second = letters.list(limit=3, cursor=first.next)

    ids = [letter.record_id for page in (first, second) for letter in page.letters]
    assert ids == [number.to_bytes(16, "big").hex() for number in range(5)]
    assert second.next is None
    assert letters.count() == 5


def test_a_letter_says_who_refused_what_and_why(suite: MemorySuite, letters: DeadLetters) -> None:
    sent = record(1, suite.clock)
    suite.clock.advance(5_000)
    letters.put(sent, "unreadable: " + "x" * 2_000, "aggregate")

    (letter,) = letters.all()

    assert (letter.key, letter.function, letter.bytes) == ("match#0", "aggregate", len(sent.body))
    assert (letter.first_appended_at, letter.dead_at) == (sent.first_appended_at, suite.clock.now_ms())
    assert len(letter.reason) == MAX_REASON


def test_keeping_a_letter_again_is_one_letter(suite: MemorySuite, letters: DeadLetters) -> None:
    letters.put(record(1, suite.clock), "unreadable", "aggregate")
    letters.put(record(1, suite.clock), "unreadable", "archive")

    assert letters.count() == 1
    assert len(list(suite.ports.objects(STORE).list())) == 1


@pytest.mark.parametrize("step", range(3))
def test_a_letter_whose_keeping_failed_halfway_is_kept_by_trying_again(suite: MemorySuite, step: int) -> None:
    plan = Plan([Mishap.NONE] * step + [Mishap.FAIL])
    flaky = DeadLetters(faulty(suite.ports, plan), Settings())
    try:
        flaky.put(record(1, suite.clock), "unreadable", "aggregate")
    except Unavailable:
        flaky.put(record(1, suite.clock), "unreadable", "aggregate")

    (letter,) = flaky.all() if step < 2 else DeadLetters(suite.ports, Settings()).all()
    assert DeadLetters(suite.ports, Settings()).body(letter) == b"goal 1"


def test_a_letter_is_replayed_once_and_leaves_the_list(suite: MemorySuite, letters: DeadLetters) -> None:
    letters.put(record(1, suite.clock), "unreadable", "aggregate")
    wanted = record(1, suite.clock).record_id.hex()

    first, again = (letters.replay("events", [wanted])[0] for _ in range(2))

    assert (first.record_id, first.refused) == (wanted, None)
    assert again.refused is not None
    assert sum(suite.stream("events").heads().positions.values()) == 1


def test_a_letter_stays_when_the_stream_does_not_take_it(suite: MemorySuite) -> None:
    DeadLetters(suite.ports, Settings()).put(record(1, suite.clock), "unreadable", "aggregate")
    # the steps before it: the index entry, the bytes
    flaky = DeadLetters(faulty(suite.ports, Plan([Mishap.NONE, Mishap.NONE, Mishap.LOSE_ANSWER])), Settings())

    (replayed,) = flaky.replay("events", [record(1, suite.clock).record_id.hex()])

    assert replayed.refused == "the answer was lost"
    assert flaky.count() == 1


def test_a_letter_that_dies_again_while_it_is_replayed_stays(
    suite: MemorySuite, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters.put(record(1, suite.clock), "unreadable", "aggregate")
    append = suite.stream("events").append

    def die_again(records: list[NewRecord]) -> object:
        letters.put(record(1, suite.clock), "unreadable still", "aggregate")
        return append(records)

    monkeypatch.setattr(suite.stream("events"), "append", die_again)
    letters.replay("events", [record(1, suite.clock).record_id.hex()])

    (letter,) = letters.all()
    assert letter.reason == "unreadable still"
    assert letters.body(letter) == b"goal 1"


def test_a_replay_that_could_not_arrive_within_the_horizon_is_refused(
    suite: MemorySuite, letters: DeadLetters
) -> None:
    letters.put(record(1, suite.clock), "unreadable", "aggregate")
    suite.clock.advance(24 * 3_600_000 - 60_000)

    (replayed,) = letters.replay("events", [record(1, suite.clock).record_id.hex()])

    assert replayed.refused is not None
    assert "rebuild" in replayed.refused


def test_a_letter_whose_bytes_are_gone_is_not_replayed_and_stays(suite: MemorySuite, letters: DeadLetters) -> None:
    letters.put(record(1, suite.clock), "unreadable", "aggregate")
    for name in list(suite.ports.objects(STORE).list()):
        suite.ports.objects(STORE).delete(name)

    (replayed,) = letters.replay("events", [record(1, suite.clock).record_id.hex()])

    assert replayed.refused is not None
    assert "gone" in replayed.refused
    assert letters.count() == 1


def test_an_old_key_opens_what_it_sealed_as_long_as_it_is_listed(suite: MemorySuite, letters: DeadLetters) -> None:
    letters.put(record(1, suite.clock), "unreadable", "aggregate")
    (letter,) = letters.all()
    old = secrets(suite).values["dead-letter-key"]

    secrets(suite).values["dead-letter-key"] = NEW_KEY.hex().encode() + b"\n" + old
    assert letters.body(letter) == b"goal 1"

    secrets(suite).values["dead-letter-key"] = NEW_KEY.hex().encode()
    with pytest.raises(CorruptData, match="no longer in the secret"):
        letters.body(letter)


@pytest.mark.parametrize("key", [b"", b"zz", b"ab" * 16, b"\xff"])
def test_a_key_that_is_none_is_told_before_anything_is_kept(
    suite: MemorySuite, letters: DeadLetters, key: bytes
) -> None:
    secrets(suite).values["dead-letter-key"] = key

    with pytest.raises(Misconfigured, match="64 hex digits"):
        letters.put(record(1, suite.clock), "unreadable", "aggregate")

    assert list(suite.ports.objects(STORE).list()) == []


def test_sealed_bytes_open_only_whole_and_for_their_own_record() -> None:
    sealed = seal(KEY, NAME, b"goal")

    assert unseal([NEW_KEY, KEY], NAME, sealed) == b"goal"
    assert seal(KEY, NAME, b"goal") != sealed
    for wrong in (sealed[:-1], sealed[:10], b"", sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(CorruptData, match="decrypted"):
            unseal([KEY], NAME, wrong)
    with pytest.raises(CorruptData):
        unseal([KEY], NAME[::-1], sealed)


def test_the_bytes_of_a_listed_letter_are_never_swept(suite: MemorySuite, letters: DeadLetters) -> None:
    old = record(1, suite.clock)
    suite.clock.advance(40 * 86_400_000)
    letters.put(old, "beyond_horizon", "aggregate")

    assert letters.sweep() == 0
    (letter,) = letters.all()
    assert letters.body(letter) == b"goal 1"


def test_an_entry_that_cannot_be_read_is_told(suite: MemorySuite, letters: DeadLetters) -> None:
    suite.ports.table(TABLE).put("letters", "00", b"not an entry")

    with pytest.raises(CorruptData, match="dead-letters"):
        letters.list()


def test_ids_from_an_operator_are_hex() -> None:
    assert list(parse_ids(["AB" * 16])) == ["ab" * 16]
    with pytest.raises(InvalidInput, match="not a record id"):
        parse_ids(["everything"])
