"""Records and messages that could not be handled: kept whole, encrypted, for 14 days; listed and replayed.

A letter's bytes are an object named by the record, written before the record is acknowledged; its index entry, in the
table of the same name, is written after the bytes, so whatever is listed can be replayed. Keeping a letter again is
harmless. A replay appends the record with the `record_id` and `first_appended_at` it had: it is as safe as a
redelivery. Past the horizon its marks are gone, so it is refused; its windows are rebuilt from history instead.
A queue's message lies under a hash of itself, and its replay sends it to its queue again.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Final

import msgspec

from shared.errors import CorruptData, InvalidInput, Misconfigured, VersionConflict
from shared.ports import Ports, query_all
from shared.settings import Settings
from shared.stream import RECORD_ID_BYTES, Message, NewRecord, Record
from shared.units import DAY_MS

STORE: Final = "dead-letters"
TABLE: Final = "dead-letters"
SECRET: Final = "dead-letter-key"  # noqa: S105  the secret's name
REPLAY_MARGIN_MS: Final = 10 * 60_000
"""A replay must reach its consumer before the horizon does."""
MAX_REASON: Final = 500
_INDEX: Final = "letters"
_NONCE_BYTES: Final = 12
_KEY_TAG_BYTES: Final = 4


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter's index entry. Times are ms since epoch; `record_id` is hex; `function` gave the reason.

    `queue` is where it came from if that was no stream.
    """

    record_id: str
    key: str
    function: str
    reason: str
    dead_at: int
    first_appended_at: int
    bytes: int
    queue: str | None = None


class Letters(msgspec.Struct, frozen=True, kw_only=True):
    """A page of letters in order of their ids; `next` is the cursor of the page after."""

    letters: list[DeadLetter]
    next: str | None


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one letter: `refused` says why it was not replayed, None that it was."""

    record_id: str
    refused: str | None


class DeadLetters:
    """The dead letters of one suite."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._ports = ports
        self._keep_ms = settings.dead_letter_days * DAY_MS
        self._horizon_ms = settings.horizon_seconds * 1_000

    def put(self, record: Record, reason: str, function: str) -> None:
        """Keep a record; durable when this returns. Raises what the stores raise: then it is not acknowledged."""
        letter = DeadLetter(
            record_id=record.record_id.hex(),
            key=record.key,
            function=function,
            reason=reason[:MAX_REASON],
            dead_at=self._ports.clock.now_ms(),
            first_appended_at=record.first_appended_at,
            bytes=len(record.body),
        )
        self._keep(letter, record.body)

    def put_message(self, queue: str, message: Message, reason: str, function: str) -> None:
        """Keep a queue's message, as `put` keeps a record."""
        now = self._ports.clock.now_ms()
        message_id = blake2b(message.body, digest_size=RECORD_ID_BYTES, person=b"message", key=queue.encode()[:64])
        letter = DeadLetter(
            record_id=message_id.hexdigest(),
            key=queue,
            function=function,
            reason=reason[:MAX_REASON],
            dead_at=now,
            first_appended_at=now,
            bytes=len(message.body),
            queue=queue,
        )
        self._keep(letter, message.body)

    def list(self, limit: int = 100, cursor: str | None = None) -> Letters:
        """A page of the letters that are kept."""
        page = self._ports.table(TABLE).query(_INDEX, limit=limit, cursor=cursor)
        return Letters(letters=[_letter(item.value) for item in page.items], next=page.next)

    def all(self) -> Iterator[DeadLetter]:
        """Every letter that is kept."""
        for item in query_all(self._ports.table(TABLE), _INDEX):
            yield _letter(item.value)

    def count(self) -> int:
        """How many letters are kept."""
        return sum(1 for _ in query_all(self._ports.table(TABLE), _INDEX))

    def body(self, letter: DeadLetter) -> bytes:
        """The record's bytes. Raises CorruptData when they are gone or no key opens them."""
        sealed = self._ports.objects(STORE).get(_name(letter))
        if sealed is None:
            raise CorruptData(f"the bytes of dead letter {letter.record_id} are gone; restore {STORE} from a backup")
        return unseal(self._keys(), bytes.fromhex(letter.record_id), sealed)

    def replay(self, stream: str, record_ids: Sequence[str]) -> Sequence[Replayed]:
        """Append letters to the stream again, each as the record it was; it leaves the list once that is durable.

        A letter that dies again meanwhile stays listed. Bytes are left to `sweep`, for they may be in use again.
        """
        return [Replayed(record_id=record_id, refused=self._replay(stream, record_id)) for record_id in record_ids]

    def forget(self, letter: DeadLetter) -> None:
        """Take a letter that was settled some other way off the list, unless it has died anew."""
        item = self._ports.table(TABLE).get(_INDEX, letter.record_id)
        if item is not None and _letter(item.value) == letter:
            self._unlist(letter.record_id, item.version)

    def sweep(self) -> int:
        """Remove the bytes of letters that are no longer listed and past their time; how many."""
        objects = self._ports.objects(STORE)
        # a record reaches the dead letters at most a horizon and a stream's retention after it was appended
        before = (self._ports.clock.now_ms() - self._keep_ms - self._horizon_ms) // DAY_MS - 8
        swept = 0
        for name in list(objects.list()):
            day, _, record_id = name.partition("/")
            if int(day) < before and self._ports.table(TABLE).get(_INDEX, record_id) is None:
                objects.delete(name)
                swept += 1
        return swept

    def _keep(self, letter: DeadLetter, body: bytes) -> None:
        sealed = seal(self._keys()[0], bytes.fromhex(letter.record_id), body)
        self._ports.objects(STORE).put(_name(letter), sealed)
        entry = msgspec.json.encode(letter)
        self._ports.table(TABLE).put(_INDEX, letter.record_id, entry, expires_at=letter.dead_at + self._keep_ms)

    def _replay(self, stream: str, record_id: str) -> str | None:
        table = self._ports.table(TABLE)
        item = table.get(_INDEX, record_id) if 0 < len(record_id) <= 64 else None
        if item is None:
            return "there is no such dead letter; list them to see their ids"
        letter = _letter(item.value)
        horizon = letter.first_appended_at + self._horizon_ms
        if letter.queue is None and horizon <= self._ports.clock.now_ms() + REPLAY_MARGIN_MS:
            return (
                "it is older than the horizon within which a record is known to be counted once; "
                "rebuild its windows from history: grandstand rebuild"
            )
        try:
            body = self.body(letter)
        except CorruptData as error:
            return str(error)
        failure = self._send(stream, letter, body)
        if failure is None:
            self._unlist(record_id, item.version)
        return failure

    def _send(self, stream: str, letter: DeadLetter, body: bytes) -> str | None:
        if letter.queue is not None:
            self._ports.queue(letter.queue).send(body)
            return None
        new = NewRecord(bytes.fromhex(letter.record_id), letter.key, body, letter.first_appended_at)
        (failure,) = self._ports.stream(stream).append([new])
        return failure

    def _unlist(self, record_id: str, version: str) -> None:
        """Take a letter off the list unless it has died anew since `version`."""
        with suppress(VersionConflict):
            self._ports.table(TABLE).delete(_INDEX, record_id, if_version=version)

    def _keys(self) -> Sequence[bytes]:
        try:
            keys = [bytes.fromhex(text) for text in self._ports.secrets.get(SECRET).decode("ascii").split()]
        except ValueError:
            keys = []
        if not keys or any(len(key) != 32 for key in keys):
            raise Misconfigured(
                f"The secret {SECRET!r} is one or more keys of 64 hex digits, newest first, separated by spaces."
            )
        return keys


def seal(key: bytes, record_id: bytes, body: bytes) -> bytes:
    """AES-256-GCM (NIST SP 800-38D) with a random nonce, bound to the record: key tag, nonce, ciphertext."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    return _tag(key) + nonce + AESGCM(key).encrypt(nonce, body, record_id)


def unseal(keys: Sequence[bytes], record_id: bytes, sealed: bytes) -> bytes:
    """The body. Raises CorruptData when it was altered or none of `keys` sealed it."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    tag, rest = sealed[:_KEY_TAG_BYTES], sealed[_KEY_TAG_BYTES:]
    for key in keys:
        if _tag(key) == tag:
            try:
                return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], record_id)
            except (InvalidTag, ValueError):
                break
    raise CorruptData(
        f"dead letter {record_id.hex()} cannot be decrypted: its bytes were altered, or the key that sealed it "
        f"is no longer in the secret {SECRET!r}"
    )


def parse_ids(texts: Sequence[str]) -> Sequence[str]:
    """Record ids as given by an operator. Raises InvalidInput for what cannot be one."""
    for text in texts:
        try:
            bytes.fromhex(text)
        except ValueError:
            raise InvalidInput(
                f"{text!r} is not a record id: 32 hex digits", status=422, reason="record-id"
            ) from None
    return [text.lower() for text in texts]


def _tag(key: bytes) -> bytes:
    return blake2b(key, digest_size=_KEY_TAG_BYTES, person=b"dead-letter").digest()


def _name(letter: DeadLetter) -> str:
    return f"{letter.first_appended_at // DAY_MS:06d}/{letter.record_id}"


def _letter(value: bytes) -> DeadLetter:
    try:
        return msgspec.json.decode(value, type=DeadLetter)
    except msgspec.MsgspecError as error:
        raise CorruptData(f"an entry of table {TABLE!r} cannot be read: {error}") from error
